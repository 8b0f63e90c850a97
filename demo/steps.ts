/** One call of a scripted agent and how it has to end. */
export interface Step {
  /** What the step shows, in one word. */
  readonly shows: string;
  /** Which agent calls. Default: `demo`. */
  readonly agent?: 'demo' | 'second';
  /** The tool by the name that agents see. */
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** How often it is called: the last call is shown, those before it must be answered. Default: once. */
  readonly times?: number;
  /** What the ledger has to say: `completed`, or the reason. */
  readonly ends: string;
  /** The reason that the agent has to be told. Default: that of the ledger. */
  readonly told?: string;
}

/** What the demonstration does, in order. The mail server is honest until its `count` was called. */
export const STEPS: readonly Step[] = [
  { shows: 'allowed', tool: 'files__read_text_file', args: { path: 'welcome.md' }, ends: 'completed' },
  {
    ...{ shows: 'hidden', tool: 'memory__delete_entities', args: { entityNames: ['Arden'] } },
    ...{ ends: 'policy-denied', told: 'unknown-tool' },
  },
  { shows: 'condition', tool: 'everything__get-sum', args: { a: 2000, b: 3 }, ends: 'policy-denied' },
  { shows: 'arguments', tool: 'memory__search_nodes', args: { query: 7 }, ends: 'arguments-invalid' },
  { shows: 'rate', tool: 'everything__echo', args: { message: 'again' }, times: 3, ends: 'rate-exceeded' },
  { shows: 'budget', tool: 'memory__open_nodes', args: { names: ['Arden'] }, times: 3, ends: 'budget-exhausted' },
  { shows: 'result', tool: 'mail__count', args: {}, ends: 'output-invalid' },
  { shows: 'drift', agent: 'second', tool: 'mail__send', args: { to: 'ana@example.org' }, ends: 'tool-drifted' },
];
