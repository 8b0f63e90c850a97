import type { Broker } from '../../../broker/broker.ts';
import { encodeNotification } from '../../../domain/mcp/notification.ts';
import type { FeatureKind, ViewName } from '../../../domain/target.ts';

/** Lists that have a notification. Resources and their templates share one. */
export const LIST_KINDS = ['tools', 'prompts', 'resources'] as const;
export type ListKind = (typeof LIST_KINDS)[number];

/** A principal and its view; undefined is all servers. */
export interface Viewer {
  readonly principalId: string;
  readonly view?: ViewName | undefined;
}

/** Notifies the open streams of a principal, and no others, when a list of that principal changes. */
export interface ListChangeFeed {
  /** Calls `push` whenever a list of the viewer changes. @returns a function that stops it. */
  watch(viewer: Viewer, push: (list: ListKind) => void): () => void;
  close(): void;
}

const LIST_KIND_OF: Readonly<Record<FeatureKind, ListKind>> = {
  tool: 'tools',
  prompt: 'prompts',
  resource: 'resources',
  template: 'resources',
};

export function openListChangeFeed(broker: Pick<Broker, 'onListChanged'>): ListChangeFeed {
  const watchers = new Map<string, Set<(list: ListKind) => void>>();
  const stop = broker.onListChanged((principalId, kind, view) => {
    // A copy: `push` may end its own stream, which removes its entry.
    for (const push of [...(watchers.get(keyOf({ principalId, view })) ?? [])]) push(LIST_KIND_OF[kind]);
  });
  return {
    watch(viewer, push) {
      const key = keyOf(viewer);
      const ownWatchers = watchers.get(key) ?? new Set();
      watchers.set(key, ownWatchers.add(push));
      return () => {
        ownWatchers.delete(push);
        if (ownWatchers.size === 0 && watchers.get(key) === ownWatchers) watchers.delete(key);
      };
    },
    close() {
      stop();
      watchers.clear();
    },
  };
}

/** The space separates: names of agents and views contain none. */
function keyOf({ principalId, view }: Viewer): string {
  return `${principalId} ${view ?? ''}`;
}

const LIST_CHANGED_MESSAGES: Readonly<Record<ListKind, string>> = {
  tools: encodeListChanged('tools'),
  prompts: encodeListChanged('prompts'),
  resources: encodeListChanged('resources'),
};

/** Returns the notification for legacy clients, which has no subscription id. */
export function listChangedMessage(list: ListKind): string {
  return LIST_CHANGED_MESSAGES[list];
}

function encodeListChanged(list: ListKind): string {
  return encodeNotification(`notifications/${list}/list_changed`);
}
