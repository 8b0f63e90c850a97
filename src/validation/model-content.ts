import { isJsonObject, type JsonValue } from '../lib/json.ts';

/** True for what a message of a model holds: one content block that names its type, or a list of such. */
export function isSamplingContent(content: JsonValue | undefined): boolean {
  const blocks = Array.isArray(content) ? content : [content];
  return blocks.every((block) => isJsonObject(block) && typeof block.type === 'string');
}
