import { Cancellation } from '../../lib/cancellation.ts';
import type { ClientSession, RpcRequest } from './answer.ts';
import { type HttpExchange, sendReply } from './http-exchange.ts';
import type { EndpointState } from './http-state.ts';
import { type OpenSubscription, openSubscription } from './listen.ts';
import { errorReply, invalidParamsReply } from './replies.ts';
import { INTERNAL_ERROR } from './rpc-error.ts';

const MAX_SUBSCRIPTIONS = 1_024;
const MAX_SUBSCRIPTIONS_PER_PRINCIPAL = 64;

/** Opens the stream of a subscription (2026-07-28, patterns/subscriptions). */
export async function serveListen(
  state: EndpointState,
  exchange: HttpExchange,
  { message, clientSession }: { readonly message: RpcRequest; readonly clientSession: ClientSession },
): Promise<void> {
  const { services, inFlightCalls: openCalls } = state;
  const { response } = exchange;
  const release = reserveSubscription(state, exchange);
  if (release === undefined) {
    const error = { code: INTERNAL_ERROR, message: 'Subscription limit reached' };
    return sendReply(response, errorReply(message.id, error, 200));
  }
  const controller = new Cancellation();
  openCalls.add(controller);
  response.on('close', () => controller.abort());
  const opened = await openSubscription(services, clientSession, { request: message, signal: controller.signal });
  openCalls.delete(controller);
  if (typeof opened === 'string') {
    release();
    return sendReply(response, invalidParamsReply(message.id, `Invalid params: ${opened}`));
  }
  if (controller.signal.aborted) return release();
  openStream(state, exchange, { opened, release });
}

/** Counts a subscription; undefined where there is room for none. */
function reserveSubscription(
  { streams, subscriptionCounts: subscriptionsOf }: EndpointState,
  { principal }: HttpExchange,
): (() => void) | undefined {
  const openCount = subscriptionsOf.get(principal.id) ?? 0;
  if (streams.size >= MAX_SUBSCRIPTIONS || openCount >= MAX_SUBSCRIPTIONS_PER_PRINCIPAL) return undefined;
  subscriptionsOf.set(principal.id, openCount + 1);
  return () => {
    const remaining = (subscriptionsOf.get(principal.id) ?? 1) - 1;
    if (remaining > 0) subscriptionsOf.set(principal.id, remaining);
    else subscriptionsOf.delete(principal.id);
  };
}

function openStream(
  state: EndpointState,
  exchange: HttpExchange,
  { opened, release }: { readonly opened: OpenSubscription; readonly release: () => void },
): void {
  const { subscription } = opened;
  let unwatch: (() => void) | undefined;
  const stream = state.streams.open(exchange.response, {
    isStillAuthenticated: () => state.isStillAuthenticated(exchange),
    closeEvent: () => subscription.ended,
    onClose: () => {
      unwatch?.();
      opened.end();
      release();
    },
  });
  stream.send(subscription.acknowledged);
  if (subscription.isServed) {
    const { principal, view } = exchange;
    unwatch = state.services.listChanges.watch({ principalId: principal.id, view }, (list) => {
      const changed = subscription.changed(list);
      if (changed !== undefined) stream.send(changed);
    });
    opened.start((json) => stream.send(json));
    return;
  }
  stream.send(subscription.ended);
  stream.end();
}
