import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { RequestId } from './envelope.ts';
import { META_SERVER_INFO, META_SUBSCRIPTION_ID } from './revisions.ts';

/** The untagged notification that legacy clients get. */
export const TOOL_LIST_CHANGED = '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}';

/** A `subscriptions/listen` of 2026-07-28: what it was granted, and the texts that it sends. */
export interface Subscription {
  /** False when nothing that was asked for is served: it is acknowledged and ends at once. */
  readonly toolsListChanged: boolean;
  readonly acknowledged: string;
  readonly changed: string;
  /** The empty result that ends it gracefully. */
  readonly ended: string;
}

/** Reads what a listen request asks for; undefined when it has no filter (patterns/subscriptions). */
export function readSubscription(id: RequestId, params: JsonObject, serverInfo: JsonObject): Subscription | undefined {
  const filter = params.notifications;
  if (!isJsonObject(filter)) return undefined;
  const toolsListChanged = filter.toolsListChanged === true;
  const tag: JsonObject = { [META_SUBSCRIPTION_ID]: id };
  return {
    toolsListChanged,
    acknowledged: JSON.stringify({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: toolsListChanged ? { toolsListChanged } : {}, _meta: tag },
    }),
    changed: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: { _meta: tag } }),
    ended: JSON.stringify({
      jsonrpc: '2.0',
      id,
      result: { resultType: 'complete', _meta: { ...tag, [META_SERVER_INFO]: serverInfo } },
    }),
  };
}
