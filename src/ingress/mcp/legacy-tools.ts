import type { OfferList } from '../../broker/broker.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import { embeddedSchema } from '../../validation/embedded-schema.ts';

// Up to 2025-11-25 an `outputSchema` is of an object, `structuredContent` is an object, and what `properties` names are
// objects; 2026-07-28 lets a schema be any (server/tools, "Output Schema"). Clients of before throw away the whole list
// for one tool that does otherwise, so that they are shown such tools in a form of theirs.
//
// It is a form of this wire alone. What is pinned, validated, recorded and digested is the server's own form: the digest
// of a result in the ledger is of the result before it was wrapped.

/** The lists that have been asked for, each as legacy agents are shown it. */
const legacyLists = new WeakMap<OfferList, OfferList>();
/** Only of tools that differ. */
const legacyTools = new WeakMap<JsonObject, JsonObject>();

/** A list of tools as legacy agents are shown it: the same object where nothing in it differs. */
export function legacyList(list: OfferList): OfferList {
  let shown = legacyLists.get(list);
  if (shown === undefined) {
    const offers = list.offers.map(legacyTool);
    shown = offers.every((offer, index) => offer === list.offers[index]) ? list : { offers };
    legacyLists.set(list, shown);
  }
  return shown;
}

/** A tool's result as legacy agents are told it, by the `outputSchema` that the tool declares; the same object where it fits. */
export function legacyResult(result: JsonObject, outputSchema: JsonValue | undefined): JsonObject {
  const { structuredContent } = result;
  if (structuredContent === undefined) return result;
  const fits = isJsonObject(structuredContent) && !(isJsonObject(outputSchema) && isWrapped(outputSchema));
  return fits ? result : { ...result, structuredContent: { result: structuredContent } };
}

function legacyTool(tool: JsonObject): JsonObject {
  const known = legacyTools.get(tool);
  if (known !== undefined) return known;
  const { inputSchema, outputSchema } = tool;
  const input = isJsonObject(inputSchema) ? withObjectProperties(inputSchema) : inputSchema;
  const output = isJsonObject(outputSchema) ? legacyOutput(outputSchema) : outputSchema;
  if (input === inputSchema && output === outputSchema) return tool;
  const shown: Record<string, JsonValue> = { ...tool };
  if (input !== undefined) shown.inputSchema = input;
  if (output !== undefined) shown.outputSchema = output;
  legacyTools.set(tool, shown);
  return shown;
}

function isWrapped({ type }: JsonObject): boolean {
  return type !== 'object';
}

function legacyOutput(schema: JsonObject): JsonObject {
  if (!isWrapped(schema)) return withObjectProperties(schema);
  const { $schema, ...rest } = schema;
  return {
    // The dialect is said once, at the root.
    ...($schema === undefined ? {} : { $schema }),
    type: 'object',
    properties: { result: embeddedSchema(rest, '/properties/result') },
    required: ['result'],
  };
}

/** `true` and `false` among the root's properties written as the objects that say the same (JSON Schema 2020-12, core §4.3.2). */
function withObjectProperties(schema: JsonObject): JsonObject {
  const { properties } = schema;
  if (!isJsonObject(properties) || !Object.values(properties).some((each) => typeof each === 'boolean')) return schema;
  const entries = Object.entries(properties).map(([name, each]) => [name, objectOf(each)] as const);
  return { ...schema, properties: Object.fromEntries(entries) };
}

function objectOf(schema: JsonValue): JsonValue {
  if (schema === true) return {};
  return schema === false ? { not: {} } : schema;
}
