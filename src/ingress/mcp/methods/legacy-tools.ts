import type { FeatureList } from '../../../broker/broker.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../lib/json/json.ts';
import { embedSchema } from '../../../validation/json-schema/translate.ts';

// Up to 2025-11-25 an `outputSchema` is of an object, `structuredContent` is an object, and what `properties` names are
// objects; 2026-07-28 lets a schema be any (server/tools, "Output Schema"). Clients of before throw away the whole list
// for one tool that does otherwise, so that they are shown such tools in a form of theirs.
//
// It is a form of this wire alone. What is pinned, validated, recorded and digested is the server's own form: the digest
// of a result in the ledger is of the result before it was wrapped.

/** The lists that have been asked for, each as legacy agents are shown it. */
const listCache = new WeakMap<FeatureList, FeatureList>();
/** Only of tools that differ. */
const toolCache = new WeakMap<JsonObject, JsonObject>();

/** A list of tools as legacy agents are shown it: the same object where nothing in it differs. */
export function toLegacyList(list: FeatureList): FeatureList {
  let converted = listCache.get(list);
  if (converted === undefined) {
    const features = list.definitions.map(toLegacyTool);
    converted = features.every((feature, index) => feature === list.definitions[index])
      ? list
      : { definitions: features };
    listCache.set(list, converted);
  }
  return converted;
}

/** A tool's result as legacy agents are told it, by the `outputSchema` that the tool declares; the same object where it fits. */
export function toLegacyResult(result: JsonObject, outputSchema: JsonValue | undefined): JsonObject {
  const { structuredContent } = result;
  if (structuredContent === undefined) return result;
  const isLegacyCompatible =
    isJsonObject(structuredContent) && !(isJsonObject(outputSchema) && needsWrapping(outputSchema));
  return isLegacyCompatible ? result : { ...result, structuredContent: { result: structuredContent } };
}

function toLegacyTool(tool: JsonObject): JsonObject {
  const cached = toolCache.get(tool);
  if (cached !== undefined) return cached;
  const { inputSchema, outputSchema } = tool;
  const input = isJsonObject(inputSchema) ? withObjectProperties(inputSchema) : inputSchema;
  const output = isJsonObject(outputSchema) ? toLegacyOutputSchema(outputSchema) : outputSchema;
  if (input === inputSchema && output === outputSchema) return tool;
  const converted: Record<string, JsonValue> = { ...tool };
  if (input !== undefined) converted.inputSchema = input;
  if (output !== undefined) converted.outputSchema = output;
  toolCache.set(tool, converted);
  return converted;
}

function needsWrapping({ type }: JsonObject): boolean {
  return type !== 'object';
}

function toLegacyOutputSchema(schema: JsonObject): JsonObject {
  if (!needsWrapping(schema)) return withObjectProperties(schema);
  const { $schema, ...rest } = schema;
  return {
    // The dialect is said once, at the root.
    ...($schema === undefined ? {} : { $schema }),
    type: 'object',
    properties: { result: embedSchema(rest, '/properties/result') },
    required: ['result'],
  };
}

/** `true` and `false` among the root's properties written as the objects that say the same (JSON Schema 2020-12, core §4.3.2). */
function withObjectProperties(schema: JsonObject): JsonObject {
  const { properties } = schema;
  if (!isJsonObject(properties) || !Object.values(properties).some((value) => typeof value === 'boolean'))
    return schema;
  const entries = Object.entries(properties).map(([name, value]) => [name, toObjectSchema(value)] as const);
  return { ...schema, properties: Object.fromEntries(entries) };
}

function toObjectSchema(schema: JsonValue): JsonValue {
  if (schema === true) return {};
  return schema === false ? { not: {} } : schema;
}
