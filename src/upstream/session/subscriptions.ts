import { Cancellation, type CancelSignal } from '../../lib/cancellation.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import { normalizeUri, uriAncestry } from '../../lib/uri/uri.ts';
import { failedResponse, type Response, type Transport } from '../protocol/transport.ts';
import type { Session } from './session.ts';

/** Updates of one resource within this time are passed on as one. */
const NOTIFY_INTERVAL_MS = 50;
/** Resources whose update may be pending at one time; updates of others are dropped. */
const MAX_DUE = 1_024;
const RETRY_MS = { first: 1_000, last: 60_000 } as const;
const MAX_RESPONSE_BYTES = 64 * 1024;
const UNSUBSCRIBE_TIMEOUT_MS = 10_000;

export interface SubscriptionEvents {
  /** A resource changed, or may have changed while no subscription was active. */
  onUpdated(uri: string, principalIds: readonly string[]): void;
  /** The server's lists may have changed while no stream was open. */
  onListsMaybeChanged(): void;
  /** The server reported a resource without a subscriber. */
  onDropped(): void;
}

/**
 * Subscriptions of one managed session: single resources, and in the modern era list changes. They outlive a session and
 * are renewed whenever one is opened.
 */
export class Subscriptions {
  readonly #events: SubscriptionEvents;
  /** Principals by the URI they are subscribed to. */
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

  /** True while the server notifies of every list for which it declares `listChanged`. */
  get receivesListChanges(): boolean {
    const served = this.#stream?.served;
    return served !== undefined && Object.keys(listFilter(this.#session)).every((key) => served[key] === true);
  }

  /** Subscribes to one resource. A second subscription to the same resource is requested again. */
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
    return {
      kind: 'error',
      error: { code: -32602, message: 'the server does not support a subscription to this resource' },
    };
  }

  /** Each URI with the principals that are subscribed to it. */
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

  /** Renews all subscriptions in a session that was just opened, and reports each resource as possibly changed. */
  resubscribe(session: Session): void {
    this.#session = session;
    this.#retryMs = RETRY_MS.first;
    const uris = [...this.#subscribers.keys()];
    if (session.negotiated.era === 'modern') void this.#listen(session);
    else for (const uri of uris) void requestIgnoringResponse(session, 'resources/subscribe', uri);
    if (this.#hadSession) for (const uri of uris) this.notify(uri);
    this.#hadSession = true;
  }

  /** Releases a session that has ended. */
  end(session: Session): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#stream?.close();
    this.#stream = undefined;
    this.#retryAtMs = Number.POSITIVE_INFINITY;
  }

  /** Reopens a broken stream after its delay. */
  retry(nowMs: number): void {
    const session = this.#session;
    if (session === undefined) return;
    // The delay begins here, at the first sweep after the stream broke, and needs no clock elsewhere.
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

  /** Handles an update. The resource may be a sub-resource of a subscribed one (MCP 2025-11-25, `ResourceUpdatedNotification`). */
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

  /** Principals subscribed to a URI or to a resource above it. */
  #subscribersOf(uri: string): readonly string[] {
    return [...new Set(uriAncestry(uri).flatMap((ancestor) => [...(this.#subscribers.get(ancestor) ?? [])]))];
  }

  #isServed(uri: string): boolean {
    const uris = this.#stream?.served.resourceSubscriptions;
    return Array.isArray(uris) && uris.includes(uri);
  }

  /** Replaces the stream by one for all subscriptions and `extraUri`. Replacements run one after another. */
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
      // A server that responds with an error would respond with it again.
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

/** Filter for list changes, from the server's capabilities. */
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

/** Longest wait for `notifications/subscriptions/acknowledged`. */
const ACKNOWLEDGE_TIMEOUT_MS = 10_000;
const MAX_EVENT_BYTES = 1024 * 1024;
/** The longest delay of a timer: the stream ends when either side ends it. */
const NO_DEADLINE_MS = 2_147_483_647;

/** A `subscriptions/listen` of 2026-07-28 that a server acknowledged. */
export interface SubscriptionStream {
  readonly kind: 'listening';
  /** The part of the filter that the server serves. */
  readonly served: JsonObject;
  close(): void;
}

/**
 * Opens a subscription stream and waits for its acknowledgement. Resolves to the failure if the server does not
 * acknowledge it. `onEnded` is called once if an acknowledged stream ends without `close`.
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
