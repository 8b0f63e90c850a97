import type { FeatureList } from '../../../broker/broker.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../lib/json/json.ts';
import { embedSchema } from '../../../validation/json-schema/translate.ts';

// Up to 2025-11-25 an `outputSchema` describes an object, `structuredContent` is an object, and every entry of
// `properties` is an object. 2026-07-28 allows any schema (server/tools, "Output Schema"). Legacy clients reject a whole
// list for one tool with another schema, so such tools are converted for them.
//
// Only the wire form is converted. Pins, validation and records use the server's own form, and the result digest in the
// ledger is that of the result before it was wrapped.

/** Each list in its legacy form. */
const listCache = new WeakMap<FeatureList, FeatureList>();
/** Legacy form of each tool for which it differs. */
const toolCache = new WeakMap<JsonObject, JsonObject>();

/** Returns a list of tools in the legacy form: the same object if no tool differs. */
export function toLegacyToolList(list: FeatureList): FeatureList {
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

/** Returns a tool's result in the legacy form, by the tool's own `outputSchema`: the same object if it does not differ. */
export function toLegacyToolResult(result: JsonObject, outputSchema: JsonValue | undefined): JsonObject {
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
    // The dialect is declared at the root.
    ...($schema === undefined ? {} : { $schema }),
    type: 'object',
    properties: { result: embedSchema(rest, '/properties/result') },
    required: ['result'],
  };
}

/** Replaces `true` and `false` among the root's properties by equivalent objects (JSON Schema 2020-12, core §4.3.2). */
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
