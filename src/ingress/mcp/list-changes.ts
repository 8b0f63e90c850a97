import type { Broker } from '../../broker/broker.ts';
import type { OfferKind } from '../../domain/target.ts';
import type { ViewName } from '../../domain/view-name.ts';
import { notificationText } from './notification-text.ts';

/** What clients are told of: resources and their templates are one surface. */
export const LIST_SURFACES = ['tools', 'prompts', 'resources'] as const;
export type ListSurface = (typeof LIST_SURFACES)[number];

/** Who sees lists, and in which view; undefined is the whole. */
export interface Viewer {
  readonly principalId: string;
  readonly view?: ViewName | undefined;
}

/** Tells each principal's open streams that its own list changed, and nobody else's (design: decided question 4). */
export interface ListChanges {
  /** Calls `push` whenever a list of that principal changed. Returns the way to stop. */
  watch(viewer: Viewer, push: (surface: ListSurface) => void): () => void;
  close(): void;
}

const SURFACE_OF: Readonly<Record<OfferKind, ListSurface>> = {
  tool: 'tools',
  prompt: 'prompts',
  resource: 'resources',
  template: 'resources',
};

export function openListChanges(broker: Pick<Broker, 'onListChanged'>): ListChanges {
  const watchers = new Map<string, Set<(surface: ListSurface) => void>>();
  const stop = broker.onListChanged((principalId, kind, view) => {
    // A copy: a push may end its own stream, and with it its entry.
    for (const push of [...(watchers.get(keyOf({ principalId, view })) ?? [])]) push(SURFACE_OF[kind]);
  });
  return {
    watch(viewer, push) {
      const key = keyOf(viewer);
      const own = watchers.get(key) ?? new Set();
      watchers.set(key, own.add(push));
      return () => {
        own.delete(push);
        if (own.size === 0 && watchers.get(key) === own) watchers.delete(key);
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

const CHANGED: Readonly<Record<ListSurface, string>> = {
  tools: listChanged('tools'),
  prompts: listChanged('prompts'),
  resources: listChanged('resources'),
};

/** The untagged notification that legacy clients get. */
export function listChangedText(surface: ListSurface): string {
  return CHANGED[surface];
}

function listChanged(surface: ListSurface): string {
  return notificationText(`notifications/${surface}/list_changed`);
}
