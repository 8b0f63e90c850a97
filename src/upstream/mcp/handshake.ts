import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { type Era, LATEST_LEGACY_VERSION, MODERN_VERSION, speaksLegacyVersion } from '../era.ts';
import type { Answer, Channel, RequestOptions } from './channel.ts';
import { MODERN_ERROR_CODES } from './http-status.ts';
import type { ClientInfo } from './message-dress.ts';

/** What a handshake agreed on. */
export interface Handshake {
  readonly kind: 'agreed';
  readonly era: Era;
  readonly protocolVersion: string;
  /** What the server says that it can do; empty where it does not say. */
  readonly capabilities: JsonObject;
}

/** Why there is none. `speaks` is what the failure says of the server's era, where it says anything. */
export interface FailedHandshake {
  readonly kind: 'failed';
  readonly message: string;
  readonly speaks?: Era;
  /** The HTTP status that the request was refused with, where there was one. */
  readonly status?: number;
}

export interface HandshakeOptions extends RequestOptions {
  readonly clientInfo: ClientInfo;
  /** What the server is told that the client can answer. Default: nothing. */
  readonly capabilities?: JsonObject;
}

/** `initialize` and `notifications/initialized` of 2025-11-25 and before. */
export async function shakeHandsLegacy(
  channel: Channel,
  options: HandshakeOptions,
): Promise<Handshake | FailedHandshake> {
  channel.speak('legacy', LATEST_LEGACY_VERSION);
  return finishLegacy(channel, await requestInitialize(channel, options));
}

/** Sends `initialize`; what comes is for `finishLegacy`. */
export function requestInitialize(channel: Channel, options: HandshakeOptions): Promise<Answer> {
  const { name, version } = options.clientInfo;
  const { capabilities = {} } = options;
  const params = { protocolVersion: LATEST_LEGACY_VERSION, capabilities, clientInfo: { name, version } };
  return channel.request('initialize', params, options);
}

/** Reads the answer to `initialize`, settles the revision and tells the server that the session begins. */
export async function finishLegacy(channel: Channel, answer: Answer): Promise<Handshake | FailedHandshake> {
  if (answer.kind !== 'result') return failedHandshake('initialize', answer);
  const version = answer.result.protocolVersion;
  if (typeof version !== 'string' || !speaksLegacyVersion(version, channel.transport)) {
    return { kind: 'failed', message: 'the server offers no protocol revision that the broker speaks' };
  }
  channel.speak('legacy', version);
  // Over HTTP each message has a way of its own: the first request must not come before this.
  await channel.notify('notifications/initialized');
  return { kind: 'agreed', era: 'legacy', protocolVersion: version, capabilities: capabilitiesOf(answer.result) };
}

/** `server/discover` of 2026-07-28. Dresses the channel for it; whoever falls back dresses it anew. */
export async function shakeHandsModern(
  channel: Channel,
  options: HandshakeOptions,
): Promise<Handshake | FailedHandshake> {
  channel.speak('modern', MODERN_VERSION);
  return readDiscovery(await channel.request('server/discover', {}, options));
}

function readDiscovery(answer: Answer): Handshake | FailedHandshake {
  const capabilities = answer.kind === 'result' ? capabilitiesOf(answer.result) : {};
  const agreed: Handshake = { kind: 'agreed', era: 'modern', protocolVersion: MODERN_VERSION, capabilities };
  const legacy: FailedHandshake = { kind: 'failed', message: 'the server does not know 2026-07-28', speaks: 'legacy' };
  if (answer.kind === 'result') return offersModern(answer.result.supportedVersions) ? agreed : legacy;
  if (answer.kind === 'error') {
    if (!MODERN_ERROR_CODES.has(answer.error.code)) return legacy;
    // Only a modern server has these codes; if it names what it supports, that counts.
    const supported = isJsonObject(answer.error.data) ? (answer.error.data as JsonObject).supported : undefined;
    return supported === undefined || offersModern(supported) ? agreed : legacy;
  }
  return failedHandshake('server/discover', answer);
}

function capabilitiesOf({ capabilities }: JsonObject): JsonObject {
  return isJsonObject(capabilities) ? capabilities : {};
}

function offersModern(versions: unknown): boolean {
  return Array.isArray(versions) && versions.includes(MODERN_VERSION);
}

/** 401, 403, 5xx, silence of a network and the like are never evidence of an era. */
function failedHandshake(method: string, answer: Exclude<Answer, { kind: 'result' }>): FailedHandshake {
  const other: Era = method === 'initialize' ? 'modern' : 'legacy';
  if (answer.kind === 'error') {
    return {
      kind: 'failed',
      message: `the server answered \`${method}\` with error ${answer.error.code}`,
      speaks: other,
      ...(answer.status === undefined ? {} : { status: answer.status }),
    };
  }
  const message = `\`${method}\` failed: ${answer.message}`;
  const evident = answer.why === 'session-lost' || answer.why === 'protocol';
  const status = answer.status === undefined ? {} : { status: answer.status };
  return { kind: 'failed', message, ...status, ...(evident ? { speaks: other } : {}) };
}
