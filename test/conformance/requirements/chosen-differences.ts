/** A recommendation of the specification that the broker does not follow, although it could. */
export interface ChosenDifference {
  /** Section of the specification, without `https://modelcontextprotocol.io/specification/`. */
  readonly source: string;
  /** The recommendation. */
  readonly advised: string;
  /** Behaviour of the broker. */
  readonly does: string;
  /** One sentence: why. */
  readonly reason: string;
  /** The test that shows it. */
  readonly shownBy: string;
}

export const CHOSEN_DIFFERENCES: readonly ChosenDifference[] = [
  {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    advised: 'a closed connection should not be interpreted as a cancellation of its request',
    does: 'a legacy agent over HTTP that closes the connection of its call cancels the call, as a modern agent does',
    reason:
      'the broker keeps no response for later: the call would continue to act and to hold its limits, and no agent would get its result',
    shownBy: 'test/attack/http/client-disconnect.test.ts',
  },
  {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    advised: 'a client waits for the time in `retry` before it resumes a stream that ended',
    does: 'the broker resumes after at least 100 ms and at most a minute, whatever `retry` is',
    reason: 'a server decides neither how often the broker sends requests nor how long an agent waits',
    shownBy: 'test/unit/upstream/stream-resumption.test.ts',
  },
];
