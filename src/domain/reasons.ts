/** Meaning and remedy of each reason for which a call is refused or fails; `docs/reference/reasons.md` is generated from it. */
export const REASONS = {
  'unknown-tool': {
    means: 'No tool of that name exists, or the agent may not see it.',
    remedy: 'List the tools again. `seneschal policy explain` tells an operator which of the two it is.',
  },
  'unknown-prompt': {
    means: 'No prompt of that name exists, or the agent may not see it.',
    remedy: 'List the prompts again. `seneschal policy explain` tells an operator which of the two it is.',
  },
  'unknown-resource': {
    means: 'No resource or template of that URI exists, or the agent may not see it.',
    remedy: 'List the resources again. `seneschal policy explain` tells an operator which of the two it is.',
  },
  'policy-denied': {
    means: 'No grant in `policies/policy.csv` allows the call, or a `deny` row matches it.',
    remedy: 'Run `seneschal policy explain --as agent:… call tool:…`.',
  },
  'rate-exceeded': {
    means: 'A rate of `policies/limits.yaml` admits no more calls at the moment.',
    remedy: 'Wait `retryAfterMs`, or change the rate.',
  },
  'concurrency-exceeded': {
    means: 'As many calls are in flight as a concurrency limit allows.',
    remedy: 'Wait until one of them has ended.',
  },
  'budget-exhausted': {
    means: 'The call would exceed a hard budget of `policies/limits.yaml`.',
    remedy: 'Wait until the window ends (`retryAfterMs`), or change the budget.',
  },
  'subscriptions-exceeded': {
    means: 'The agent is subscribed to as many resources as one agent may be.',
    remedy: 'End a subscription that is no longer needed.',
  },
  'arguments-invalid': {
    means: "The arguments do not match the tool's `inputSchema`, or those of a prompt or a completion.",
    remedy: 'Correct what the message names.',
  },
  'output-invalid': {
    means:
      "The result is not valid MCP, or does not match the tool's `outputSchema` or the registry's contract; it is withheld.",
    remedy: 'Correct the tool server, or its contract.',
  },
  'result-too-large': {
    means: 'The result is larger than `maxResultBytes`; it is withheld.',
    remedy: 'Request less, or raise `maxResultBytes` of the tool.',
  },
  'control-failed': {
    means: 'A control threw or was late. A call that cannot be decided is refused.',
    remedy: "Look for `control.failed` in the broker's log.",
  },
  'ledger-unavailable': {
    means: 'The record could not be made durable. Nothing is dispatched without its record.',
    remedy: 'Free space on the disk of the data directory, or find out why it cannot be written.',
  },
  'upstream-error': {
    means: 'The tool server answered with a JSON-RPC error; it is passed on verbatim.',
    remedy: 'Read the error: it is the message of the tool server.',
  },
  'upstream-timeout': {
    means: 'The tool server did not answer within its `timeout`; the call is in doubt.',
    remedy: "Raise the server's `timeout`, or find out why it hangs.",
  },
  'upstream-unavailable': {
    means: 'The tool server could not be started or reached, or failed repeatedly; nothing was sent to it.',
    remedy: "Wait `retryAfterMs` if it is given. Run `seneschal registry list`, and check the server's command or url.",
  },
  'upstream-lost': {
    means: 'The connection broke after the call was sent; the tool server may have acted. The call is in doubt.',
    remedy: 'Check at the tool server before you try again.',
  },
  'tool-drifted': {
    means: 'The tool server declares the tool, prompt or template differently from its pin; nothing was sent.',
    remedy: 'Run `seneschal registry diff`. `seneschal registry pin` agrees to the new definition.',
  },
  'upstream-protocol': {
    means: 'The tool server sent something that is not MCP.',
    remedy: 'Correct the tool server.',
  },
  'question-blocked': {
    means:
      'The input request of a tool server is not forwarded: it asks for a secret in a form or for an unsafe URL, or it is not MCP.',
    remedy: 'Correct the tool server: it asks for secrets at an `https` URL of its own (elicitation, URL mode).',
  },
  'question-unanswered': {
    means: "The agent's client did not answer an input request of a tool server in time, or answered with an error.",
    remedy: 'Answer it, or raise `--question-expiry`.',
  },
  'question-refused': {
    means: 'The tool server needs a response to continue, and its input request was refused.',
    remedy: 'Find the refused input request with `seneschal ledger tail`: it has its own reason.',
  },
  'question-unfinished': {
    means:
      'The user agreed to open a URL for a tool server and did not finish there in time; the tool server did nothing.',
    remedy: 'Finish there and make the call again, or raise `--question-expiry`.',
  },
  'too-many-questions': {
    means: 'Too many calls are waiting for input, or the tool server requested input too often.',
    remedy: 'Answer the open input requests, or raise `--waiting-calls`.',
  },
  'capability-missing': {
    means: "The tool server requested input that the agent's client did not declare a capability for.",
    remedy: 'Use a client with that capability, or another tool.',
  },
  'answer-invalid': {
    means: 'The response of the agent does not have the requested form; the tool server does not receive it.',
    remedy: 'Correct what the message names.',
  },
  'request-state-invalid': {
    means:
      'The `requestState` of a call was not issued for this call, was used already, or has expired. The record says which.',
    remedy: 'Make the call again, without `requestState` and `inputResponses`.',
  },
  cancelled: {
    means: 'The agent cancelled the call or disconnected.',
    remedy: 'Nothing to do.',
  },
  overloaded: {
    means: 'As many calls are in flight as the broker takes (`serve --max-calls`); nothing was sent.',
    remedy: 'Wait `retryAfterMs`. Find out which tool server is slow, or raise the limit.',
  },
  'shutting-down': {
    means: 'The broker is stopping and takes no new calls.',
    remedy: 'Try again when it runs.',
  },
  'in-doubt': {
    means: 'The broker ended between the admission of the call and its outcome; the tool server may have acted.',
    remedy: 'Check at the tool server; the reservation stays charged.',
  },
} as const;

/** Stable code of a refusal or failure. */
export type Reason = keyof typeof REASONS;
