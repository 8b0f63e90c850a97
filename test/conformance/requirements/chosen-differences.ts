/** Where the broker does otherwise than the specification advises, although it could do as advised. */
export interface ChosenDifference {
  /** Where the specification says so: what follows `https://modelcontextprotocol.io/specification/`. */
  readonly source: string;
  /** What is advised. */
  readonly advised: string;
  /** What the broker does. */
  readonly does: string;
  /** One sentence: why. */
  readonly reason: string;
  /** The test that shows it. */
  readonly shownBy: string;
}

export const CHOSEN_DIFFERENCES: readonly ChosenDifference[] = [
  {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    advised: 'that the connection of a request is closed should not be read as its cancellation',
    does: 'a legacy agent over HTTP that closes the connection of its call cancels it, as a modern one does',
    reason:
      'the broker stores no replies, so no client could receive the result, while the call would go on and hold its limits for an agent that may never return',
    shownBy: 'test/attack/http/client-disconnect.test.ts',
  },
  {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    advised: 'a client waits for as long as `retry` says before it goes on with a stream that ended',
    does: 'a tool server that wants more than a minute is asked after a minute, and one that wants less than 100 ms after 100 ms',
    reason: 'a server does not set how often the broker asks, nor how long an agent waits in vain',
    shownBy: 'test/unit/upstream/stream-resumption.test.ts',
  },
];
