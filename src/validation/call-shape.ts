import type { Call } from '../domain/call.ts';
import type { JsonObject } from '../lib/json.ts';

/** What a completion is asked with (MCP, completion/complete); its values pass as they are. */
const COMPLETION_SCHEMA: JsonObject = Object.freeze({
  type: 'object',
  properties: {
    argument: {
      type: 'object',
      properties: { name: { type: 'string' }, value: { type: 'string' } },
      required: ['name', 'value'],
      additionalProperties: false,
    },
    context: {
      type: 'object',
      properties: { arguments: { type: 'object', additionalProperties: { type: 'string' } } },
      additionalProperties: false,
    },
  },
  required: ['argument'],
  additionalProperties: false,
});

/** A read has no arguments: its URI is its target. */
const EMPTY_SCHEMA: JsonObject = Object.freeze({ type: 'object', additionalProperties: false });

/** The schema of the arguments of a call; undefined for what does not exist. */
export function argumentsSchema({ target, action }: Call): JsonObject | undefined {
  if (target.kind === 'unknown') return undefined;
  if (action === 'complete') return COMPLETION_SCHEMA;
  return target.kind === 'tool' || target.kind === 'prompt' ? target.inputSchema : EMPTY_SCHEMA;
}
