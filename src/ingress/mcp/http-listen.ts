import { Cancellation } from '../../lib/cancellation.ts';
import type { Conversation, RpcRequest } from './answer.ts';
import { type HttpExchange, sendReply } from './http-exchange.ts';
import type { HttpState } from './http-state.ts';
import { type Listening, openListening } from './listen.ts';
import { errorReply, invalidParamsReply } from './replies.ts';
import { INTERNAL_ERROR } from './rpc-error.ts';

const MAX_SUBSCRIPTIONS = 1_024;
const MAX_SUBSCRIPTIONS_PER_PRINCIPAL = 64;

/** Opens the stream of a subscription (2026-07-28, patterns/subscriptions). */
export async function serveListen(
  state: HttpState,
  exchange: HttpExchange,
  { message, conversation }: { readonly message: RpcRequest; readonly conversation: Conversation },
): Promise<void> {
  const { services, openCalls } = state;
  const { response } = exchange;
  const leave = takePlace(state, exchange);
  if (leave === undefined) {
    const error = { code: INTERNAL_ERROR, message: 'Subscription limit reached' };
    return sendReply(response, errorReply(message.id, error, 200));
  }
  const controller = new Cancellation();
  openCalls.add(controller);
  response.on('close', () => controller.abort());
  const listening = await openListening(services, conversation, { request: message, signal: controller.signal });
  openCalls.delete(controller);
  if (typeof listening === 'string') {
    leave();
    return sendReply(response, invalidParamsReply(message.id, `Invalid params: ${listening}`));
  }
  if (controller.signal.aborted) return leave();
  openStream(state, exchange, { listening, leave });
}

/** Counts a subscription; undefined where there is room for none. */
function takePlace({ streams, subscriptionsOf }: HttpState, { principal }: HttpExchange): (() => void) | undefined {
  const held = subscriptionsOf.get(principal.id) ?? 0;
  if (streams.size >= MAX_SUBSCRIPTIONS || held >= MAX_SUBSCRIPTIONS_PER_PRINCIPAL) return undefined;
  subscriptionsOf.set(principal.id, held + 1);
  return () => {
    const left = (subscriptionsOf.get(principal.id) ?? 1) - 1;
    if (left > 0) subscriptionsOf.set(principal.id, left);
    else subscriptionsOf.delete(principal.id);
  };
}

function openStream(
  state: HttpState,
  exchange: HttpExchange,
  { listening, leave }: { readonly listening: Listening; readonly leave: () => void },
): void {
  const { subscription } = listening;
  let unwatch: (() => void) | undefined;
  const stream = state.streams.open(exchange.response, {
    stillProved: () => state.provesSame(exchange),
    farewell: () => subscription.ended,
    onClose: () => {
      unwatch?.();
      listening.end();
      leave();
    },
  });
  stream.send(subscription.acknowledged);
  if (subscription.isServed) {
    const { principal, view } = exchange;
    unwatch = state.services.changes.watch({ principalId: principal.id, view }, (surface) => {
      const changed = subscription.changed(surface);
      if (changed !== undefined) stream.send(changed);
    });
    listening.start((json) => stream.send(json));
    return;
  }
  stream.send(subscription.ended);
  stream.end();
}
