import { canonicalJson } from '../../lib/json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';

/** One difference between two definitions, by JSON Pointer (RFC 6901). An absent side has no value there. */
export interface DefinitionChange {
  readonly pointer: string;
  readonly before?: JsonValue;
  readonly after?: JsonValue;
}

/** The differences of `after` from `before`, as deep as possible. Empty when they are equal. */
export function definitionDiff(before: JsonObject, after: JsonObject): readonly DefinitionChange[] {
  const changes: DefinitionChange[] = [];
  collect(changes, '', { before, after });
  return changes;
}

/** Formats changes as lines: `-` is pinned, `+` is current. Escapes non-ASCII characters, so none can hide. */
export function formatDiff(changes: readonly DefinitionChange[]): string {
  return changes
    .flatMap(({ pointer, before, after }) => [
      `  ${escapeCharacters(pointer === '' ? '/' : pointer)}`,
      ...(before === undefined ? [] : [`  - ${formatValue(before)}`]),
      ...(after === undefined ? [] : [`  + ${formatValue(after)}`]),
    ])
    .join('\n');
}

type Sides = { readonly before: JsonValue | undefined; readonly after: JsonValue | undefined };

function collect(changes: DefinitionChange[], pointer: string, { before, after }: Sides): void {
  const beforeEntries = entriesOf(before);
  const afterEntries = entriesOf(after);
  if (beforeEntries !== undefined && afterEntries !== undefined && Array.isArray(before) === Array.isArray(after)) {
    for (const key of new Set([...beforeEntries.keys(), ...afterEntries.keys()])) {
      const step = key.replaceAll('~', '~0').replaceAll('/', '~1');
      collect(changes, `${pointer}/${step}`, { before: beforeEntries.get(key), after: afterEntries.get(key) });
    }
    return;
  }
  if (before !== undefined && after !== undefined && canonicalJson(before) === canonicalJson(after)) return;
  changes.push({ pointer, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) });
}

function entriesOf(value: JsonValue | undefined): Map<string, JsonValue> | undefined {
  if (Array.isArray(value) || isJsonObject(value)) return new Map(Object.entries(value));
  return undefined;
}

function formatValue(value: JsonValue): string {
  return escapeCharacters(JSON.stringify(value));
}

function escapeCharacters(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16) ?? ''}}`);
}
