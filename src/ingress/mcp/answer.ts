import type { CallReply, CallRequest } from '../../broker/broker.ts';
import { type AgentLink, isLogLevel } from '../../domain/agent-link.ts';
import type { CallContext } from '../../domain/call.ts';
import type { Refusal } from '../../domain/outcome.ts';
import type { Principal } from '../../domain/principal.ts';
import type { OfferKind } from '../../domain/target.ts';
import type { ViewName } from '../../domain/view-name.ts';
import type { CancelSignal } from '../../lib/cancellation.ts';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { RequestId, RpcMessage } from './envelope.ts';
import { readGoverned } from './governed-request.ts';
import { updatedText } from './held-resources.ts';
import { type LegacyClient, legacyClient } from './legacy-client.ts';
import { legacyList } from './legacy-tools.ts';
import type { Era } from './modern-envelope.ts';
import { replyToOther } from './other-replies.ts';
import {
  errorReply,
  idJson,
  invalidParamsReply,
  type PrintedReply,
  type Reply,
  replyToCall,
  resultReply,
  unknownMethodReply,
} from './replies.ts';
import { LEGACY_REVISIONS, META_SERVER_INFO, MODERN_REVISIONS, NEWEST_LEGACY_REVISION } from './revisions.ts';
import { INTERNAL_ERROR, INVALID_PARAMS } from './rpc-error.ts';
import type { McpServices } from './services.ts';

/** Who speaks, over what: the same for every request of a session, made anew for each stateless one. */
export interface Conversation {
  readonly principal: Principal;
  readonly era: Era;
  readonly context: CallContext;
  /** The part of the whole that it is about. Default: the whole. */
  readonly view?: ViewName | undefined;
  /** What the client said of itself before; only the legacy era has that. */
  readonly client?: LegacyClient | undefined;
}

/** A message with an id. */
export interface RpcRequest extends RpcMessage {
  readonly id: RequestId;
}

export function isRequest(message: RpcMessage): message is RpcRequest {
  return message.id !== undefined;
}

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** How a governed request came. */
export interface GovernedCall {
  readonly request: RpcRequest;
  readonly signal: CancelSignal;
  /** The HTTP header `traceparent`, which the body overrides. */
  readonly traceHeader?: string | undefined;
  readonly link?: AgentLink | undefined;
}

/** Walks one governed request. Never rejects. */
export async function answerCall(
  services: McpServices,
  conversation: Conversation,
  { request, signal, traceHeader, link }: GovernedCall,
): Promise<Reply> {
  const governed = readGoverned(request.method, request.params);
  if (typeof governed === 'string') return refuseParams(services, conversation, [request.id, governed]);
  const { verb, name, args } = governed;
  // In the legacy era these members mean nothing.
  const resumption = conversation.era === 'modern' ? governed.resumption : undefined;
  const { _meta: meta } = request.params;
  const sent = (isJsonObject(meta) ? meta.traceparent : undefined) ?? traceHeader;
  const context =
    typeof sent === 'string' && TRACEPARENT.test(sent)
      ? { ...conversation.context, traceparent: sent }
      : conversation.context;
  try {
    const { principal, view } = conversation;
    const asked = { principal, verb, exposedName: name, args, context, resumption, view };
    const reply =
      verb.action === 'subscribe'
        ? await subscribe(services, conversation, { asked, signal })
        : await services.broker.call(asked, { signal, link });
    const toReply = verb.kind === 'tool' ? replyToCall : replyToOther;
    const answer = toReply(reply, { id: request.id, verb, name }, styleOf(services, conversation.era));
    return isOverload(reply) ? { ...answer, status: 503, retryAfterMs: reply.outcome.retryAfterMs ?? 0 } : answer;
  } catch (error) {
    services.log.error('ingress.failed', { method: request.method, error: nameOf(error) });
    return internalErrorReply(request.id);
  }
}

/** A refusal that is not of this call but of the moment: proxies and clients of HTTP are to know it as that. */
function isOverload(reply: CallReply): reply is CallReply & { readonly outcome: Refusal } {
  const { outcome } = reply;
  return outcome.kind === 'refused' && outcome.reason === 'overloaded' && outcome.visible;
}

/** Subscribes a legacy session to a resource; it holds what came of it. */
async function subscribe(
  { broker }: McpServices,
  { client }: Conversation,
  { asked, signal }: { readonly asked: CallRequest; readonly signal: CancelSignal },
): Promise<CallReply> {
  const { exposedName } = asked;
  const subscribed = await broker.subscribe(asked, { signal, onUpdated: (uri) => client?.push(updatedText(uri)) });
  if (subscribed.end !== undefined) client?.held.hold(exposedName, subscribed.end);
  return subscribed;
}

/** Answers any request but the governed ones, `initialize` on HTTP and `subscriptions/listen`, which their doors look after. */
export function answerOther(
  services: McpServices,
  conversation: Conversation,
  request: RpcRequest,
): Reply | PrintedReply {
  const { era } = conversation;
  try {
    if (Object.hasOwn(LISTS, request.method)) return answerList(services, conversation, request);
    if (request.method === 'logging/setLevel' && era === 'legacy') return setLogLevel(services, conversation, request);
    if (request.method === 'resources/unsubscribe' && era === 'legacy')
      return unsubscribe(services, conversation, request);
    if (request.method === 'ping' && era === 'legacy') return resultReply(request.id, {}, styleOf(services, era));
    if (request.method === 'server/discover' && era === 'modern')
      return answerDiscover(services, conversation, request);
    return unknownMethodReply(request.id, era);
  } catch (error) {
    services.log.error('ingress.failed', { method: request.method, error: nameOf(error) });
    return internalErrorReply(request.id);
  }
}

/** The answer to `initialize`, or undefined when its parameters are not those of one. */
export function initializeResult(
  params: JsonObject,
  services: McpServices,
  who: Pick<Conversation, 'principal' | 'view'>,
): { readonly protocolVersion: string; readonly result: JsonObject; readonly client: LegacyClient } | undefined {
  const { protocolVersion: requested, capabilities, clientInfo } = params;
  if (typeof requested !== 'string' || !isJsonObject(capabilities) || !isJsonObject(clientInfo)) return undefined;
  const protocolVersion = LEGACY_REVISIONS.includes(requested) ? requested : NEWEST_LEGACY_REVISION;
  return {
    protocolVersion,
    client: legacyClient(capabilities),
    result: { protocolVersion, capabilities: capabilitiesFor(services, who), serverInfo: services.serverInfo },
  };
}

/** What an answer says when a defect of ours ended it: nothing of the defect. */
export function internalErrorReply(id: RequestId | undefined): Reply {
  return errorReply(id, { code: INTERNAL_ERROR, message: 'Internal error' }, 500);
}

/** The class of what was thrown: a message could hold what may not be logged. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

function styleOf(services: McpServices, era: Era): { readonly era: Era; readonly serverInfo: JsonObject } {
  return { era, serverInfo: services.serverInfo };
}

async function refuseParams(
  { broker }: McpServices,
  { principal, context }: Conversation,
  [id, problem]: readonly [RequestId, string],
): Promise<Reply> {
  await broker.recordMalformed({ principal, context, code: INVALID_PARAMS, problem });
  return invalidParamsReply(id, `Invalid params: ${problem}`);
}

function answerDiscover(services: McpServices, conversation: Conversation, request: RpcRequest): Reply {
  const result: JsonObject = {
    supportedVersions: MODERN_REVISIONS,
    capabilities: capabilitiesFor(services, conversation),
    ttlMs: services.listTtlMs,
    cacheScope: 'private',
  };
  return resultReply(request.id, result, styleOf(services, 'modern'));
}

/** Tools, and of the other surfaces those that there are for the principal. */
function capabilitiesFor(
  { broker }: McpServices,
  { principal, view }: Pick<Conversation, 'principal' | 'view'>,
): JsonObject {
  const { prompts, resources, completions, subscriptions } = broker.surfacesOf(principal, view);
  return {
    tools: { listChanged: true },
    logging: {},
    ...(prompts ? { prompts: { listChanged: true } } : {}),
    ...(resources || subscriptions
      ? { resources: { listChanged: true, ...(subscriptions ? { subscribe: true } : {}) } }
      : {}),
    ...(completions ? { completions: {} } : {}),
  };
}

/** The methods that list, each with what it lists and the member that holds it. */
const LISTS: Readonly<Record<string, { readonly kind: OfferKind; readonly member: string }>> = {
  'tools/list': { kind: 'tool', member: 'tools' },
  'prompts/list': { kind: 'prompt', member: 'prompts' },
  'resources/list': { kind: 'resource', member: 'resources' },
  'resources/templates/list': { kind: 'template', member: 'resourceTemplates' },
};

function answerList(services: McpServices, conversation: Conversation, request: RpcRequest): Reply | PrintedReply {
  const listed = LISTS[request.method];
  const { cursor } = request.params;
  if (listed === undefined || (cursor !== undefined && typeof cursor !== 'string')) return invalidCursor(request.id);
  const { principal, era, view } = conversation;
  const list = services.broker.list(principal, listed.kind, view);
  const shown = era === 'legacy' && listed.kind === 'tool' ? legacyList(list) : list;
  const page = services.pages.page(shown, principal.id, cursor);
  if (!page) return invalidCursor(request.id);
  // Written by hand: the offers are printed already. They come last, so that what differs is one short text before them.
  let head = `{"jsonrpc":"2.0","id":${idJson(request.id)},"result":{`;
  if (era === 'modern') {
    const meta = JSON.stringify({ [META_SERVER_INFO]: services.serverInfo });
    head += `"resultType":"complete","ttlMs":${services.listTtlMs},"cacheScope":"private","_meta":${meta},`;
  }
  if (page.nextCursor !== undefined) head += `"nextCursor":${JSON.stringify(page.nextCursor)},`;
  return { head: `${head}"${listed.member}":`, printed: page.offers, tail: '}}' };
}

/** Ends a subscription. One that there never was is ended too: whoever asks learns nothing of what there is. */
function unsubscribe(services: McpServices, { client }: Conversation, request: RpcRequest): Reply {
  const { uri } = request.params;
  if (typeof uri !== 'string') return invalidParamsReply(request.id, 'Invalid params: `uri` is not a string');
  client?.held.release(uri);
  return resultReply(request.id, {}, styleOf(services, 'legacy'));
}

/** Keeps what the client of a legacy session wants to be told from now on (2025-11-25, server/utilities/logging). */
function setLogLevel(services: McpServices, { client }: Conversation, request: RpcRequest): Reply {
  const { level } = request.params;
  if (client === undefined || !isLogLevel(level)) {
    return invalidParamsReply(request.id, 'Invalid params: `level` is not a log level');
  }
  client.logLevel = level;
  return resultReply(request.id, {}, styleOf(services, 'legacy'));
}

function invalidCursor(id: RequestId): Reply {
  return invalidParamsReply(id, 'Invalid params: the cursor is not valid for this list; list again without it');
}
