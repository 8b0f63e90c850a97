import type { CancelSignal } from '../../lib/cancellation.ts';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { Conversation, RpcRequest } from './answer.ts';
import { HeldResources, updatedText } from './held-resources.ts';
import type { McpServices } from './services.ts';
import { readSubscription, type Subscription } from './subscription.ts';

/** A `subscriptions/listen` that is to be acknowledged: what it was granted, and its resources. */
export interface Listening {
  readonly subscription: Subscription;
  /** Sends all that it tells from now on, beginning with what changed meanwhile. */
  start(send: (json: string) => void): void;
  end(): void;
}

/** Most resources that one listen request may name. */
const MAX_RESOURCES = 64;

/**
 * Asks for each resource of a listen request as for any other act, so that what is acknowledged is what policy grants.
 * @returns what is wrong with the request, as one clause, where something is.
 */
export async function openListening(
  { broker, serverInfo }: Pick<McpServices, 'broker' | 'serverInfo'>,
  { principal, context, view }: Conversation,
  { request: { id, params }, signal }: { readonly request: RpcRequest; readonly signal: CancelSignal },
): Promise<Listening | string> {
  const uris = resourcesIn(params);
  if (typeof uris === 'string') return uris;
  const held = new HeldResources();
  const due = new Set<string>();
  let send: ((json: string) => void) | undefined;
  const granted: string[] = [];
  const tell = (uri: string): void => {
    if (send === undefined) due.add(uri);
    else send(updatedText(uri, id));
  };
  // One after the other: they are counted like any requests, and many at once would take the place of others.
  for (const exposedName of uris) {
    const asked = { principal, exposedName, context, view };
    const reply = await broker.subscribe(asked, { signal, onUpdated: tell });
    if (reply.end === undefined) continue;
    held.hold(exposedName, reply.end);
    granted.push(exposedName);
  }
  if (signal.aborted) held.end();
  return {
    subscription: readSubscription(id, params, { serverInfo, resources: granted }),
    start: (to) => {
      send = to;
      for (const uri of due) tell(uri);
      due.clear();
    },
    end: () => held.end(),
  };
}

function resourcesIn({ notifications: filter }: JsonObject): readonly string[] | string {
  if (!isJsonObject(filter)) return '`notifications` is not an object';
  const { resourceSubscriptions: asked = [] } = filter;
  const isList = Array.isArray(asked) && asked.every((uri) => typeof uri === 'string');
  if (!isList) return '`resourceSubscriptions` is not a list of URIs';
  const uris = [...new Set(asked as readonly string[])];
  return uris.length > MAX_RESOURCES ? `more than ${MAX_RESOURCES} resources are asked for` : uris;
}
