import { isAtLeast, type LogLevel } from '../domain/agent-link.ts';
import type { CancelSignal } from '../lib/cancellation.ts';
import { isJsonObject } from '../lib/json.ts';
import type { Session } from './session.ts';

const PATIENCE_MS = 2_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** The lowest level that each session was ever asked for; what an agent does not want its own link leaves out. */
const asked = new WeakMap<Session, LogLevel>();

/**
 * Asks a legacy server for the log messages that an agent wants, once for each lower level: its level is that of the whole
 * session. A server that refuses logs as it likes. Never rejects.
 */
export async function askForLogs(session: Session, level: LogLevel, signal: CancelSignal): Promise<void> {
  const { era, capabilities } = session.hands;
  if (era !== 'legacy' || !isJsonObject(capabilities.logging)) return;
  const before = asked.get(session);
  if (before !== undefined && isAtLeast(level, before)) return;
  asked.set(session, level);
  const limits = { signal, timeoutMs: PATIENCE_MS, maxBytes: MAX_ANSWER_BYTES };
  await session.channel.request('logging/setLevel', { level }, limits);
}
