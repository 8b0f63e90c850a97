import type { KnownDifference } from '../official-suite/compare-columns.ts';

const POLLING =
  'a call is answered on its own connection, as JSON or as a stream that ends with the reply: the broker keeps no reply for a client to fetch later, which a server may do and need not';
const NO_QUESTION =
  'answers that come before any question belong to none: what a tool server asks is an act that is decided and recorded, and its sealed state binds the answers to it, so that the server is not given them and asks';
const NO_NAMES =
  'the older wire has no names for questions, so that the name `user_name` of this scenario cannot be known; the broker gives one of its own';
const NO_CODE =
  "the older wire has no code for what a client did not declare: the server's own failure of the call is passed on as it is";

/** Every check of the official suite that ends otherwise through the broker, and what of the wire makes it so. */
export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  ...(['legacy', 'modern'] as const).flatMap((behind) =>
    ['server-sse-priming-event', 'server-sse-retry-field', 'server-sse-disconnect-resume'].map((check) => ({
      revisions: ['2025-11-25'] as const,
      ...{ behind, scenario: 'server-sse-polling', check },
      ...{ direct: 'passed' as const, through: 'unseen' as const, reason: POLLING },
    })),
  ),
  ...(['legacy', 'modern'] as const).map((behind) => ({
    revisions: ['2026-07-28'] as const,
    ...{ behind, scenario: 'input-required-result-ignore-extra-params', check: 'sep-2322-ignore-unexpected-params' },
    ...{ direct: 'passed' as const, through: 'warned' as const, reason: NO_QUESTION },
  })),
  {
    revisions: ['2026-07-28'],
    behind: 'legacy',
    scenario: 'input-required-result-basic-elicitation',
    check: 'sep-2322-elicitation-incomplete',
    direct: 'passed',
    through: 'failed',
    reason: NO_NAMES,
  },
  {
    revisions: ['2026-07-28'],
    behind: 'legacy',
    scenario: 'input-required-result-basic-elicitation',
    check: 'sep-2322-elicitation-complete',
    direct: 'passed',
    through: 'unseen',
    reason: NO_NAMES,
  },
  ...['sep-2575-server-rejects-undeclared-capability', 'sep-2575-missing-capability-http-400'].map((check) => ({
    revisions: ['2026-07-28'] as const,
    ...{ behind: 'legacy' as const, scenario: 'server-stateless', check },
    ...{ direct: 'passed' as const, through: 'failed' as const, reason: NO_CODE },
  })),
];
