import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import type { Channel, RequestOptions } from './channel.ts';

const MAX_PAGES = 200;
/** Largest page in bytes that is read. */
export const MAX_PAGE_BYTES: number = 16 * 1024 * 1024;
const MAX_CURSOR_LENGTH = 64 * 1024;

export type ToolListing =
  | { readonly kind: 'listed'; readonly tools: readonly JsonObject[] }
  /** `sessionLost`: the server no longer knows the session, which says nothing of its tools. */
  | { readonly kind: 'failed'; readonly message: string; readonly sessionLost?: boolean };

/**
 * The pages of `tools/list`, every definition verbatim, until there are more than `maxTools`: what is over is for the
 * catalog to cut and to tell of. A server that pages for ever has no list.
 */
export async function listTools(
  channel: Channel,
  options: RequestOptions & { readonly maxTools: number },
): Promise<ToolListing> {
  const tools: JsonObject[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await channel.request('tools/list', cursor === undefined ? {} : { cursor }, options);
    if (answer.kind === 'error') return failed(`the server answered \`tools/list\` with error ${answer.error.code}`);
    if (answer.kind === 'failed') {
      const message = `\`tools/list\` failed: ${answer.message}`;
      return { kind: 'failed', message, sessionLost: answer.why === 'session-lost' };
    }
    const listed: JsonValue | undefined = answer.result.tools;
    if (!Array.isArray(listed) || !listed.every(isToolDefinition)) {
      return failed('`tools/list` holds something that is no tool definition');
    }
    for (const tool of listed) tools.push(tool);
    if (tools.length > options.maxTools) return { kind: 'listed', tools: tools.slice(0, options.maxTools + 1) };
    const next: JsonValue | undefined = answer.result.nextCursor;
    if (next === undefined || next === null) return { kind: 'listed', tools };
    if (typeof next !== 'string' || next.length > MAX_CURSOR_LENGTH || next === cursor) {
      return failed('`tools/list` answers with a cursor that leads nowhere');
    }
    cursor = next;
  }
  return failed(`\`tools/list\` has more than ${MAX_PAGES} pages`);
}

function isToolDefinition(value: unknown): value is JsonObject {
  return isJsonObject(value) && typeof value.name === 'string' && isJsonObject(value.inputSchema);
}

function failed(message: string): ToolListing {
  return { kind: 'failed', message };
}
