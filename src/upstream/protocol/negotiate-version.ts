import type { Era } from '../../domain/mcp/era.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import { MODERN_ERROR_CODES } from './http-status.ts';
import type { ClientInfo } from './json-rpc.ts';
import type { RequestOptions, Response, Transport } from './transport.ts';
import { LATEST_LEGACY_VERSION, MODERN_VERSION, supportsLegacyVersion } from './versions.ts';

/** How long a process may be silent about `server/discover` before `initialize` is sent after it. */
const DISCOVER_TIMEOUT_MS = 1_500;

export interface NegotiationOptions extends InitializeOptions {
  /** What the settings demand. */
  readonly configuredEra: Era | 'auto';
  /** What is remembered of the server. */
  readonly rememberedEra?: Era;
}

/**
 * Shakes hands in the era that is set or remembered, and finds it out where it is neither: a modern request first,
 * then `initialize`, on the same channel, so that no process is started twice (2026-07-28, stdio and streamable HTTP,
 * "Backward compatibility"). A remembered era that the server contradicts is found out anew.
 */
export async function negotiateVersion(
  transport: Transport,
  options: NegotiationOptions,
): Promise<NegotiatedVersion | FailedNegotiation> {
  const { configuredEra: setting, rememberedEra: remembered } = options;
  if (setting === 'legacy' || transport.type === 'sse') return initializeLegacy(transport, options);
  if (setting === 'modern') return discoverModern(transport, options);
  if (remembered === 'legacy') {
    const negotiated = await initializeLegacy(transport, options);
    return negotiated.kind === 'failed' && negotiated.suggestedEra === 'modern'
      ? discoverModern(transport, options)
      : negotiated;
  }
  return transport.type === 'stdio' && remembered === undefined
    ? negotiateOverStdio(transport, options)
    : discoverOrInitialize(transport, options);
}

async function discoverOrInitialize(
  transport: Transport,
  options: NegotiationOptions,
): Promise<NegotiatedVersion | FailedNegotiation> {
  const modern = await discoverModern(transport, options);
  return modern.kind === 'failed' && modern.suggestedEra === 'legacy' ? initializeLegacy(transport, options) : modern;
}

/** On pipes silence may be a slow start as well as an old server, so both questions are asked and either answer counts. */
async function negotiateOverStdio(
  transport: Transport,
  options: NegotiationOptions,
): Promise<NegotiatedVersion | FailedNegotiation> {
  const modern = discoverModern(transport, options);
  const first = await Promise.race([modern, discoverTimeout()]);
  if (first !== 'silent') {
    return first.kind === 'failed' && first.suggestedEra === 'legacy' ? initializeLegacy(transport, options) : first;
  }
  transport.setProtocolVersion('legacy', LATEST_LEGACY_VERSION);
  const legacy = sendInitialize(transport, options);
  const early = await Promise.race([modern, legacy]);
  if (early.kind === 'agreed') {
    transport.setProtocolVersion('modern', early.protocolVersion);
    return early;
  }
  return completeInitialize(transport, await legacy);
}

function discoverTimeout(): Promise<'silent'> {
  return new Promise((resolve) => {
    setTimeout(() => resolve('silent'), DISCOVER_TIMEOUT_MS).unref();
  });
}

/** What a handshake agreed on. */
export interface NegotiatedVersion {
  readonly kind: 'agreed';
  readonly era: Era;
  readonly protocolVersion: string;
  /** What the server says that it can do; empty where it does not say. */
  readonly capabilities: JsonObject;
}

/** Why there is none. `speaks` is what the failure says of the server's era, where it says anything. */
export interface FailedNegotiation {
  readonly kind: 'failed';
  readonly message: string;
  readonly suggestedEra?: Era;
  /** The HTTP status that the request was refused with, where there was one. */
  readonly status?: number;
}

export interface InitializeOptions extends RequestOptions {
  readonly clientInfo: ClientInfo;
  /** What the server is told that the client can answer. Default: nothing. */
  readonly clientCapabilities?: JsonObject;
}

/** `initialize` and `notifications/initialized` of 2025-11-25 and before. */
export async function initializeLegacy(
  transport: Transport,
  options: InitializeOptions,
): Promise<NegotiatedVersion | FailedNegotiation> {
  transport.setProtocolVersion('legacy', LATEST_LEGACY_VERSION);
  return completeInitialize(transport, await sendInitialize(transport, options));
}

/** Sends `initialize`; what comes is for `finishLegacy`. */
export function sendInitialize(transport: Transport, options: InitializeOptions): Promise<Response> {
  const { name, version } = options.clientInfo;
  const { clientCapabilities: capabilities = {} } = options;
  const params = { protocolVersion: LATEST_LEGACY_VERSION, capabilities, clientInfo: { name, version } };
  return transport.request('initialize', params, options);
}

/** Reads the answer to `initialize`, settles the revision and tells the server that the session begins. */
export async function completeInitialize(
  transport: Transport,
  response: Response,
): Promise<NegotiatedVersion | FailedNegotiation> {
  if (response.kind !== 'result') return failedNegotiation('initialize', response);
  const version = response.result.protocolVersion;
  if (typeof version !== 'string' || !supportsLegacyVersion(version, transport.type)) {
    return { kind: 'failed', message: 'the server offers no protocol revision that the broker speaks' };
  }
  transport.setProtocolVersion('legacy', version);
  // Over HTTP each message has a way of its own: the first request must not come before this.
  await transport.notify('notifications/initialized');
  return { kind: 'agreed', era: 'legacy', protocolVersion: version, capabilities: capabilitiesOf(response.result) };
}

/** `server/discover` of 2026-07-28. Dresses the channel for it; whoever falls back dresses it anew. */
export async function discoverModern(
  transport: Transport,
  options: InitializeOptions,
): Promise<NegotiatedVersion | FailedNegotiation> {
  transport.setProtocolVersion('modern', MODERN_VERSION);
  return parseDiscoverResult(await transport.request('server/discover', {}, options));
}

function parseDiscoverResult(response: Response): NegotiatedVersion | FailedNegotiation {
  const capabilities = response.kind === 'result' ? capabilitiesOf(response.result) : {};
  const agreed: NegotiatedVersion = { kind: 'agreed', era: 'modern', protocolVersion: MODERN_VERSION, capabilities };
  const legacy: FailedNegotiation = {
    kind: 'failed',
    message: 'the server does not know 2026-07-28',
    suggestedEra: 'legacy',
  };
  if (response.kind === 'result') return supportsModern(response.result.supportedVersions) ? agreed : legacy;
  if (response.kind === 'error') {
    if (!MODERN_ERROR_CODES.has(response.error.code)) return legacy;
    // Only a modern server has these codes; if it names what it supports, that counts.
    const supported = isJsonObject(response.error.data) ? (response.error.data as JsonObject).supported : undefined;
    return supported === undefined || supportsModern(supported) ? agreed : legacy;
  }
  return failedNegotiation('server/discover', response);
}

function capabilitiesOf({ capabilities }: JsonObject): JsonObject {
  return isJsonObject(capabilities) ? capabilities : {};
}

function supportsModern(versions: unknown): boolean {
  return Array.isArray(versions) && versions.includes(MODERN_VERSION);
}

/** 401, 403, 5xx, silence of a network and the like are never evidence of an era. */
function failedNegotiation(method: string, response: Exclude<Response, { kind: 'result' }>): FailedNegotiation {
  const other: Era = method === 'initialize' ? 'modern' : 'legacy';
  if (response.kind === 'error') {
    return {
      kind: 'failed',
      message: `the server answered \`${method}\` with error ${response.error.code}`,
      suggestedEra: other,
      ...(response.status === undefined ? {} : { status: response.status }),
    };
  }
  const message = `\`${method}\` failed: ${response.message}`;
  const isEvidence = response.failure === 'session-lost' || response.failure === 'protocol';
  const status = response.status === undefined ? {} : { status: response.status };
  return { kind: 'failed', message, ...status, ...(isEvidence ? { suggestedEra: other } : {}) };
}
