import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import type { Channel, RequestOptions } from './channel.ts';

const MAX_PAGES = 200;
const MAX_TOOLS = 10_000;
/** Largest page in bytes that is read. */
export const MAX_PAGE_BYTES: number = 16 * 1024 * 1024;
const MAX_CURSOR_LENGTH = 64 * 1024;

export type ToolListing =
  | { readonly kind: 'listed'; readonly tools: readonly JsonObject[] }
  /** `sessionLost`: the server no longer knows the session, which says nothing of its tools. */
  | { readonly kind: 'failed'; readonly message: string; readonly sessionLost?: boolean };

/** All pages of `tools/list`, every definition verbatim. A server that pages for ever or lists too much has no list. */
export async function listTools(channel: Channel, options: RequestOptions): Promise<ToolListing> {
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
    if (tools.length > MAX_TOOLS) return failed(`the server lists more than ${MAX_TOOLS} tools`);
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
