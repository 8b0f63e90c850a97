import type { CancelSignal } from '../../../lib/cancellation.ts';
import { isJsonObject, type JsonObject } from '../../../lib/json/json.ts';
import { LIST_KINDS, type ListKind } from '../client/list-changed.ts';
import { encodeResourceUpdated, ResourceSubscriptions } from '../client/resource-subscriptions.ts';
import type { JsonRpcRequest, RequestId } from '../protocol/json-rpc.ts';
import { META_SERVER_INFO, META_SUBSCRIPTION_ID } from '../protocol/versions.ts';
import type { ClientSession } from './handle-call.ts';
import type { McpServices } from './services.ts';

/** A `subscriptions/listen` that was granted and not yet acknowledged. */
export interface OpenSubscription {
  readonly subscription: Subscription;
  /** Sends its notifications from now on, beginning with the resources that changed since it was granted. */
  start(send: (json: string) => void): void;
  end(): void;
}

/** Maximum number of resources in one listen request. */
const MAX_RESOURCES = 64;

/**
 * Subscribes to the resources of a listen request. Each passes the pipeline, and only those that policy grants are
 * acknowledged.
 * @returns the problem with the request, as one clause, if it is invalid.
 */
export async function openSubscription(
  { broker, serverInfo }: Pick<McpServices, 'broker' | 'serverInfo'>,
  { principal, context, view }: ClientSession,
  { request: { id, params }, signal }: { readonly request: JsonRpcRequest; readonly signal: CancelSignal },
): Promise<OpenSubscription | string> {
  const uris = parseResourceUris(params);
  if (typeof uris === 'string') return uris;
  const resourceSubscriptions = new ResourceSubscriptions();
  const pending = new Set<string>();
  let send: ((json: string) => void) | undefined;
  const granted: string[] = [];
  const notify = (uri: string): void => {
    if (send === undefined) pending.add(uri);
    else send(encodeResourceUpdated(uri, id));
  };
  // One after the other: each counts as a call in flight, and many at once could exceed the limit.
  for (const exposedName of uris) {
    const request = { principal, exposedName, context, view };
    const reply = await broker.subscribe(request, { signal, onUpdated: notify });
    if (reply.end === undefined) continue;
    resourceSubscriptions.add(exposedName, reply.end);
    granted.push(exposedName);
  }
  if (signal.aborted) resourceSubscriptions.closeAll();
  return {
    subscription: parseSubscription(id, params, { serverInfo, resources: granted }),
    start: (to) => {
      send = to;
      for (const uri of pending) notify(uri);
      pending.clear();
    },
    end: () => resourceSubscriptions.closeAll(),
  };
}

function parseResourceUris({ notifications: filter }: JsonObject): readonly string[] | string {
  if (!isJsonObject(filter)) return '`notifications` is not an object';
  const { resourceSubscriptions: request = [] } = filter;
  const isList = Array.isArray(request) && request.every((uri) => typeof uri === 'string');
  if (!isList) return '`resourceSubscriptions` is not a list of URIs';
  const uris = [...new Set(request as readonly string[])];
  return uris.length > MAX_RESOURCES ? `\`resourceSubscriptions\` names more than ${MAX_RESOURCES} resources` : uris;
}

/** A `subscriptions/listen` of 2026-07-28: the grants and the messages to send. */
export interface Subscription {
  /** False if none of its notifications was granted: it is acknowledged and ends at once. */
  readonly isServed: boolean;
  readonly acknowledged: string;
  /** Returns the message for a changed list; undefined if the client did not request it. */
  changed(list: ListKind): string | undefined;
  /** Empty result that ends it gracefully. */
  readonly ended: string;
}

/**
 * Parses the filter of a listen request (patterns/subscriptions). `resources` are the resources that were granted. The
 * acknowledgement lists the grants and omits the rest.
 */
function parseSubscription(
  id: RequestId,
  { notifications }: JsonObject,
  { serverInfo, resources }: { readonly serverInfo: JsonObject; readonly resources: readonly string[] },
): Subscription {
  const filter = isJsonObject(notifications) ? notifications : {};
  const granted = LIST_KINDS.filter((list) => filter[`${list}ListChanged`] === true);
  const meta: JsonObject = { [META_SUBSCRIPTION_ID]: id };
  const messages = new Map(granted.map((list) => [list, encodeTaggedListChanged(list, meta)]));
  return {
    isServed: granted.length + resources.length > 0,
    acknowledged: JSON.stringify({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: {
        notifications: {
          ...Object.fromEntries(granted.map((list) => [`${list}ListChanged`, true])),
          ...(resources.length === 0 ? {} : { resourceSubscriptions: resources }),
        },
        _meta: meta,
      },
    }),
    changed: (list) => messages.get(list),
    ended: JSON.stringify({
      jsonrpc: '2.0',
      id,
      result: { resultType: 'complete', _meta: { ...meta, [META_SERVER_INFO]: serverInfo } },
    }),
  };
}

function encodeTaggedListChanged(list: ListKind, meta: JsonObject): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    method: `notifications/${list}/list_changed`,
    params: { _meta: meta },
  });
}
