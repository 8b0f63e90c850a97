import type { Target } from '../domain/target.ts';
import type { RecordedTarget } from '../ledger/entry.ts';

/**
 * A target as far as an entry tells of it. What it does not tell (schemas, cost, labels) stands in the facts of the
 * controls that looked at it, so that no decision reads it here.
 */
export function toTarget(recorded: RecordedTarget): Target {
  const { id } = recorded;
  if (id === 'tool:unknown' || id === 'prompt:unknown' || id === 'resource:unknown') {
    return { kind: 'unknown', id, exposedName: 'exposedName' in recorded ? recorded.exposedName : '' };
  }
  const [, kind = '', server = '', name = ''] = /^([^:]*):([^/]*)\/?(.*)$/s.exec(id) ?? [];
  const common = {
    ...{ server, exposedName: name, risk: 'risk' in recorded ? recorded.risk : 'destructive', labels: [] },
    ...{ costNanoUsd: 0, timeoutMs: 0, maxResultBytes: 0, payloads: 'digest' as const, definition: {} },
    definitionDigest: 'definitionDigest' in recorded ? recorded.definitionDigest : NO_DIGEST,
  };
  switch (kind) {
    case 'prompt':
      return { ...common, kind, id: `prompt:${server}/${name}`, prompt: name, inputSchema: {} };
    case 'resource':
      // Whether it was a resource or a template no decision asks.
      return { ...common, kind, id: `resource:${server}/${name}`, uri: name };
    case 'server':
      return { ...common, kind, id: `server:${server}` };
    default:
      return { ...common, kind: 'tool', id: `tool:${server}/${name}`, tool: name, inputSchema: {} };
  }
}

const NO_DIGEST = 'sha256:';
