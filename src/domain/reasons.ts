/** What each refusal and failure of a call means and what to do about it; `docs/reference/reasons.md` is made of it. */
export const REASONS = {
  'unknown-tool': {
    means: 'No tool of that name exists, or the agent may not see it.',
    remedy: 'List the tools again; `seneschal policy explain` tells an operator which of the two it is.',
  },
  'unknown-prompt': {
    means: 'No prompt of that name exists, or the agent may not see it.',
    remedy: 'List the prompts again; `seneschal policy explain` tells an operator which of the two it is.',
  },
  'unknown-resource': {
    means: 'No resource or template of that URI exists, or the agent may not see it.',
    remedy: 'List the resources again; `seneschal policy explain` tells an operator which of the two it is.',
  },
  'policy-denied': {
    means: 'No grant in `policies/policy.csv` allows the call, or a `deny` row matches it.',
    remedy: 'Run `seneschal policy explain --as agent:… call tool:…`.',
  },
  'rate-exceeded': {
    means: 'More calls than a rate of `policies/limits.yaml` admits.',
    remedy: 'Wait `retryAfterMs`, or change the rate.',
  },
  'concurrency-exceeded': {
    means: 'As many calls as a concurrency limit admits are under way.',
    remedy: 'Wait for one of them to end.',
  },
  'budget-exhausted': {
    means: 'The call would go over a hard budget of `policies/limits.yaml`.',
    remedy: 'Wait until the window ends (`retryAfterMs`), or change the budget.',
  },
  'subscriptions-exceeded': {
    means: 'The agent is subscribed to as many resources as one agent may be.',
    remedy: 'End a subscription that is of no more use.',
  },
  'arguments-invalid': {
    means: "The arguments do not match the tool's `inputSchema`, or what a prompt or a completion takes.",
    remedy: 'Mend what the message names.',
  },
  'output-invalid': {
    means:
      "The result has not the form that MCP gives it, or does not match the tool's `outputSchema` or the registry's contract; it is withheld.",
    remedy: 'Mend the tool server, or its contract.',
  },
  'result-too-large': {
    means: 'The result is larger than `maxResultBytes`; it is withheld.',
    remedy: 'Ask for less, or raise `maxResultBytes` of the tool.',
  },
  'control-failed': {
    means: 'A control threw or was late; what cannot be decided is refused.',
    remedy: "Look for `control.failed` in the broker's log.",
  },
  'ledger-unavailable': {
    means: 'The record could not be made durable; nothing is dispatched without its record.',
    remedy: 'Make room on the disk of the data directory, or see why it cannot be written.',
  },
  'upstream-error': {
    means: 'The tool server answered with a JSON-RPC error; it is passed on verbatim.',
    remedy: 'Read the error; it is the tool server speaking.',
  },
  'upstream-timeout': {
    means: 'The tool server did not answer within its `timeout`; the call is in doubt.',
    remedy: "Raise the server's `timeout`, or see why it hangs.",
  },
  'upstream-unavailable': {
    means: 'The tool server could not be started or reached, or failed repeatedly, so that nothing was sent to it.',
    remedy:
      "Wait `retryAfterMs` where it is given; run `seneschal registry list` and look at the server's command or url.",
  },
  'upstream-lost': {
    means: 'The connection broke after the call was sent; the tool server may have acted. The call is in doubt.',
    remedy: 'Check at the tool server before you try again.',
  },
  'tool-drifted': {
    means: 'The tool server declares the tool, prompt or template otherwise than it was agreed to; nothing was sent.',
    remedy: 'Run `seneschal registry diff`; `seneschal registry pin` agrees to what the tool is now.',
  },
  'upstream-protocol': {
    means: 'The tool server sent something that is not MCP.',
    remedy: 'Mend the tool server.',
  },
  'question-blocked': {
    means: 'A tool server asked what no agent is asked: for a secret in a form, to open an unsafe URL, or no MCP.',
    remedy: 'Mend the tool server: secrets are asked for at an `https` URL of its own (elicitation, URL mode).',
  },
  'question-unanswered': {
    means: "The agent's client did not answer the question of a tool server in time, or answered with an error.",
    remedy: 'Answer it, or raise `--question-expiry`.',
  },
  'question-refused': {
    means: 'The tool server cannot go on without an answer, and its question was refused.',
    remedy: 'Look for the refused question: `seneschal ledger tail` shows its own reason.',
  },
  'question-unfinished': {
    means:
      'The user agreed to open a URL for a tool server, and what goes on there was not over in time; the tool server did nothing.',
    remedy: 'Finish it there and make the call again, or raise `--question-expiry`.',
  },
  'too-many-questions': {
    means: 'As many calls wait for answers as may at one time, or the tool server asked more often than it may.',
    remedy: 'Answer the questions that are open, or raise `--waiting-calls`.',
  },
  'capability-missing': {
    means: "The tool server asked what the agent's client did not declare that it can answer.",
    remedy: 'Use a client with that capability, or another tool.',
  },
  'answer-invalid': {
    means: 'The answer of the agent has not the form that was asked for; the tool server does not get it.',
    remedy: 'Mend what the message names.',
  },
  'request-state-invalid': {
    means:
      'The `requestState` of a call is not one that was given for this very call, or it was used or is too old. The record says which.',
    remedy: 'Make the call anew, without `requestState` and `inputResponses`.',
  },
  cancelled: {
    means: 'The agent cancelled the call or went away.',
    remedy: 'Nothing to do.',
  },
  overloaded: {
    means: 'As many calls as the broker takes at one time (`serve --max-calls`) are under way; nothing was sent.',
    remedy: 'Wait `retryAfterMs`; see which tool server is slow, or give the broker more room.',
  },
  'shutting-down': {
    means: 'The broker is stopping and takes no new calls.',
    remedy: 'Try again when it runs.',
  },
  'in-doubt': {
    means: 'The broker ended between the intent and the outcome; whether the tool server acted is not known.',
    remedy: 'Check at the tool server; the reservation stays charged.',
  },
} as const;

/** The stable code of a refusal or failure. */
export type Reason = keyof typeof REASONS;
