/** The slots taken. Outlives every revision of the rules; holds nothing for calls that have ended. */
export interface ConcurrencyState {
  /** How many calls hold a slot under `key`. */
  inUse(key: string): number;
  /** Takes one slot under each key. @throws Error when the call already holds slots. */
  acquire(callId: string, keys: readonly string[]): void;
  /** Makes what one call holds another's, which goes on with it. False when the one holds nothing. */
  carry(fromId: string, toId: string): boolean;
  /** Gives back what the call holds. Does nothing when it holds nothing, so that giving back twice gives back once. */
  release(callId: string): void;
}

/** Slots in memory: as many counters as calls under way have, at most. */
export function createConcurrencyState(): ConcurrencyState {
  const counts = new Map<string, number>();
  const keysByCall = new Map<string, readonly string[]>();
  return {
    inUse: (key) => counts.get(key) ?? 0,
    acquire(callId, keys) {
      if (keysByCall.has(callId)) throw new Error(`the call ${callId} already holds its slots`);
      keysByCall.set(callId, keys);
      for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    carry(fromId, toId) {
      const keys = keysByCall.get(fromId);
      if (keys === undefined) return false;
      keysByCall.delete(fromId);
      keysByCall.set(toId, keys);
      return true;
    },
    release(callId) {
      for (const key of keysByCall.get(callId) ?? []) {
        const left = (counts.get(key) ?? 0) - 1;
        if (left > 0) counts.set(key, left);
        else counts.delete(key);
      }
      keysByCall.delete(callId);
    },
  };
}
