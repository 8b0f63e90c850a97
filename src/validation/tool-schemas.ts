import { isJsonObject, type JsonObject } from '../lib/json.ts';
import { readSchema } from './read-schema.ts';

export type Admission = { readonly admitted: true } | { readonly admitted: false; readonly reason: string };

const ADMITTED: Admission = { admitted: true };

/**
 * Judges the schemas of a tool's definition, and the registry's output contract where there is one. What is not
 * admitted is quarantined: its arguments or results could not be checked, or checking them could not be bounded.
 */
export function admitTool(definition: JsonObject, contract?: JsonObject): Admission {
  const { inputSchema, outputSchema } = definition;
  if (!isJsonObject(inputSchema)) return rejectSchema('inputSchema', 'it is not an object');
  // MCP schema, Tool.inputSchema: the root MUST have `type: "object"`.
  if (inputSchema.type !== 'object') return rejectSchema('inputSchema', 'its type is not `object`');
  const schemas: [string, JsonObject | boolean][] = [['inputSchema', inputSchema]];
  if (outputSchema !== undefined) {
    if (!isJsonObject(outputSchema)) return rejectSchema('outputSchema', 'it is not an object');
    schemas.push(['outputSchema', outputSchema]);
  }
  if (contract !== undefined) schemas.push(['output contract', contract]);
  for (const [name, schema] of schemas) {
    const reading = readSchema(schema);
    if (!reading.admitted) return rejectSchema(name, reading.reason);
  }
  return ADMITTED;
}

function rejectSchema(name: string, reason: string): Admission {
  return { admitted: false, reason: `the ${name} is not admitted: ${reason}` };
}
