import type { Broker } from '../../../broker/broker.ts';
import { encodeNotification } from '../../../domain/mcp/notification.ts';
import type { FeatureKind, ViewName } from '../../../domain/target.ts';

/** What clients are told of: resources and their templates are one surface. */
export const LIST_KINDS = ['tools', 'prompts', 'resources'] as const;
export type ListKind = (typeof LIST_KINDS)[number];

/** Who sees lists, and in which view; undefined is the whole. */
export interface Viewer {
  readonly principalId: string;
  readonly view?: ViewName | undefined;
}

/** Tells each principal's open streams that its own list changed, and nobody else's (design: decided question 4). */
export interface ListChangeFeed {
  /** Calls `push` whenever a list of that principal changed. Returns the way to stop. */
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
    // A copy: a push may end its own stream, and with it its entry.
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

/** No name of an agent or of a view holds a space. */
function keyOf({ principalId, view }: Viewer): string {
  return `${principalId} ${view ?? ''}`;
}

const LIST_CHANGED_MESSAGES: Readonly<Record<ListKind, string>> = {
  tools: encodeListChanged('tools'),
  prompts: encodeListChanged('prompts'),
  resources: encodeListChanged('resources'),
};

/** The untagged notification that legacy clients get. */
export function listChangedMessage(list: ListKind): string {
  return LIST_CHANGED_MESSAGES[list];
}

function encodeListChanged(list: ListKind): string {
  return encodeNotification(`notifications/${list}/list_changed`);
}
