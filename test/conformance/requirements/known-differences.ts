import type { KnownDifference } from '../official-suite/compare-columns.ts';

const POLLING =
  'a response is sent on the connection of its call, as JSON or as a stream that ends with it: the broker keeps no response for a client to fetch later, which is optional for servers';
const NO_INPUT_REQUEST =
  'input responses without an input request are not passed on: each input request is decided and recorded, and the request state binds the responses to it, so that the server sends its input request';
const NO_NAMES =
  'the legacy era has no names for input requests, so that the name `user_name` of this scenario is unknown; the broker uses its own name';
const NO_CODE =
  "the legacy era has no error code for an undeclared capability: the server's own error is passed on unchanged";

/** Every check of the official suite with another result through the broker, and the reason in the protocol. */
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
    ...{ direct: 'passed' as const, through: 'warned' as const, reason: NO_INPUT_REQUEST },
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
