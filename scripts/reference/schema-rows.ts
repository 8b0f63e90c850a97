import { type ZodType, z } from 'zod';
import { FIELD_FORMATS } from '../../src/config/schema.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/lib/json/json.ts';

/** One key of a file with its type, default and meaning. */
export interface SchemaRow {
  readonly key: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly default: string;
  readonly means: string;
}

/** Every key of a schema, in its order; keys of lists as `rates[].limit`, keys of maps as `tools.<name>`. */
export function schemaRows(schema: ZodType): readonly SchemaRow[] {
  const made: unknown = z.toJSONSchema(schema, {
    target: 'draft-07',
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const form = FIELD_FORMATS.get(zodSchema)?.form;
      if (form !== undefined) Object.assign(jsonSchema, { form });
    },
  });
  const root: unknown = JSON.parse(JSON.stringify(made));
  if (!isJsonObject(root)) throw new TypeError('a schema of a file must be an object');
  return rowsBelow(root, '', root);
}

/** Rows as a Markdown table. */
export function schemaTable(rows: readonly SchemaRow[]): readonly string[] {
  return [
    '| Key | Type | Default | Meaning |',
    '|---|---|---|---|',
    ...rows.map(
      (row) => `| \`${row.key}\` | ${row.type} | ${row.isRequired ? 'required' : row.default} | ${row.means} |`,
    ),
  ];
}

function rowsBelow(schema: JsonObject, path: string, root: JsonObject): readonly SchemaRow[] {
  const here = resolved(schema, root);
  const properties = isJsonObject(here.properties) ? here.properties : {};
  const required = listOf(here.required);
  const own = Object.entries(properties).flatMap(([name, property]) => {
    const key = path === '' ? name : `${path}.${name}`;
    const found = resolved(property, root);
    return [rowOf(key, found, { isRequired: required.includes(name), root }), ...rowsBelow(found, key, root)];
  });
  const alternatives = [...listOf(here.anyOf), ...listOf(here.oneOf)].flatMap((one) =>
    ofAlternative(resolved(one, root), rowsBelow(resolved(one, root), path, root)),
  );
  const items = isJsonObject(here.items) ? rowsBelow(here.items, `${path}[]`, root) : [];
  const values = here.additionalProperties;
  const entries = isJsonObject(values) ? rowsBelow(values, `${path}.<name>`, root) : [];
  return withoutTwins([...own, ...alternatives, ...items, ...entries]);
}

/** Names the alternative in rows that apply to one alternative. */
function ofAlternative({ properties }: JsonObject, rows: readonly SchemaRow[]): readonly SchemaRow[] {
  const type = isJsonObject(properties) && isJsonObject(properties.type) ? properties.type.const : undefined;
  if (typeof type !== 'string') return rows;
  return rows.map((row) => (row.key.endsWith('.type') ? row : { ...row, means: `With \`${type}\`: ${row.means}` }));
}

/** Merges the rows of alternatives that share a key. */
function withoutTwins(rows: readonly SchemaRow[]): readonly SchemaRow[] {
  const byKey = new Map<string, SchemaRow>();
  for (const row of rows) {
    const twin = byKey.get(row.key);
    if (twin === undefined || twin.type === row.type) byKey.set(row.key, twin ?? row);
    else byKey.set(row.key, { ...twin, type: `${twin.type} or ${row.type}`, means: `${twin.means}; or: ${row.means}` });
  }
  return [...byKey.values()];
}

function rowOf(
  key: string,
  schema: JsonObject,
  { isRequired, root }: { readonly isRequired: boolean; readonly root: JsonObject },
): SchemaRow {
  const description = typeof schema.description === 'string' ? schema.description : undefined;
  if (description === undefined) throw new TypeError(`\`${key}\` has no description`);
  const [, before = '', said, after = ''] = /^([\s\S]*?) ?\bDefault: (.*?)\.(?= |$)([\s\S]*)$/.exec(description) ?? [];
  const means = said === undefined ? description : `${before}${after}`;
  if (isRequired !== (said === undefined))
    throw new TypeError(`\`${key}\` must be required or have a default in its description`);
  checkDefault(key, schema.default, said);
  const type = cell(typeText(schema, root));
  return { key, type, isRequired, default: cell(said ?? ''), means: cell(means.replace(/\.$/, '')) };
}

/** @throws TypeError when the default in a description differs from the one in the schema. */
function checkDefault(key: string, filledIn: JsonValue | undefined, said: string | undefined): void {
  if (filledIn === undefined) return;
  const isEmpty = typeof filledIn === 'object' && filledIn !== null && Object.keys(filledIn).length === 0;
  const expected = isEmpty ? 'none' : typeof filledIn === 'string' ? `\`${filledIn}\`` : `${JSON.stringify(filledIn)}`;
  if (said !== expected) throw new TypeError(`\`${key}\` is ${expected} by default, and its description says ${said}`);
}

function typeText(schema: JsonObject, root: JsonObject): string {
  const here = resolved(schema, root);
  if (typeof here.form === 'string') return here.form;
  if (here.const !== undefined) return `\`${JSON.stringify(here.const).replaceAll('"', '')}\``;
  if (Array.isArray(here.enum))
    return `one of ${here.enum.map((each) => `\`${JSON.stringify(each).replaceAll('"', '')}\``).join(', ')}`;
  if (here.type === 'integer') return numberText(here);
  if (here.type === 'array') return `list of ${isJsonObject(here.items) ? itemText(here.items, root) : 'values'}`;
  const alternatives = [...listOf(here.anyOf), ...listOf(here.oneOf)];
  if (alternatives.length > 0) return [...new Set(alternatives.map((one) => itemText(one, root)))].join(' or ');
  if (here.type === 'object') return isJsonObject(here.properties) ? 'map' : 'map by name';
  return here.type === 'string' ? 'text' : 'any value';
}

function itemText(schema: JsonValue, root: JsonObject): string {
  return isJsonObject(schema) ? typeText(schema, root) : 'value';
}

function numberText({ minimum, maximum }: JsonObject): string {
  const bounds = [minimum, maximum].map((bound) => (typeof bound === 'number' ? bound.toLocaleString('en-US') : '…'));
  return `whole number, ${bounds.join(' to ')}`;
}

function resolved(schema: JsonValue, root: JsonObject): JsonObject {
  if (!isJsonObject(schema)) return {};
  if (typeof schema.$ref !== 'string') return schema;
  const definitions = isJsonObject(root.definitions) ? root.definitions : {};
  const target = definitions[schema.$ref.replace('#/definitions/', '')];
  // The schema of a JSON value refers to itself: without this, the rows would not end.
  return { ...(isJsonObject(target) ? { type: target.type ?? 'any' } : {}), ...schema, $ref: null };
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').trim();
}
