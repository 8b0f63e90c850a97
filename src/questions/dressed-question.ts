import { type InputRequest, serverAttribution } from '../domain/question.ts';
import { idnHost } from '../lib/foreign-host.ts';
import type { JsonObject } from '../lib/json.ts';

/** Our own key of `_meta`: the registry's name of the server that asks. */
const SERVER_META_KEY = 'dev.seneschal/server';

/**
 * A question as the agent's user sees it: the message says which server asks, by the name that the registry gives it, and
 * names the whole address that is to be opened (MCP 2025-11-25, elicitation, "Safe URL Handling"). What binds a question
 * to the wire of its server (progress token, task) stays behind, and so does a wish for the context of other servers: to
 * the client the broker is one server, whose context is that of all. `elicitationId` is for clients that know of one: an id
 * of ours, since two servers may give the same.
 */
export function rewriteForClient(
  { method, params, key }: InputRequest,
  { server, elicitationId }: { readonly server: string; readonly elicitationId: string | undefined },
): InputRequest {
  const { _meta: _, task: __, elicitationId: ___, includeContext, ...rest } = params;
  const rewritten: JsonObject = {
    ...rest,
    ...(includeContext === 'none' ? { includeContext } : {}),
    ...(typeof rest.message === 'string' ? { message: attributedMessage(server, rest.message, rest) } : {}),
    ...(elicitationId !== undefined && rest.mode === 'url' ? { elicitationId } : {}),
    _meta: { [SERVER_META_KEY]: server },
  };
  return { method, params: rewritten, ...(key === undefined ? {} : { key }) };
}

function attributedMessage(server: string, message: string, { mode, url }: JsonObject): string {
  const attributed = `${serverAttribution(server)}${message}`;
  if (mode !== 'url' || typeof url !== 'string') return attributed;
  const hostInOtherScript = idnHost(url);
  const warning =
    hostInOtherScript === undefined
      ? ''
      : `\nCaution: the host is written in letters of other scripts: ${hostInOtherScript}`;
  return `${attributed}\nIt wants this address to be opened: ${url}${warning}`;
}
