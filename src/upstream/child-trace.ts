import type { Ids } from '../lib/ids.ts';

const PARENT_ID_BYTES = 8;
const PARTS = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;

/**
 * The trace context with which a call goes on to its tool server: the trace and the flags that it came with, under a
 * parent id of our own, in version 00 (W3C Trace Context, "Mutating the traceparent field"). Undefined where what came is
 * no valid context, which is then not handed on.
 */
export function childTraceparent(traceparent: string, ids: Ids): string | undefined {
  const [, traceId, flags] = PARTS.exec(traceparent) ?? [];
  if (traceId === undefined || flags === undefined) return undefined;
  return `00-${traceId}-${Buffer.from(ids.randomBytes(PARENT_ID_BYTES)).toString('hex')}-${flags}`;
}
