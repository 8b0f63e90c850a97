import type { ClientContext } from '../domain/mcp/client-context.ts';
import {
  CAPABILITY_FOR,
  type InputRequest,
  type InputRequestAction,
  isElicitationId,
  serverAttribution,
  type UrlElicitationListener,
} from '../domain/mcp/input-request.ts';
import { isJsonObject, type JsonObject } from '../lib/json/json.ts';
import { idnHost } from '../lib/uri/uri.ts';

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

/**
 * The URLs that one call had its legacy agent open, by the ids of the server that asked, each with the id of ours that the
 * agent knows it by. It lives for as long as their interactions, so it holds nothing else of the call.
 */
export class UrlIdMap implements UrlElicitationListener {
  readonly #client: ClientContext;
  readonly #clientIds = new Map<string, string>();

  constructor(client: ClientContext) {
    this.#client = client;
  }

  /** Notes that the agent is asked `shown` for what its server asked as `own`. */
  add(fromServer: InputRequest, toClient: InputRequest): void {
    const [serverId, clientId] = [fromServer.params.elicitationId, toClient.params.elicitationId];
    if (isElicitationId(serverId) && typeof clientId === 'string') this.#clientIds.set(serverId, clientId);
  }

  onComplete(elicitationId: string): boolean {
    const clientId = this.#clientIds.get(elicitationId);
    return clientId !== undefined && this.#client.elicitationComplete?.(clientId) === true;
  }
}

/**
 * What of each capability a server may be told of; anything else a client declares is between others. Not
 * `sampling.context`: to the client the broker is one server, so that the context would be that of all of them.
 */
const FORWARDED_MEMBERS: Readonly<Record<InputRequestAction, readonly string[]>> = {
  elicit: ['form', 'url'],
  sample: ['tools'],
  roots: ['listChanged'],
};
const INPUT_ACTIONS = ['elicit', 'sample', 'roots'] as const;

/** True where a client declared that it can answer anything at all. */
export function canRespond(declared: JsonObject): boolean {
  return isJsonObject(declared.elicitation) || isJsonObject(declared.sampling) || isJsonObject(declared.roots);
}

/** What a tool server is told that it may ask: exactly what the agent's client declared and policy may allow. */
export function allowedCapabilities(
  declared: JsonObject,
  isAllowed: (action: InputRequestAction) => boolean,
): JsonObject {
  const allowed: Record<string, JsonObject> = {};
  for (const action of INPUT_ACTIONS) {
    const name = CAPABILITY_FOR[action];
    const capability = declared[name];
    if (!isJsonObject(capability) || !isAllowed(action)) continue;
    const members = FORWARDED_MEMBERS[action].flatMap((member) => {
      const value = capability[member];
      // Neither more nor other: each set of capabilities costs a session, and nobody may make up endless ones.
      if (isJsonObject(value)) return [[member, {}] as const];
      return value === true ? [[member, true] as const] : [];
    });
    allowed[name] = Object.fromEntries(members);
  }
  return allowed;
}
