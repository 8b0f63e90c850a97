import { isAtLeast, type LogLevel } from '../domain/agent-link.ts';
import type { CancelSignal } from '../lib/cancellation.ts';
import { isJsonObject } from '../lib/json.ts';
import type { Session } from './session.ts';

const SET_LEVEL_TIMEOUT_MS = 2_000;
const MAX_LEVEL_RESPONSE_BYTES = 64 * 1024;

/** The lowest level that each session was ever asked for; what an agent does not want its own link leaves out. */
const requestedLevels = new WeakMap<Session, LogLevel>();

/**
 * Asks a legacy server for the log messages that an agent wants, once for each lower level: its level is that of the whole
 * session. A server that refuses logs as it likes. Never rejects.
 */
export async function setLogLevel(session: Session, level: LogLevel, signal: CancelSignal): Promise<void> {
  const { era, capabilities } = session.negotiated;
  if (era !== 'legacy' || !isJsonObject(capabilities.logging)) return;
  const previous = requestedLevels.get(session);
  if (previous !== undefined && isAtLeast(level, previous)) return;
  requestedLevels.set(session, level);
  const limits = { signal, timeoutMs: SET_LEVEL_TIMEOUT_MS, maxBytes: MAX_LEVEL_RESPONSE_BYTES };
  await session.transport.request('logging/setLevel', { level }, limits);
}
