import type { CallReply, CallRequest } from '../../../broker/broker.ts';
import type { CallContext } from '../../../domain/call.ts';
import { type ClientContext, isLogLevel } from '../../../domain/mcp/client-context.ts';
import type { Era } from '../../../domain/mcp/era.ts';
import type { Refusal } from '../../../domain/outcome.ts';
import type { Principal } from '../../../domain/principal.ts';
import type { FeatureKind, ViewName } from '../../../domain/target.ts';
import type { CancelSignal } from '../../../lib/cancellation.ts';
import { isJsonObject, type JsonObject } from '../../../lib/json/json.ts';
import { createLegacyClient, type LegacyClient } from '../client/legacy-client.ts';
import { encodeResourceUpdated } from '../client/resource-subscriptions.ts';
import type { RequestId, RpcMessage } from '../protocol/json-rpc.ts';
import { INTERNAL_ERROR, INVALID_PARAMS } from '../protocol/json-rpc.ts';
import { LATEST_LEGACY_VERSION, LEGACY_VERSIONS, META_SERVER_INFO, MODERN_VERSIONS } from '../protocol/versions.ts';
import { toLegacyList } from './legacy-tools.ts';
import { replyToNonToolCall } from './non-tool-replies.ts';
import { parseCall } from './parse-call.ts';
import {
  errorReply,
  invalidParamsReply,
  type Reply,
  replyToToolCall,
  resultReply,
  type SerializedReply,
  serializeId,
  unknownMethodReply,
} from './replies.ts';
import type { McpServices } from './services.ts';

/** Who speaks, over what: the same for every request of a session, made anew for each stateless one. */
export interface ClientSession {
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
export interface IncomingCall {
  readonly request: RpcRequest;
  readonly signal: CancelSignal;
  /** The HTTP header `traceparent`, which the body overrides. */
  readonly traceHeader?: string | undefined;
  readonly clientContext?: ClientContext | undefined;
}

/** Walks one governed request. Never rejects. */
export async function handleCall(
  services: McpServices,
  clientSession: ClientSession,
  { request, signal, traceHeader, clientContext }: IncomingCall,
): Promise<Reply> {
  const parsed = parseCall(request.method, request.params);
  if (typeof parsed === 'string') return rejectParams(services, clientSession, [request.id, parsed]);
  const { operation, name, args } = parsed;
  // In the legacy era these members mean nothing.
  const resumption = clientSession.era === 'modern' ? parsed.resumption : undefined;
  const { _meta: meta } = request.params;
  const traceparent = (isJsonObject(meta) ? meta.traceparent : undefined) ?? traceHeader;
  const context =
    typeof traceparent === 'string' && TRACEPARENT.test(traceparent)
      ? { ...clientSession.context, traceparent: traceparent }
      : clientSession.context;
  try {
    const { principal, view } = clientSession;
    const callRequest = { principal, operation, exposedName: name, args, context, resumption, view };
    const reply =
      operation.action === 'subscribe'
        ? await handleSubscribe(services, clientSession, { callRequest, signal })
        : await services.broker.call(callRequest, { signal, clientContext });
    const toReply = operation.kind === 'tool' ? replyToToolCall : replyToNonToolCall;
    const response = toReply(reply, { id: request.id, operation, name }, replyStyle(services, clientSession.era));
    return isOverload(reply) ? { ...response, status: 503, retryAfterMs: reply.outcome.retryAfterMs ?? 0 } : response;
  } catch (error) {
    services.log.error('ingress.failed', { method: request.method, error: errorName(error) });
    return internalErrorReply(request.id);
  }
}

/** A refusal that is not of this call but of the moment: proxies and clients of HTTP are to know it as that. */
function isOverload(reply: CallReply): reply is CallReply & { readonly outcome: Refusal } {
  const { outcome } = reply;
  return outcome.kind === 'refused' && outcome.reason === 'overloaded' && outcome.visible;
}

/** Subscribes a legacy session to a resource; it holds what came of it. */
async function handleSubscribe(
  { broker }: McpServices,
  { client }: ClientSession,
  { callRequest, signal }: { readonly callRequest: CallRequest; readonly signal: CancelSignal },
): Promise<CallReply> {
  const { exposedName } = callRequest;
  const subscription = await broker.subscribe(callRequest, {
    signal,
    onUpdated: (uri) => client?.notify(encodeResourceUpdated(uri)),
  });
  if (subscription.end !== undefined) client?.subscriptions.add(exposedName, subscription.end);
  return subscription;
}

/** Answers any request but the governed ones, `initialize` on HTTP and `subscriptions/listen`, which their doors look after. */
export function handleOther(
  services: McpServices,
  clientSession: ClientSession,
  request: RpcRequest,
): Reply | SerializedReply {
  const { era } = clientSession;
  try {
    if (Object.hasOwn(LIST_METHODS, request.method)) return handleList(services, clientSession, request);
    if (request.method === 'logging/setLevel' && era === 'legacy')
      return handleSetLogLevel(services, clientSession, request);
    if (request.method === 'resources/unsubscribe' && era === 'legacy')
      return handleUnsubscribe(services, clientSession, request);
    if (request.method === 'ping' && era === 'legacy') return resultReply(request.id, {}, replyStyle(services, era));
    if (request.method === 'server/discover' && era === 'modern')
      return handleDiscover(services, clientSession, request);
    return unknownMethodReply(request.id, era);
  } catch (error) {
    services.log.error('ingress.failed', { method: request.method, error: errorName(error) });
    return internalErrorReply(request.id);
  }
}

/** The answer to `initialize`, or undefined when its parameters are not those of one. */
export function initializeResult(
  params: JsonObject,
  services: McpServices,
  clientSession: Pick<ClientSession, 'principal' | 'view'>,
): { readonly protocolVersion: string; readonly result: JsonObject; readonly client: LegacyClient } | undefined {
  const { protocolVersion: requested, capabilities, clientInfo } = params;
  if (typeof requested !== 'string' || !isJsonObject(capabilities) || !isJsonObject(clientInfo)) return undefined;
  const protocolVersion = LEGACY_VERSIONS.includes(requested) ? requested : LATEST_LEGACY_VERSION;
  return {
    protocolVersion,
    client: createLegacyClient(capabilities),
    result: {
      protocolVersion,
      capabilities: capabilitiesFor(services, clientSession),
      serverInfo: services.serverInfo,
    },
  };
}

/** What an answer says when a defect of ours ended it: nothing of the defect. */
export function internalErrorReply(id: RequestId | undefined): Reply {
  return errorReply(id, { code: INTERNAL_ERROR, message: 'Internal error' }, 500);
}

/** The class of what was thrown: a message could hold what may not be logged. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

function replyStyle(services: McpServices, era: Era): { readonly era: Era; readonly serverInfo: JsonObject } {
  return { era, serverInfo: services.serverInfo };
}

async function rejectParams(
  { broker }: McpServices,
  { principal, context }: ClientSession,
  [id, problem]: readonly [RequestId, string],
): Promise<Reply> {
  await broker.recordMalformed({ principal, context, code: INVALID_PARAMS, problem });
  return invalidParamsReply(id, `Invalid params: ${problem}`);
}

function handleDiscover(services: McpServices, clientSession: ClientSession, request: RpcRequest): Reply {
  const result: JsonObject = {
    supportedVersions: MODERN_VERSIONS,
    capabilities: capabilitiesFor(services, clientSession),
    ttlMs: services.listTtlMs,
    cacheScope: 'private',
  };
  return resultReply(request.id, result, replyStyle(services, 'modern'));
}

/** Tools, and of the other surfaces those that there are for the principal. */
function capabilitiesFor(
  { broker }: McpServices,
  { principal, view }: Pick<ClientSession, 'principal' | 'view'>,
): JsonObject {
  const { prompts, resources, completions, subscriptions } = broker.visibleLists.capabilitiesOf(principal, view);
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
const LIST_METHODS: Readonly<Record<string, { readonly kind: FeatureKind; readonly member: string }>> = {
  'tools/list': { kind: 'tool', member: 'tools' },
  'prompts/list': { kind: 'prompt', member: 'prompts' },
  'resources/list': { kind: 'resource', member: 'resources' },
  'resources/templates/list': { kind: 'template', member: 'resourceTemplates' },
};

function handleList(services: McpServices, clientSession: ClientSession, request: RpcRequest): Reply | SerializedReply {
  const listMethod = LIST_METHODS[request.method];
  const { cursor } = request.params;
  if (listMethod === undefined || (cursor !== undefined && typeof cursor !== 'string'))
    return invalidCursor(request.id);
  const { principal, era, view } = clientSession;
  const list = services.broker.visibleLists.list(principal, listMethod.kind, view);
  const listForEra = era === 'legacy' && listMethod.kind === 'tool' ? toLegacyList(list) : list;
  const page = services.paginator.page(listForEra, principal.id, cursor);
  if (!page) return invalidCursor(request.id);
  // Written by hand: the offers are printed already. They come last, so that what differs is one short text before them.
  let head = `{"jsonrpc":"2.0","id":${serializeId(request.id)},"result":{`;
  if (era === 'modern') {
    const meta = JSON.stringify({ [META_SERVER_INFO]: services.serverInfo });
    head += `"resultType":"complete","ttlMs":${services.listTtlMs},"cacheScope":"private","_meta":${meta},`;
  }
  if (page.nextCursor !== undefined) head += `"nextCursor":${JSON.stringify(page.nextCursor)},`;
  return { head: `${head}"${listMethod.member}":`, serialized: page.features, tail: '}}' };
}

/** Ends a subscription. One that there never was is ended too: whoever asks learns nothing of what there is. */
function handleUnsubscribe(services: McpServices, { client }: ClientSession, request: RpcRequest): Reply {
  const { uri } = request.params;
  if (typeof uri !== 'string') return invalidParamsReply(request.id, 'Invalid params: `uri` is not a string');
  client?.subscriptions.remove(uri);
  return resultReply(request.id, {}, replyStyle(services, 'legacy'));
}

/** Keeps what the client of a legacy session wants to be told from now on (2025-11-25, server/utilities/logging). */
function handleSetLogLevel(services: McpServices, { client }: ClientSession, request: RpcRequest): Reply {
  const { level } = request.params;
  if (client === undefined || !isLogLevel(level)) {
    return invalidParamsReply(request.id, 'Invalid params: `level` is not a log level');
  }
  client.logLevel = level;
  return resultReply(request.id, {}, replyStyle(services, 'legacy'));
}

function invalidCursor(id: RequestId): Reply {
  return invalidParamsReply(id, 'Invalid params: the cursor is not valid for this list; list again without it');
}
