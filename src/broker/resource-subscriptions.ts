import { type Call, VERBS } from '../domain/call.ts';
import type { PostureRow } from '../domain/posture.ts';
import type { Principal } from '../domain/principal.ts';
import type { OfferedTarget, ResourceTarget } from '../domain/target.ts';
import { uriAndAbove } from '../lib/uri.ts';
import type { CallReply, CallRequest, Subscribed, SubscribeOptions } from './broker.ts';
import { type OnControlFailure, walkRow } from './step.ts';
import { partOf } from './visibility.ts';
import type { World } from './world.ts';

export const subscriptionsPosture: PostureRow<'subscriptions-exceeded'> = {
  guard: 'subscriptions',
  when: 'one agent is subscribed to 256 resources',
  yields: 'subscriptions-exceeded',
  opens: null,
};

/** Most resources that one principal may be subscribed to, all its sessions together. */
const MAX_PER_PRINCIPAL = 256;
/** Changes that are remembered until a subscription is open. */
const MAX_DUE = 256;

/** What subscriptions need of the hall. */
interface SubscriptionParts {
  world(): World;
  /** Walks the request; `barred` is the reason why it may not be walked. */
  walk(request: CallRequest, options: SubscribeOptions, barred?: 'subscriptions-exceeded'): Promise<CallReply>;
  /** Tells the back door that a principal wants to hear of a resource no more. */
  unsubscribe(principalId: string, target: ResourceTarget): void;
  readonly onFailure: OnControlFailure;
}

/** One subscription of one session: the request that was allowed, and whom to tell. */
interface Subscription {
  readonly request: CallRequest;
  readonly target: ResourceTarget;
  readonly onUpdated: (exposedName: string) => void;
  /** False until its request was answered; what changes meanwhile is told then. */
  isOpen: boolean;
  readonly due: Set<string>;
}

/** Who is subscribed to what. Being told is governed as asking was: what is no longer allowed is not told of, and ends. */
export class ResourceSubscriptions {
  readonly #parts: SubscriptionParts;
  readonly #byTarget = new Map<string, Set<Subscription>>();
  readonly #heldBy = new Map<string, number>();

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
  }

  async subscribe(asked: Omit<CallRequest, 'verb' | 'args'>, options: SubscribeOptions): Promise<Subscribed> {
    const request: CallRequest = { ...asked, verb: VERBS.subscribeResource, args: {} };
    const target = partOf(this.#parts.world(), request.view)?.resolve(request.exposedName, 'resource');
    if (target?.kind !== 'resource') return this.#parts.walk(request, options);
    if ((this.#heldBy.get(request.principal.id) ?? 0) >= MAX_PER_PRINCIPAL) {
      return this.#parts.walk(request, options, subscriptionsPosture.yields);
    }
    const { onUpdated } = options;
    const subscription: Subscription = { request, target, onUpdated, isOpen: false, due: new Set() };
    this.#add(subscription);
    const reply = await this.#parts.walk(request, options);
    if (reply.outcome.kind !== 'completed') {
      this.#end(subscription);
      return reply;
    }
    // After whoever asked has been answered.
    setImmediate(() => {
      subscription.isOpen = true;
      for (const uri of subscription.due) void this.#tell(subscription, uri);
      subscription.due.clear();
    });
    return { ...reply, end: () => this.#end(subscription) };
  }

  /** A resource changed: tells those of these principals who are subscribed to it or above it and may still hear of it. */
  updated(server: string, uri: string, principalIds: readonly string[]): void {
    const concerned = uriAndAbove(uri).flatMap((held) => [...(this.#byTarget.get(`resource:${server}/${held}`) ?? [])]);
    for (const subscription of concerned) {
      if (principalIds.includes(subscription.request.principal.id)) void this.#tell(subscription, uri);
    }
  }

  /** Ends what the world in force allows no more. */
  recheck(): void {
    for (const subscription of [...this.#byTarget.values()].flatMap((each) => [...each])) {
      if (subscription.isOpen && !this.#mayStay(subscription)) this.#end(subscription);
    }
  }

  async #tell(subscription: Subscription, uri: string): Promise<void> {
    if (!subscription.isOpen) {
      if (subscription.due.size < MAX_DUE) subscription.due.add(uri);
      return;
    }
    const now = this.#resolve(subscription);
    if (now === undefined) return;
    if (now.id !== subscription.target.id || !(await this.#isAllowed(subscription, now))) {
      this.#end(subscription);
      return;
    }
    const told = await this.#nameOf(subscription, uri);
    // It may have been ended while it was asked about.
    const isHeld = this.#byTarget.get(subscription.target.id)?.has(subscription) === true;
    if (isHeld && told !== undefined) subscription.onUpdated(told);
  }

  /** What its agent knows a URI as; undefined for a sub-resource that the agent may not subscribe to by itself. */
  async #nameOf(subscription: Subscription, uri: string): Promise<string | undefined> {
    const { request, target } = subscription;
    const { exposedName, view } = request;
    if (uri === target.uri) return exposedName;
    const exposed = exposedName.endsWith(target.uri) ? `${exposedName.slice(0, -target.uri.length)}${uri}` : uri;
    const found = partOf(this.#parts.world(), view)?.resolve(exposed, 'resource');
    if (found?.id !== `resource:${target.server}/${uri}`) return undefined;
    return (await this.#isAllowed(subscription, found)) ? exposed : undefined;
  }

  /** What the URI stands for now: nothing while its server cannot be listed, which is no reason to forget who waits. */
  #resolve({ request }: Subscription): OfferedTarget | undefined {
    return partOf(this.#parts.world(), request.view)?.resolve(request.exposedName, 'resource');
  }

  #mayStay(subscription: Subscription): boolean {
    const world = this.#parts.world();
    const { principal } = subscription.request;
    try {
      const now = this.#resolve(subscription);
      const who = { principal, subjects: world.subjectsOf(principal) };
      const asked = now ?? subscription.target;
      return asked.id === subscription.target.id && world.mayEver(who, asked, 'subscribe');
    } catch {
      // What cannot be decided is not told.
      return false;
    }
  }

  /** The very control that decided on the request, asked again now. */
  async #isAllowed({ request }: Subscription, target: OfferedTarget): Promise<boolean> {
    const world = this.#parts.world();
    const authorize = world.requestRow.filter(({ name }) => name === 'authorize');
    if (authorize.length === 0) return false;
    const call = callOf(request, { target, subjects: world.subjectsOf(request.principal) });
    const { onFailure } = this.#parts;
    const signal = new AbortController().signal;
    return (await walkRow(authorize, { call }, { signal, onFailure })).refusal === undefined;
  }

  #add(subscription: Subscription): void {
    const { principal } = subscription.request;
    const { id } = subscription.target;
    this.#byTarget.set(id, (this.#byTarget.get(id) ?? new Set()).add(subscription));
    this.#heldBy.set(principal.id, (this.#heldBy.get(principal.id) ?? 0) + 1);
  }

  #end(subscription: Subscription): void {
    const { principal } = subscription.request;
    const { target } = subscription;
    const sharing = this.#byTarget.get(target.id);
    if (sharing?.delete(subscription) !== true) return;
    if (sharing.size === 0) this.#byTarget.delete(target.id);
    const left = (this.#heldBy.get(principal.id) ?? 1) - 1;
    if (left > 0) this.#heldBy.set(principal.id, left);
    else this.#heldBy.delete(principal.id);
    if (![...sharing].some(({ request }) => isOf(request, principal))) this.#parts.unsubscribe(principal.id, target);
  }
}

function isOf(request: CallRequest, { id }: Principal): boolean {
  return request.principal.id === id;
}

/** The call that the control is asked about: it is never sent and has no entry of its own. */
function callOf(
  { principal, context }: CallRequest,
  { target, subjects }: { readonly target: OfferedTarget; readonly subjects: readonly string[] },
): Call {
  return { id: '', principal, subjects, action: 'subscribe', target, args: {}, context, receivedAtMs: 0 };
}
