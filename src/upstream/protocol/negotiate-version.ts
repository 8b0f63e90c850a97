import type { Era } from '../../domain/mcp/era.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import type { ClientInfo } from './encode-request.ts';
import { MODERN_ERROR_CODES } from './http-status.ts';
import type { RequestOptions, Response, Transport } from './transport.ts';
import { LATEST_LEGACY_VERSION, MODERN_VERSION, supportsLegacyVersion } from './versions.ts';

/** Milliseconds to wait for `server/discover` over stdio before `initialize` is sent as well. */
const DISCOVER_TIMEOUT_MS = 1_500;

export interface NegotiationOptions extends InitializeOptions {
  /** The era from the settings. */
  readonly configuredEra: Era | 'auto';
  /** The era that the server had last time. */
  readonly rememberedEra?: Era;
}

/**
 * Initializes a connection in the configured or remembered era. If neither is known, it tries a modern request first and
 * then `initialize`, on the same transport, so that no process is started twice (2026-07-28, stdio and streamable HTTP,
 * "Backward compatibility"). If the server contradicts a remembered era, the era is detected again.
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

/** Over stdio, silence may mean a slow start or an old server, so both requests are sent and the first success counts. */
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

/** The result of a successful negotiation. */
export interface NegotiatedVersion {
  readonly kind: 'agreed';
  readonly era: Era;
  readonly protocolVersion: string;
  /** The server's capabilities; empty if it declares none. */
  readonly capabilities: JsonObject;
}

export interface FailedNegotiation {
  readonly kind: 'failed';
  readonly message: string;
  /** The era that the failure suggests, if it suggests one. */
  readonly suggestedEra?: Era;
  /** HTTP status of the failure, if there was one. */
  readonly status?: number;
}

export interface InitializeOptions extends RequestOptions {
  readonly clientInfo: ClientInfo;
  /** Client capabilities to declare. Default: none. */
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

/** Sends `initialize`. Pass the response to `completeInitialize`. */
export function sendInitialize(transport: Transport, options: InitializeOptions): Promise<Response> {
  const { name, version } = options.clientInfo;
  const { clientCapabilities: capabilities = {} } = options;
  const params = { protocolVersion: LATEST_LEGACY_VERSION, capabilities, clientInfo: { name, version } };
  return transport.request('initialize', params, options);
}

/** Reads the response to `initialize`, sets the revision and sends `notifications/initialized`. */
export async function completeInitialize(
  transport: Transport,
  response: Response,
): Promise<NegotiatedVersion | FailedNegotiation> {
  if (response.kind !== 'result') return failedNegotiation('initialize', response);
  const version = response.result.protocolVersion;
  if (typeof version !== 'string' || !supportsLegacyVersion(version, transport.type)) {
    return { kind: 'failed', message: 'the server offers no protocol revision that the broker supports' };
  }
  transport.setProtocolVersion('legacy', version);
  // Over HTTP every message is a request of its own, so the first call could overtake this notification.
  await transport.notify('notifications/initialized');
  return { kind: 'agreed', era: 'legacy', protocolVersion: version, capabilities: capabilitiesOf(response.result) };
}

/** Sends `server/discover` of 2026-07-28. Sets the transport to the modern era; a caller that falls back sets it again. */
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
    message: 'the server does not support 2026-07-28',
    suggestedEra: 'legacy',
  };
  if (response.kind === 'result') return supportsModern(response.result.supportedVersions) ? agreed : legacy;
  if (response.kind === 'error') {
    if (!MODERN_ERROR_CODES.has(response.error.code)) return legacy;
    // Only a modern server uses these codes. If it names its versions, they decide.
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

/** 401, 403, 5xx, timeouts and network errors are never evidence of an era. */
function failedNegotiation(method: string, response: Exclude<Response, { kind: 'result' }>): FailedNegotiation {
  const other: Era = method === 'initialize' ? 'modern' : 'legacy';
  if (response.kind === 'error') {
    return {
      kind: 'failed',
      message: `the server responded to \`${method}\` with error ${response.error.code}`,
      suggestedEra: other,
      ...(response.status === undefined ? {} : { status: response.status }),
    };
  }
  const message = `\`${method}\` failed: ${response.message}`;
  const isEvidence = response.failure === 'session-lost' || response.failure === 'protocol';
  const status = response.status === undefined ? {} : { status: response.status };
  return { kind: 'failed', message, ...status, ...(isEvidence ? { suggestedEra: other } : {}) };
}
