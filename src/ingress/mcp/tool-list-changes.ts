import type { Broker } from '../../broker/broker.ts';

/** Tells each principal's open streams that its own list changed, and nobody else's (design: decided question 4). */
export interface ToolListChanges {
  /** Calls `push` whenever the list of that principal changed. Returns the way to stop. */
  watch(principalId: string, push: () => void): () => void;
  close(): void;
}

export function openToolListChanges(broker: Pick<Broker, 'onToolListChanged'>): ToolListChanges {
  const watchers = new Map<string, Set<() => void>>();
  const stop = broker.onToolListChanged((principalId) => {
    // A copy: a push may end its own stream, and with it its entry.
    for (const push of [...(watchers.get(principalId) ?? [])]) push();
  });
  return {
    watch(principalId, push) {
      const own = watchers.get(principalId) ?? new Set();
      watchers.set(principalId, own.add(push));
      return () => {
        own.delete(push);
        if (own.size === 0 && watchers.get(principalId) === own) watchers.delete(principalId);
      };
    },
    close() {
      stop();
      watchers.clear();
    },
  };
}
