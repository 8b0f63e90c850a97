/** One call of a scripted agent and its expected end. */
export interface Step {
  /** Label of the step, one word. */
  readonly shows: string;
  /** The calling agent. Default: `demo`. */
  readonly agent?: 'demo' | 'second';
  /** Exposed name of the tool. */
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Number of calls; the last is printed, the earlier ones must complete. Default: 1. */
  readonly times?: number;
  /** Expected in the ledger: `completed`, or the reason. */
  readonly ends: string;
  /** Expected reason in the result. Default: `ends`. */
  readonly agentSees?: string;
}

/** Steps of the demonstration, in order. The mail server changes its tools after the call of `count`. */
export const STEPS: readonly Step[] = [
  { shows: 'allowed', tool: 'files__read_text_file', args: { path: 'welcome.md' }, ends: 'completed' },
  {
    shows: 'hidden',
    tool: 'memory__delete_entities',
    args: { entityNames: ['Arden'] },
    ends: 'policy-denied',
    agentSees: 'unknown-tool',
  },
  { shows: 'condition', tool: 'everything__get-sum', args: { a: 2000, b: 3 }, ends: 'policy-denied' },
  { shows: 'arguments', tool: 'memory__search_nodes', args: { query: 7 }, ends: 'arguments-invalid' },
  { shows: 'rate', tool: 'everything__echo', args: { message: 'again' }, times: 3, ends: 'rate-exceeded' },
  { shows: 'budget', tool: 'memory__open_nodes', args: { names: ['Arden'] }, times: 3, ends: 'budget-exhausted' },
  { shows: 'result', tool: 'mail__count', args: {}, ends: 'output-invalid' },
  { shows: 'drift', agent: 'second', tool: 'mail__send', args: { to: 'ana@example.org' }, ends: 'tool-drifted' },
];
