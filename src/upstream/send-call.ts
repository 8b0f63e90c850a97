import { setTimeout as pause } from 'node:timers/promises';
import type { AgentLink } from '../domain/agent-link.ts';
import type { CancelSignal } from '../lib/cancellation.ts';
import type { JsonObject } from '../lib/json.ts';
import type { AskedCall, Sent } from './asked-call.ts';
import { type Breaker, evidenceOf } from './breaker.ts';
import { driftPosture, isSessionGone, mayBeSentAgain, overBefore } from './call-again.ts';
import { CallListener } from './call-listener.ts';
import { capabilityMissing, dispatchResultOf, notSent } from './failed-call.ts';
import { askForLogs } from './log-level.ts';
import type { Answer, RequestListener, RequestOptions } from './mcp/channel.ts';
import type { Outgoing } from './outgoing.ts';
import type { FailedSession, Session, SessionHost } from './session.ts';
import type { CallOptions } from './slot-events.ts';

/** The longest that a timer can wait: a call whose server may ask has a deadline of its own. */
const NO_TIMEOUT_MS = 2_147_483_647;

/** A server takes roots in by looking at the directories; nothing tells when it has. */
const TAKE_IN_MS = 100;

/** How long a server has to ask for roots that are new to it before the call goes out all the same. */
const ROOTS_PATIENCE_MS = 250;

/** What surrounds one sending of a call. */
export interface SendOptions extends Pick<CallOptions, 'signal' | 'link'> {
  readonly asked?: AskedCall;
}

/** How a call is asked for: its header fields are those of its target. */
export type AskOptions = Omit<RequestOptions, 'headers' | 'isOpenEnded'>;

/** The place of a session, as a call sees it. */
export interface CallPlace {
  readonly host: SessionHost;
  readonly breaker: Breaker;
  /** What its sessions are told that the client can answer. */
  readonly told: JsonObject;
  readonly session: Session | undefined;
  readonly activeCalls: number;
  open(): Promise<Session | FailedSession>;
  drop(session: Session): Promise<void>;
  ask(session: Session, outgoing: Outgoing, options: AskOptions): Promise<Answer>;
  /** True once after the roots of its client changed: the server is told when a call can answer what it then asks. */
  takeRootsNews(): boolean;
  readonly noteDropped: () => void;
}

/** Sends one call. Never rejects; a lost session is opened again once, and the call sent again where that is safe. */
export async function sendCall(place: CallPlace, outgoing: Outgoing, options: SendOptions): Promise<Sent> {
  const { target } = outgoing;
  const { signal, asked } = options;
  let deadlineMs: number | undefined;
  const openBefore = place.session;
  let isRenewed = false;
  for (let attempt = 1; ; attempt += 1) {
    const session = place.session ?? (await openWhile(place, signal));
    if (session === 'over') return { came: overBefore(signal) };
    if (session.kind === 'failed') {
      const message = `\`${target.server}\`: ${session.message}`;
      return { came: notSent('upstream-unavailable', message, session.retryAfterMs) };
    }
    if (!session.declares(target)) {
      const lacking = session.lists(target) ? {} : lackingOf(place);
      if (Object.keys(lacking).length > 0) return { came: capabilityMissing(lacking, false) };
      // Definitions that were agreed to after this session was opened are those of a newer process.
      if (attempt === 1 && place.activeCalls === 1 && session === openBefore) {
        await place.drop(session);
        continue;
      }
      return { came: notSent(driftPosture.yields, `the ${target.kind} is no longer what was agreed to`) };
    }
    const { link } = options;
    const listener = link && (await prepare(place, session, { signal, link, asked, before: openBefore }));
    const nowMs = place.host.clock.monotonicMs();
    deadlineMs ??= nowMs + target.timeoutMs;
    asked?.deadline.begin(target.timeoutMs);
    const { aliveCount } = place.breaker;
    const { era } = session.hands;
    const answer = await place.ask(session, outgoing, {
      signal,
      timeoutMs: asked === undefined ? Math.max(1, deadlineMs - nowMs) : NO_TIMEOUT_MS,
      maxBytes: target.maxResultBytes,
      listener,
    });
    noteAnswer(place, answer, aliveCount);
    if (isSessionGone(answer)) void place.drop(session);
    const isForgotten = answer.kind === 'failed' && answer.why === 'session-lost';
    // A connection that broke may be followed by a session that is gone: each is mended once.
    const again = (isForgotten ? !isRenewed : attempt === 1) && mayBeSentAgain(answer, outgoing) && !signal.aborted;
    isRenewed ||= isForgotten;
    if (!again) return { came: dispatchResultOf(answer, era), answer, era };
  }
}

interface Preparation extends Pick<SendOptions, 'signal'> {
  readonly link: AgentLink;
  readonly asked: AskedCall | undefined;
  /** The session that was open when the call came. */
  readonly before: Session | undefined;
}

/** Whatever has to be so before the call goes out, and who hears of it. */
async function prepare(
  place: CallPlace,
  session: Session,
  { signal, link, asked, before }: Preparation,
): Promise<RequestListener> {
  const { maxNotifications, sharing } = place.host.server;
  const { logLevel } = link;
  if (logLevel !== undefined && sharing === 'principal') await askForLogs(session, logLevel, signal);
  if (asked !== undefined) await takeQuestionsBefore(place, session, { asked, before });
  const questions = asked?.questionsOn(session.channel);
  return new CallListener(link, { maxNotifications, onDropped: place.noteDropped, questions });
}

/** What a server asks as its session begins (its roots, say) it has to know before it works. */
async function takeQuestionsBefore(
  place: CallPlace,
  session: Session,
  { asked, before }: Pick<Preparation, 'before'> & { readonly asked: AskedCall },
): Promise<void> {
  const hasNews = place.takeRootsNews();
  if (hasNews) void session.channel.notify('notifications/roots/list_changed');
  // Over pipes its first question comes some turns after its first listing.
  const mayAskYet = session !== before && place.told.roots !== undefined && !asked.hasAsked;
  if (hasNews || mayAskYet) await asked.questioned(ROOTS_PATIENCE_MS);
  const hasAsked = asked.hasAsked && (hasNews || session !== before);
  await asked.quiet();
  if (hasAsked) await pause(TAKE_IN_MS);
}

/** What the server would be told of for others, and is not for this client. */
function lackingOf({ host, told }: CallPlace): JsonObject {
  return Object.fromEntries(Object.entries(host.server.asks).filter(([name]) => told[name] === undefined));
}

function noteAnswer({ breaker, host }: CallPlace, answer: Answer, aliveBefore: number): void {
  // A process that ended is the back-off's to judge.
  if (answer.kind === 'failed' && answer.why === 'lost' && host.server.transport.type === 'stdio') return;
  breaker.note(evidenceOf(answer, breaker.aliveCount === aliveBefore));
}

async function openWhile(place: CallPlace, signal: CancelSignal): Promise<Session | FailedSession | 'over'> {
  if (signal.aborted) return 'over';
  let onAbort: () => void = () => {};
  const over = new Promise<'over'>((resolve) => {
    onAbort = () => resolve('over');
  });
  signal.addEventListener('abort', onAbort, { once: true });
  const opened = await Promise.race([place.open(), over]);
  signal.removeEventListener('abort', onAbort);
  return opened;
}
