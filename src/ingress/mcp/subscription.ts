import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { RequestId } from './envelope.ts';
import { LIST_KINDS, type ListKind } from './list-changes.ts';
import { META_SERVER_INFO, META_SUBSCRIPTION_ID } from './revisions.ts';

/** A `subscriptions/listen` of 2026-07-28: what it was granted, and the texts that it sends. */
export interface Subscription {
  /** False when nothing that was asked for is served: it is acknowledged and ends at once. */
  readonly isServed: boolean;
  readonly acknowledged: string;
  /** What is sent when a list changed; undefined where the client did not ask for that list. */
  changed(list: ListKind): string | undefined;
  /** The empty result that ends it gracefully. */
  readonly ended: string;
}

/**
 * Reads what a listen request asks for (patterns/subscriptions). `resources` are the single resources that it was granted;
 * the acknowledgement says what was not by leaving it out.
 */
export function parseSubscription(
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
