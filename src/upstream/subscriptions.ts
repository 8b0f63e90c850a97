import type { CancelSignal } from '../lib/cancellation.ts';
import { isJsonObject, type JsonObject } from '../lib/json.ts';
import { normalUri, uriAndAbove } from '../lib/uri.ts';
import { type Answer, failedAnswer } from './mcp/channel.ts';
import { openSubscriptionStream, type SubscriptionStream } from './mcp/subscription-stream.ts';
import type { Session } from './session.ts';

/** A server that says without end that something changed is heard so often. */
const TELL_EVERY_MS = 50;
/** Of how many resources at one time; those beyond are dropped. */
const MOST_DUE = 1_024;
const RETRY_MS = { first: 1_000, last: 60_000 } as const;
const MAX_ANSWER_BYTES = 64 * 1024;
const PATIENCE_MS = 10_000;

export interface SubscriptionEvents {
  /** A resource changed, or may have while nobody could hear of it. */
  onUpdated(uri: string, principalIds: readonly string[]): void;
  /** The lists of the server may have changed while nobody could hear of it. */
  onListsMissed(): void;
  /** The server spoke of a resource that nobody subscribed to. */
  onDropped(): void;
}

/**
 * What one slot is subscribed to at its server: single resources, and in the modern era the changes of its lists. What
 * principals hold outlives the sessions: whenever one is opened, it is subscribed to again.
 */
export class Subscriptions {
  readonly #events: SubscriptionEvents;
  /** Who is subscribed to each URI. */
  readonly #holders = new Map<string, Set<string>>();
  readonly #due = new Set<string>();
  #session: Session | undefined;
  #stream: SubscriptionStream | undefined;
  #opening: Promise<Answer> = Promise.resolve(EMPTY);
  #retryAtMs = Number.POSITIVE_INFINITY;
  #retryMs: number = RETRY_MS.first;
  #hadSession = false;

  constructor(events: SubscriptionEvents) {
    this.#events = events;
  }

  get isEmpty(): boolean {
    return this.#holders.size === 0;
  }

  /** True while the server tells of every list that it says may change. */
  get hearsLists(): boolean {
    const served = this.#stream?.served;
    return served !== undefined && Object.keys(listFilter(this.#session)).every((key) => served[key] === true);
  }

  /** Asks the server to tell of one resource. The same resource twice is asked for twice. */
  async ask(session: Session, uri: string, options: { signal: CancelSignal; timeoutMs: number }): Promise<Answer> {
    if (session.hands.era === 'legacy') {
      return session.channel.request('resources/subscribe', { uri }, { ...options, maxBytes: MAX_ANSWER_BYTES });
    }
    const answer = await this.#listen(session, uri);
    if (answer.kind !== 'result' || this.#serves(uri)) return answer;
    return { kind: 'error', error: { code: -32602, message: 'the server does not tell of this resource' } };
  }

  /** Each URI, and who is subscribed to it. */
  get held(): readonly (readonly [string, readonly string[]])[] {
    return [...this.#holders].map(([uri, principalIds]) => [uri, [...principalIds]]);
  }

  hold(uri: string, principalId: string): void {
    const holders = this.#holders.get(uri) ?? new Set();
    this.#holders.set(uri, holders.add(principalId));
  }

  release(uri: string, principalId: string): void {
    const holders = this.#holders.get(uri);
    if (holders?.delete(principalId) !== true || holders.size > 0) return;
    this.#holders.delete(uri);
    const session = this.#session;
    if (session === undefined) return;
    if (session.hands.era === 'modern') void this.#listen(session);
    else void askQuietly(session, 'resources/unsubscribe', uri);
  }

  /** Subscribes in a session that was just opened to what is held. What changed in between is told once. */
  renew(session: Session): void {
    this.#session = session;
    this.#retryMs = RETRY_MS.first;
    const uris = [...this.#holders.keys()];
    if (session.hands.era === 'modern') void this.#listen(session);
    else for (const uri of uris) void askQuietly(session, 'resources/subscribe', uri);
    if (this.#hadSession) for (const uri of uris) this.tell(uri);
    this.#hadSession = true;
  }

  /** The session is over. */
  end(session: Session): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#stream?.close();
    this.#stream = undefined;
    this.#retryAtMs = Number.POSITIVE_INFINITY;
  }

  /** Opens a stream again that broke, once its pause is over. */
  retry(nowMs: number): void {
    const session = this.#session;
    if (session === undefined) return;
    // The pause begins when it is first seen, so that no clock is needed where the stream broke.
    if (this.#retryAtMs === Number.NEGATIVE_INFINITY) this.#retryAtMs = nowMs + this.#retryMs;
    if (nowMs < this.#retryAtMs) return;
    this.#retryAtMs = Number.POSITIVE_INFINITY;
    this.#retryMs = Math.min(RETRY_MS.last, this.#retryMs * 2);
    void this.#listen(session).then((answer) => {
      if (answer.kind !== 'result') return;
      this.#events.onListsMissed();
      for (const uri of this.#holders.keys()) this.tell(uri);
    });
  }

  /** The server says that a resource changed, which may be a sub-resource of what is held (MCP 2025-11-25, `ResourceUpdatedNotification`). */
  tell(text: string): void {
    const uri = this.isEmpty ? undefined : normalUri(text);
    if (uri !== undefined && this.#due.has(uri)) return;
    if (uri === undefined || this.#due.size >= MOST_DUE || this.#holdersOf(uri).length === 0) {
      this.#events.onDropped();
      return;
    }
    if (this.#due.size === 0) setTimeout(() => this.#tellDue(), TELL_EVERY_MS).unref();
    this.#due.add(uri);
  }

  #tellDue(): void {
    const due = [...this.#due];
    this.#due.clear();
    for (const uri of due) {
      const holders = this.#holdersOf(uri);
      if (holders.length > 0) this.#events.onUpdated(uri, holders);
    }
  }

  /** Who is subscribed to a URI, or to one that it is a sub-resource of. */
  #holdersOf(uri: string): readonly string[] {
    return [...new Set(uriAndAbove(uri).flatMap((held) => [...(this.#holders.get(held) ?? [])]))];
  }

  #serves(uri: string): boolean {
    const uris = this.#stream?.served.resourceSubscriptions;
    return Array.isArray(uris) && uris.includes(uri);
  }

  /** Puts a stream for all that is held, and `more`, in the place of the one before; one at a time. */
  #listen(session: Session, more?: string): Promise<Answer> {
    this.#opening = this.#opening.then(() => this.#replaceStream(session, more));
    return this.#opening;
  }

  async #replaceStream(session: Session, more: string | undefined): Promise<Answer> {
    if (this.#session !== session) return failedAnswer('lost', false, 'the session ended');
    const uris = [...new Set([...this.#holders.keys(), ...(more === undefined ? [] : [more])])];
    const filter = { ...listFilter(session), ...(uris.length === 0 ? {} : { resourceSubscriptions: uris }) };
    const before = this.#stream;
    if (Object.keys(filter).length === 0) {
      this.#stream = undefined;
      before?.close();
      return EMPTY;
    }
    const opened = await openSubscriptionStream(session.channel, filter, () => {
      if (this.#session === session) this.#onEnded(opened);
    });
    if (opened.kind !== 'listening') {
      // What a server refuses outright it will refuse again.
      if (opened.kind === 'failed' && before === undefined) this.#retryAtMs = Number.NEGATIVE_INFINITY;
      return opened;
    }
    if (this.#session !== session) {
      opened.close();
      return failedAnswer('lost', true, 'the session ended');
    }
    this.#stream = opened;
    before?.close();
    return EMPTY;
  }

  #onEnded(stream: unknown): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }
}

const EMPTY: Answer = { kind: 'result', result: {}, bytes: 2 };

/** The lists that the server says may change, as a filter asks for them. */
function listFilter(session: Session | undefined): JsonObject {
  const capabilities = session?.hands.capabilities ?? {};
  const filter: Record<string, true> = {};
  for (const surface of ['tools', 'prompts', 'resources']) {
    const capability = capabilities[surface];
    if (isJsonObject(capability) && capability.listChanged === true) filter[`${surface}ListChanged`] = true;
  }
  return filter;
}

async function askQuietly(session: Session, method: string, uri: string): Promise<void> {
  const limits = { signal: new AbortController().signal, timeoutMs: PATIENCE_MS, maxBytes: MAX_ANSWER_BYTES };
  await session.channel.request(method, { uri }, limits);
}
