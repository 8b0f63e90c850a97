import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { RequestId } from './envelope.ts';
import { LIST_SURFACES, type ListSurface } from './list-changes.ts';
import { META_SERVER_INFO, META_SUBSCRIPTION_ID } from './revisions.ts';

/** A `subscriptions/listen` of 2026-07-28: what it was granted, and the texts that it sends. */
export interface Subscription {
  /** False when nothing that was asked for is served: it is acknowledged and ends at once. */
  readonly isServed: boolean;
  readonly acknowledged: string;
  /** What is sent when a list changed; undefined where the client did not ask for that list. */
  changed(surface: ListSurface): string | undefined;
  /** The empty result that ends it gracefully. */
  readonly ended: string;
}

/**
 * Reads what a listen request asks for (patterns/subscriptions). `resources` are the single resources that it was granted;
 * the acknowledgement says what was not by leaving it out.
 */
export function readSubscription(
  id: RequestId,
  { notifications }: JsonObject,
  { serverInfo, resources }: { readonly serverInfo: JsonObject; readonly resources: readonly string[] },
): Subscription {
  const filter = isJsonObject(notifications) ? notifications : {};
  const granted = LIST_SURFACES.filter((surface) => filter[`${surface}ListChanged`] === true);
  const tag: JsonObject = { [META_SUBSCRIPTION_ID]: id };
  const texts = new Map(granted.map((surface) => [surface, changedText(surface, tag)]));
  return {
    isServed: granted.length + resources.length > 0,
    acknowledged: JSON.stringify({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: {
        notifications: {
          ...Object.fromEntries(granted.map((surface) => [`${surface}ListChanged`, true])),
          ...(resources.length === 0 ? {} : { resourceSubscriptions: resources }),
        },
        _meta: tag,
      },
    }),
    changed: (surface) => texts.get(surface),
    ended: JSON.stringify({
      jsonrpc: '2.0',
      id,
      result: { resultType: 'complete', _meta: { ...tag, [META_SERVER_INFO]: serverInfo } },
    }),
  };
}

function changedText(surface: ListSurface, tag: JsonObject): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    method: `notifications/${surface}/list_changed`,
    params: { _meta: tag },
  });
}
