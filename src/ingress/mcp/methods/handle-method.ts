import { isLogLevel } from '../../../domain/mcp/client-context.ts';
import { isJsonObject, type JsonObject } from '../../../lib/json/json.ts';
import { createLegacyClient, type LegacyClient } from '../client/legacy-client.ts';
import type { JsonRpcRequest } from '../protocol/json-rpc.ts';
import { LATEST_LEGACY_VERSION, LEGACY_VERSIONS, MODERN_VERSIONS } from '../protocol/versions.ts';
import { featureListReply, isListMethod } from './feature-list.ts';
import type { ClientSession } from './handle-call.ts';
import {
  internalErrorReply,
  invalidParamsReply,
  type Reply,
  resultReply,
  type SerializedReply,
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
