import { Cancellation, type CancelSignal } from '../../lib/cancellation.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import { normalizeUri, uriAncestry } from '../../lib/uri/uri.ts';
import { failedResponse, type Response, type Transport } from '../protocol/transport.ts';
import type { Session } from './session.ts';

/** A server that says without end that something changed is heard so often. */
const NOTIFY_INTERVAL_MS = 50;
/** Of how many resources at one time; those beyond are dropped. */
const MAX_DUE = 1_024;
const RETRY_MS = { first: 1_000, last: 60_000 } as const;
const MAX_RESPONSE_BYTES = 64 * 1024;
const UNSUBSCRIBE_TIMEOUT_MS = 10_000;

export interface SubscriptionEvents {
  /** A resource changed, or may have while nobody could hear of it. */
  onUpdated(uri: string, principalIds: readonly string[]): void;
  /** The lists of the server may have changed while nobody could hear of it. */
  onListsMaybeChanged(): void;
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
  readonly #subscribers = new Map<string, Set<string>>();
  readonly #due = new Set<string>();
  #session: Session | undefined;
  #stream: SubscriptionStream | undefined;
  #opening: Promise<Response> = Promise.resolve(EMPTY_RESPONSE);
  #retryAtMs = Number.POSITIVE_INFINITY;
  #retryMs: number = RETRY_MS.first;
  #hadSession = false;

  constructor(events: SubscriptionEvents) {
    this.#events = events;
  }

  get isEmpty(): boolean {
    return this.#subscribers.size === 0;
  }

  /** True while the server tells of every list that it says may change. */
  get receivesListChanges(): boolean {
    const served = this.#stream?.served;
    return served !== undefined && Object.keys(listFilter(this.#session)).every((key) => served[key] === true);
  }

  /** Asks the server to tell of one resource. The same resource twice is asked for twice. */
  async subscribe(
    session: Session,
    uri: string,
    options: { signal: CancelSignal; timeoutMs: number },
  ): Promise<Response> {
    if (session.negotiated.era === 'legacy') {
      return session.transport.request('resources/subscribe', { uri }, { ...options, maxBytes: MAX_RESPONSE_BYTES });
    }
    const response = await this.#listen(session, uri);
    if (response.kind !== 'result' || this.#isServed(uri)) return response;
    return { kind: 'error', error: { code: -32602, message: 'the server does not tell of this resource' } };
  }

  /** Each URI, and who is subscribed to it. */
  get entries(): readonly (readonly [string, readonly string[]])[] {
    return [...this.#subscribers].map(([uri, principalIds]) => [uri, [...principalIds]]);
  }

  add(uri: string, principalId: string): void {
    const subscribers = this.#subscribers.get(uri) ?? new Set();
    this.#subscribers.set(uri, subscribers.add(principalId));
  }

  remove(uri: string, principalId: string): void {
    const subscribers = this.#subscribers.get(uri);
    if (subscribers?.delete(principalId) !== true || subscribers.size > 0) return;
    this.#subscribers.delete(uri);
    const session = this.#session;
    if (session === undefined) return;
    if (session.negotiated.era === 'modern') void this.#listen(session);
    else void requestIgnoringResponse(session, 'resources/unsubscribe', uri);
  }

  /** Subscribes in a session that was just opened to what is held. What changed in between is told once. */
  resubscribe(session: Session): void {
    this.#session = session;
    this.#retryMs = RETRY_MS.first;
    const uris = [...this.#subscribers.keys()];
    if (session.negotiated.era === 'modern') void this.#listen(session);
    else for (const uri of uris) void requestIgnoringResponse(session, 'resources/subscribe', uri);
    if (this.#hadSession) for (const uri of uris) this.notify(uri);
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
    void this.#listen(session).then((response) => {
      if (response.kind !== 'result') return;
      this.#events.onListsMaybeChanged();
      for (const uri of this.#subscribers.keys()) this.notify(uri);
    });
  }

  /** The server says that a resource changed, which may be a sub-resource of what is held (MCP 2025-11-25, `ResourceUpdatedNotification`). */
  notify(rawUri: string): void {
    const uri = this.isEmpty ? undefined : normalizeUri(rawUri);
    if (uri !== undefined && this.#due.has(uri)) return;
    if (uri === undefined || this.#due.size >= MAX_DUE || this.#subscribersOf(uri).length === 0) {
      this.#events.onDropped();
      return;
    }
    if (this.#due.size === 0) setTimeout(() => this.#notifyDue(), NOTIFY_INTERVAL_MS).unref();
    this.#due.add(uri);
  }

  #notifyDue(): void {
    const due = [...this.#due];
    this.#due.clear();
    for (const uri of due) {
      const subscribers = this.#subscribersOf(uri);
      if (subscribers.length > 0) this.#events.onUpdated(uri, subscribers);
    }
  }

  /** Who is subscribed to a URI, or to one that it is a sub-resource of. */
  #subscribersOf(uri: string): readonly string[] {
    return [...new Set(uriAncestry(uri).flatMap((entries) => [...(this.#subscribers.get(entries) ?? [])]))];
  }

  #isServed(uri: string): boolean {
    const uris = this.#stream?.served.resourceSubscriptions;
    return Array.isArray(uris) && uris.includes(uri);
  }

  /** Puts a stream for all that is held, and `more`, in the place of the one before; one at a time. */
  #listen(session: Session, extraUri?: string): Promise<Response> {
    this.#opening = this.#opening.then(() => this.#replaceStream(session, extraUri));
    return this.#opening;
  }

  async #replaceStream(session: Session, extraUri: string | undefined): Promise<Response> {
    if (this.#session !== session) return failedResponse('lost', false, 'the session ended');
    const uris = [...new Set([...this.#subscribers.keys(), ...(extraUri === undefined ? [] : [extraUri])])];
    const filter = { ...listFilter(session), ...(uris.length === 0 ? {} : { resourceSubscriptions: uris }) };
    const previous = this.#stream;
    if (Object.keys(filter).length === 0) {
      this.#stream = undefined;
      previous?.close();
      return EMPTY_RESPONSE;
    }
    const stream = await openSubscriptionStream(session.transport, filter, () => {
      if (this.#session === session) this.#onEnded(stream);
    });
    if (stream.kind !== 'listening') {
      // What a server refuses outright it will refuse again.
      if (stream.kind === 'failed' && previous === undefined) this.#retryAtMs = Number.NEGATIVE_INFINITY;
      return stream;
    }
    if (this.#session !== session) {
      stream.close();
      return failedResponse('lost', true, 'the session ended');
    }
    this.#stream = stream;
    previous?.close();
    return EMPTY_RESPONSE;
  }

  #onEnded(stream: unknown): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }
}

const EMPTY_RESPONSE: Response = { kind: 'result', result: {}, bytes: 2 };

/** The lists that the server says may change, as a filter asks for them. */
function listFilter(session: Session | undefined): JsonObject {
  const capabilities = session?.negotiated.capabilities ?? {};
  const filter: Record<string, true> = {};
  for (const feature of ['tools', 'prompts', 'resources']) {
    const capability = capabilities[feature];
    if (isJsonObject(capability) && capability.listChanged === true) filter[`${feature}ListChanged`] = true;
  }
  return filter;
}

async function requestIgnoringResponse(session: Session, method: string, uri: string): Promise<void> {
  const limits = {
    signal: new AbortController().signal,
    timeoutMs: UNSUBSCRIBE_TIMEOUT_MS,
    maxBytes: MAX_RESPONSE_BYTES,
  };
  await session.transport.request(method, { uri }, limits);
}

/** Longest wait until a server says what it serves of a subscription. */
const ACKNOWLEDGE_TIMEOUT_MS = 10_000;
const MAX_EVENT_BYTES = 1024 * 1024;
/** The longest that a timer can wait: such a stream ends when either side ends it. */
const NO_DEADLINE_MS = 2_147_483_647;

/** A `subscriptions/listen` of 2026-07-28 that a server acknowledged. */
export interface SubscriptionStream {
  readonly kind: 'listening';
  /** What of the filter the server serves. */
  readonly served: JsonObject;
  close(): void;
}

/**
 * Opens one and waits until it is acknowledged; gives the answer of a server that does not serve it. `onEnded` is told once
 * when an acknowledged one ends without our doing.
 */
export function openSubscriptionStream(
  transport: Transport,
  filter: JsonObject,
  onEnded: () => void,
): Promise<SubscriptionStream | Exclude<Response, { kind: 'result' }>> {
  const closing = new Cancellation();
  return new Promise((resolve) => {
    const acknowledgeTimer = setTimeout(() => closing.abort(), ACKNOWLEDGE_TIMEOUT_MS);
    let isOpen = false;
    const listener = {
      wantsProgress: false,
      onProgress: () => {},
      onLog: () => {},
      onAcknowledged: ({ notifications }: JsonObject) => {
        clearTimeout(acknowledgeTimer);
        isOpen = true;
        const served = isJsonObject(notifications) ? notifications : {};
        resolve({ kind: 'listening', served, close: () => closing.abort() });
      },
    };
    const { signal } = closing;
    const options = { signal, timeoutMs: NO_DEADLINE_MS, maxBytes: MAX_EVENT_BYTES, listener, isOpenEnded: true };
    void transport.request('subscriptions/listen', { notifications: filter }, options).then((response) => {
      clearTimeout(acknowledgeTimer);
      if (!isOpen) resolve(response.kind === 'result' ? NOT_SERVED : response);
      else if (!signal.aborted) onEnded();
    });
  });
}

const NOT_SERVED = failedResponse('protocol', true, 'the server ended the subscription before it was acknowledged');
