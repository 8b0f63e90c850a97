import type { Era } from '../era.ts';
import { LATEST_LEGACY_VERSION } from '../era.ts';
import type { Transport } from './channel.ts';
import {
  completeInitialize,
  discoverModern,
  type FailedNegotiation,
  type InitializeOptions,
  initializeLegacy,
  type NegotiatedVersion,
  sendInitialize,
} from './handshake.ts';

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
