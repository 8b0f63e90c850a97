import type { Era } from '../era.ts';
import { LATEST_LEGACY_VERSION } from '../era.ts';
import type { Channel } from './channel.ts';
import {
  type FailedHandshake,
  finishLegacy,
  type Handshake,
  type HandshakeOptions,
  requestInitialize,
  shakeHandsLegacy,
  shakeHandsModern,
} from './handshake.ts';

/** How long a process may be silent about `server/discover` before `initialize` is sent after it. */
const SILENCE_MS = 1_500;

export interface FindEraOptions extends HandshakeOptions {
  /** What the settings demand. */
  readonly setting: Era | 'auto';
  /** What is remembered of the server. */
  readonly remembered?: Era;
}

/**
 * Shakes hands in the era that is set or remembered, and finds it out where it is neither: a modern request first,
 * then `initialize`, on the same channel, so that no process is started twice (2026-07-28, stdio and streamable HTTP,
 * "Backward compatibility"). A remembered era that the server contradicts is found out anew.
 */
export async function agreeOnEra(channel: Channel, options: FindEraOptions): Promise<Handshake | FailedHandshake> {
  const { setting, remembered } = options;
  if (setting === 'legacy' || channel.transport === 'sse') return shakeHandsLegacy(channel, options);
  if (setting === 'modern') return shakeHandsModern(channel, options);
  if (remembered === 'legacy') {
    const hands = await shakeHandsLegacy(channel, options);
    return hands.kind === 'failed' && hands.speaks === 'modern' ? shakeHandsModern(channel, options) : hands;
  }
  return channel.transport === 'stdio' && remembered === undefined
    ? findOnPipes(channel, options)
    : discoverOrInitialize(channel, options);
}

async function discoverOrInitialize(channel: Channel, options: FindEraOptions): Promise<Handshake | FailedHandshake> {
  const modern = await shakeHandsModern(channel, options);
  return modern.kind === 'failed' && modern.speaks === 'legacy' ? shakeHandsLegacy(channel, options) : modern;
}

/** On pipes silence may be a slow start as well as an old server, so both questions are asked and either answer counts. */
async function findOnPipes(channel: Channel, options: FindEraOptions): Promise<Handshake | FailedHandshake> {
  const modern = shakeHandsModern(channel, options);
  const first = await Promise.race([modern, silence()]);
  if (first !== 'silent') {
    return first.kind === 'failed' && first.speaks === 'legacy' ? shakeHandsLegacy(channel, options) : first;
  }
  channel.speak('legacy', LATEST_LEGACY_VERSION);
  const legacy = requestInitialize(channel, options);
  const early = await Promise.race([modern, legacy]);
  if (early.kind === 'agreed') {
    channel.speak('modern', early.protocolVersion);
    return early;
  }
  return finishLegacy(channel, await legacy);
}

function silence(): Promise<'silent'> {
  return new Promise((resolve) => {
    setTimeout(() => resolve('silent'), SILENCE_MS).unref();
  });
}
