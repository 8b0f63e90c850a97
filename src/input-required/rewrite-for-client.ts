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

/** Key of `_meta` with the registry's name of the server. */
const SERVER_META_KEY = 'dev.seneschal/server';

/**
 * Rewrites an input request for the client. The message names the server as the registry does, and the whole URL to open
 * (MCP 2025-11-25, elicitation, "Safe URL Handling"). Progress token and task are removed: they belong to the connection
 * of the server. `includeContext` is removed unless it is `none`: the client sees the broker as one server, so that it
 * would share the context of all. `elicitationId` is an id of the broker, because two servers may use the same.
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
  return `${attributed}\nThe server asks you to open this URL: ${url}${warning}`;
}

/**
 * Maps the ids of URL elicitations of one call: from that of the server to that of the broker, which the agent got. It
 * lives as long as the elicitations, so it holds nothing else of the call.
 */
export class UrlIdMap implements UrlElicitationListener {
  readonly #client: ClientContext;
  readonly #clientIds = new Map<string, string>();

  constructor(client: ClientContext) {
    this.#client = client;
  }

  /** Maps the id of a request of the server to that of the request to the client. */
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
 * Members of each capability that servers receive. `sampling.context` is left out: the client sees the broker as one
 * server, so that it would share the context of all.
 */
const FORWARDED_MEMBERS: Readonly<Record<InputRequestAction, readonly string[]>> = {
  elicit: ['form', 'url'],
  sample: ['tools'],
  roots: ['listChanged'],
};
const INPUT_ACTIONS = ['elicit', 'sample', 'roots'] as const;

/** True if a client declared a capability for any input request. */
export function canRespond(declared: JsonObject): boolean {
  return isJsonObject(declared.elicitation) || isJsonObject(declared.sampling) || isJsonObject(declared.roots);
}

/** Returns the capabilities that a tool server receives: those that the client declared and policy may allow. */
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
      // Only these values: each set of capabilities costs a session, and a client could invent any number of sets.
      if (isJsonObject(value)) return [[member, {}] as const];
      return value === true ? [[member, true] as const] : [];
    });
    allowed[name] = Object.fromEntries(members);
  }
  return allowed;
}
