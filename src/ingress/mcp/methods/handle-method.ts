import { isLogLevel } from '../../../domain/mcp/client-context.ts';
import type { FeatureKind } from '../../../domain/target.ts';
import { isJsonObject, type JsonObject } from '../../../lib/json/json.ts';
import { createLegacyClient, type LegacyClient } from '../client/legacy-client.ts';
import type { JsonRpcRequest, RequestId } from '../protocol/json-rpc.ts';
import { LATEST_LEGACY_VERSION, LEGACY_VERSIONS, META_SERVER_INFO, MODERN_VERSIONS } from '../protocol/versions.ts';
import type { ClientSession } from './handle-call.ts';
import { toLegacyToolList } from './legacy-tools.ts';
import {
  internalErrorReply,
  invalidParamsReply,
  type Reply,
  resultReply,
  type SerializedReply,
  serializeId,
  unknownMethodReply,
} from './reply.ts';
import { errorName, type McpServices } from './services.ts';

type Handler = (services: McpServices, clientSession: ClientSession, request: JsonRpcRequest) => Reply;

const MODERN_HANDLERS: Readonly<Record<string, Handler>> = { 'server/discover': handleDiscover };

const LEGACY_HANDLERS: Readonly<Record<string, Handler>> = {
  ping: ({ serverInfo }, _, { id }) => resultReply(id, {}, { era: 'legacy', serverInfo }),
  'logging/setLevel': handleSetLogLevel,
  'resources/unsubscribe': handleUnsubscribe,
};

/**
 * Serves a method that the broker answers itself. Calls (`parseCall`), `initialize` and `subscriptions/listen` depend on
 * the transport and do not come here.
 */
export function handleMethod(
  services: McpServices,
  clientSession: ClientSession,
  request: JsonRpcRequest,
): Reply | SerializedReply {
  const { id, method } = request;
  const { era } = clientSession;
  const handlers = era === 'modern' ? MODERN_HANDLERS : LEGACY_HANDLERS;
  try {
    if (isListMethod(method)) return featureListReply(services, clientSession, request);
    const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined;
    return handler === undefined ? unknownMethodReply(id, era) : handler(services, clientSession, request);
  } catch (error) {
    services.log.error('ingress.failed', { method, error: errorName(error) });
    return internalErrorReply(id);
  }
}

/** Negotiates a legacy session from the parameters of `initialize`. @returns undefined if they are invalid. */
export function initializeLegacy(
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
      capabilities: serverCapabilities(services, clientSession),
      serverInfo: services.serverInfo,
    },
  };
}

/** Problem with an `initialize` for which `initializeLegacy` returned undefined. */
export const INVALID_INITIALIZE = 'Invalid params: `protocolVersion`, `capabilities` and `clientInfo` are required';

function handleDiscover(services: McpServices, clientSession: ClientSession, { id }: JsonRpcRequest): Reply {
  const result: JsonObject = {
    supportedVersions: MODERN_VERSIONS,
    capabilities: serverCapabilities(services, clientSession),
    ttlMs: services.listTtlMs,
    cacheScope: 'private',
  };
  return resultReply(id, result, { era: 'modern', serverInfo: services.serverInfo });
}

/** Capabilities for one principal: `tools` and `logging` always, the others if the principal can see such a feature. */
function serverCapabilities(
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

/** Sets the minimum level of log messages for a legacy session (2025-11-25, server/utilities/logging). */
function handleSetLogLevel({ serverInfo }: McpServices, { client }: ClientSession, request: JsonRpcRequest): Reply {
  const { level } = request.params;
  if (client === undefined || !isLogLevel(level)) {
    return invalidParamsReply(request.id, 'Invalid params: `level` is not a log level');
  }
  client.logLevel = level;
  return resultReply(request.id, {}, { era: 'legacy', serverInfo });
}

/** Ends a subscription. Succeeds without one too, so that the client does not learn which resources exist. */
function handleUnsubscribe({ serverInfo }: McpServices, { client }: ClientSession, request: JsonRpcRequest): Reply {
  const { uri } = request.params;
  if (typeof uri !== 'string') return invalidParamsReply(request.id, 'Invalid params: `uri` is not a string');
  client?.subscriptions.remove(uri);
  return resultReply(request.id, {}, { era: 'legacy', serverInfo });
}

/** The list methods, each with the kind of its features and the member of the result that holds them. */
const LIST_METHODS: Readonly<Record<string, { readonly kind: FeatureKind; readonly member: string }>> = {
  'tools/list': { kind: 'tool', member: 'tools' },
  'prompts/list': { kind: 'prompt', member: 'prompts' },
  'resources/list': { kind: 'resource', member: 'resources' },
  'resources/templates/list': { kind: 'template', member: 'resourceTemplates' },
};

export function isListMethod(method: string): boolean {
  return Object.hasOwn(LIST_METHODS, method);
}

/** Serves a list method: one page of the features that the principal can see. */
export function featureListReply(
  services: McpServices,
  { principal, era, view }: ClientSession,
  request: JsonRpcRequest,
): Reply | SerializedReply {
  const listMethod = LIST_METHODS[request.method];
  const { cursor } = request.params;
  if (listMethod === undefined || (cursor !== undefined && typeof cursor !== 'string')) {
    return invalidCursorReply(request.id);
  }
  const list = services.broker.visibleLists.list(principal, listMethod.kind, view);
  const listForEra = era === 'legacy' && listMethod.kind === 'tool' ? toLegacyToolList(list) : list;
  const page = services.paginator.page(listForEra, principal.id, cursor);
  if (!page) return invalidCursorReply(request.id);
  // The features are serialized already. They come last, so that everything else is one short text before them.
  let head = `{"jsonrpc":"2.0","id":${serializeId(request.id)},"result":{`;
  if (era === 'modern') {
    const meta = JSON.stringify({ [META_SERVER_INFO]: services.serverInfo });
    head += `"resultType":"complete","ttlMs":${services.listTtlMs},"cacheScope":"private","_meta":${meta},`;
  }
  if (page.nextCursor !== undefined) head += `"nextCursor":${JSON.stringify(page.nextCursor)},`;
  return { head: `${head}"${listMethod.member}":`, serialized: page.features, tail: '}}' };
}

function invalidCursorReply(id: RequestId): Reply {
  return invalidParamsReply(id, 'Invalid params: the cursor is not valid for this list; list again without it');
}
