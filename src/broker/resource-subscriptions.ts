import { type Call, OPERATIONS } from '../domain/call.ts';
import type { FailureMode } from '../domain/failure-mode.ts';
import type { Principal } from '../domain/principal.ts';
import type { FeatureTarget, ResourceTarget } from '../domain/target.ts';
import { uriAncestry } from '../lib/uri/uri.ts';
import type { CallReply, CallRequest, SubscribeOptions, SubscribeReply } from './broker.ts';
import { type OnControlFailure, runControls } from './run-controls.ts';
import type { Snapshot } from './snapshot.ts';
import { viewFor } from './visible-lists.ts';

export const subscriptionsFailureMode: FailureMode<'subscriptions-exceeded'> = {
  control: 'subscriptions',
  trigger: 'the agent is subscribed to 256 resources',
  result: 'subscriptions-exceeded',
  override: null,
};

/** Most subscriptions of one principal, in all its sessions together. */
const MAX_PER_PRINCIPAL = 256;
/** Most changes that are kept until a subscription is open. */
const MAX_PENDING_UPDATES = 256;

/** Services of the pipeline. */
interface SubscriptionDeps {
  snapshot(): Snapshot;
  /** Runs the request like a call; `rejected` refuses it without running the controls. */
  call(request: CallRequest, options: SubscribeOptions, rejected?: 'subscriptions-exceeded'): Promise<CallReply>;
  /** Ends the subscription of a principal at the server. */
  unsubscribe(principalId: string, target: ResourceTarget): void;
  readonly onFailure: OnControlFailure;
}

/** Subscription of one session. */
interface Subscription {
  readonly request: CallRequest;
  readonly target: ResourceTarget;
  readonly onUpdated: (exposedName: string) => void;
  /** False until its request was answered. Changes until then are in `pendingUris`. */
  isOpen: boolean;
  readonly pendingUris: Set<string>;
}

/**
 * Subscriptions of all principals to resources. Each notification is authorized like the request was: a subscription that
 * is no longer allowed gets none, and ends.
 */
export class ResourceSubscriptions {
  readonly #deps: SubscriptionDeps;
  readonly #byTarget = new Map<string, Set<Subscription>>();
  readonly #countByPrincipal = new Map<string, number>();

  constructor(deps: SubscriptionDeps) {
    this.#deps = deps;
  }

  async subscribe(
    partialRequest: Omit<CallRequest, 'operation' | 'args'>,
    options: SubscribeOptions,
  ): Promise<SubscribeReply> {
    const request: CallRequest = { ...partialRequest, operation: OPERATIONS.subscribeResource, args: {} };
    const target = viewFor(this.#deps.snapshot(), request.view)?.resolve(request.exposedName, 'resource');
    if (target?.kind !== 'resource') return this.#deps.call(request, options);
    if ((this.#countByPrincipal.get(request.principal.id) ?? 0) >= MAX_PER_PRINCIPAL) {
      return this.#deps.call(request, options, subscriptionsFailureMode.result);
    }
    const { onUpdated } = options;
    const subscription: Subscription = { request, target, onUpdated, isOpen: false, pendingUris: new Set() };
    this.#add(subscription);
    const reply = await this.#deps.call(request, options);
    if (reply.outcome.kind !== 'completed') {
      this.#end(subscription);
      return reply;
    }
    // The reply to the request goes first.
    setImmediate(() => {
      subscription.isOpen = true;
      for (const uri of subscription.pendingUris) void this.#notify(subscription, uri);
      subscription.pendingUris.clear();
    });
    return { ...reply, end: () => this.#end(subscription) };
  }

  /** Notifies those of these principals that are subscribed to the resource, or to one above it, and are still allowed to be. */
  notifyUpdated(server: string, uri: string, principalIds: readonly string[]): void {
    const affected = uriAncestry(uri).flatMap((subscribedUri) => [
      ...(this.#byTarget.get(`resource:${server}/${subscribedUri}`) ?? []),
    ]);
    for (const subscription of affected) {
      if (principalIds.includes(subscription.request.principal.id)) void this.#notify(subscription, uri);
    }
  }

  /** Ends the subscriptions that the snapshot in force no longer allows. */
  recheck(): void {
    for (const subscription of [...this.#byTarget.values()].flatMap((each) => [...each])) {
      if (subscription.isOpen && !this.#couldStillBeAllowed(subscription)) this.#end(subscription);
    }
  }

  async #notify(subscription: Subscription, uri: string): Promise<void> {
    if (!subscription.isOpen) {
      if (subscription.pendingUris.size < MAX_PENDING_UPDATES) subscription.pendingUris.add(uri);
      return;
    }
    const current = this.#resolve(subscription);
    if (current === undefined) return;
    if (current.id !== subscription.target.id || !(await this.#isAllowed(subscription, current))) {
      this.#end(subscription);
      return;
    }
    const exposedName = await this.#exposedNameOf(subscription, uri);
    // It may have ended while access was decided.
    const isSubscribed = this.#byTarget.get(subscription.target.id)?.has(subscription) === true;
    if (isSubscribed && exposedName !== undefined) subscription.onUpdated(exposedName);
  }

  /** Returns the exposed name of a changed URI; undefined for a sub-resource that the agent may not subscribe to itself. */
  async #exposedNameOf(subscription: Subscription, uri: string): Promise<string | undefined> {
    const { request, target } = subscription;
    const { exposedName, view } = request;
    if (uri === target.uri) return exposedName;
    const candidate = exposedName.endsWith(target.uri) ? `${exposedName.slice(0, -target.uri.length)}${uri}` : uri;
    const resource = viewFor(this.#deps.snapshot(), view)?.resolve(candidate, 'resource');
    if (resource?.id !== `resource:${target.server}/${uri}`) return undefined;
    return (await this.#isAllowed(subscription, resource)) ? candidate : undefined;
  }

  /** Resolves the URI now. Undefined while its server cannot be listed, which does not end the subscription. */
  #resolve({ request }: Subscription): FeatureTarget | undefined {
    return viewFor(this.#deps.snapshot(), request.view)?.resolve(request.exposedName, 'resource');
  }

  #couldStillBeAllowed(subscription: Subscription): boolean {
    const snapshot = this.#deps.snapshot();
    const { principal } = subscription.request;
    try {
      const current = this.#resolve(subscription);
      const caller = { principal, subjects: snapshot.subjectsOf(principal) };
      const target = current ?? subscription.target;
      return target.id === subscription.target.id && snapshot.couldBeAllowed(caller, target, 'subscribe');
    } catch {
      // Without a decision nothing is sent.
      return false;
    }
  }

  /** Runs the control `authorize` again, by the snapshot in force. */
  async #isAllowed({ request }: Subscription, target: FeatureTarget): Promise<boolean> {
    const snapshot = this.#deps.snapshot();
    const authorize = snapshot.requestControls.filter(({ name }) => name === 'authorize');
    if (authorize.length === 0) return false;
    const call = callFor(request, { target, subjects: snapshot.subjectsOf(request.principal) });
    const { onFailure } = this.#deps;
    const signal = new AbortController().signal;
    return (await runControls(authorize, { call }, { signal, onFailure })).refusal === undefined;
  }

  #add(subscription: Subscription): void {
    const { principal } = subscription.request;
    const { id } = subscription.target;
    this.#byTarget.set(id, (this.#byTarget.get(id) ?? new Set()).add(subscription));
    this.#countByPrincipal.set(principal.id, (this.#countByPrincipal.get(principal.id) ?? 0) + 1);
  }

  #end(subscription: Subscription): void {
    const { principal } = subscription.request;
    const { target } = subscription;
    const subscriptions = this.#byTarget.get(target.id);
    if (subscriptions?.delete(subscription) !== true) return;
    if (subscriptions.size === 0) this.#byTarget.delete(target.id);
    const remaining = (this.#countByPrincipal.get(principal.id) ?? 1) - 1;
    if (remaining > 0) this.#countByPrincipal.set(principal.id, remaining);
    else this.#countByPrincipal.delete(principal.id);
    if (![...subscriptions].some(({ request }) => belongsTo(request, principal)))
      this.#deps.unsubscribe(principal.id, target);
  }
}

function belongsTo(request: CallRequest, { id }: Principal): boolean {
  return request.principal.id === id;
}

/** Makes the call that the control decides on. It is never sent and has no entry. */
function callFor(
  { principal, context }: CallRequest,
  { target, subjects }: { readonly target: FeatureTarget; readonly subjects: readonly string[] },
): Call {
  return { id: '', principal, subjects, action: 'subscribe', target, args: {}, context, receivedAtMs: 0 };
}
