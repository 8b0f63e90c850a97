import type { Target } from '../domain/target.ts';
import type { RecordedTarget } from '../ledger/entry.ts';

/**
 * A target as far as an entry tells of it. What it does not tell (schemas, cost, labels) stands in the facts of the
 * controls that looked at it, so that no decision reads it here.
 */
export function recordedTarget(recorded: RecordedTarget): Target {
  if (recorded.id === 'tool:unknown') {
    return { kind: 'unknown', id: recorded.id, exposedName: 'exposedName' in recorded ? recorded.exposedName : '' };
  }
  const [server = '', tool = ''] = recorded.id.slice('tool:'.length).split('/', 2);
  return {
    kind: 'tool',
    id: recorded.id,
    server,
    tool,
    exposedName: `${server}__${tool}`,
    risk: recorded.risk,
    labels: [],
    costNanoUsd: 0,
    timeoutMs: 0,
    maxResultBytes: 0,
    payloads: 'digest',
    definitionDigest: recorded.definitionDigest,
    definition: {},
    inputSchema: {},
  };
}
