/**
 * A rate in the terms of the generic cell rate algorithm (ITU-T I.371, annex A), in whole microseconds. The emission
 * interval is rounded up, so a rate never admits more calls than it states.
 */
export interface GcraRate {
  /** Microseconds between two calls at the sustained rate. */
  readonly emissionUs: number;
  /** Microseconds by which a call may come ahead of the sustained rate: (burst − 1) emission intervals. */
  readonly toleranceUs: number;
}

/** Makes the rate of `calls` per `periodMs` with `burst` calls at once from rest. All three are positive integers. */
export function gcraRate(options: {
  readonly calls: number;
  readonly periodMs: number;
  readonly burst: number;
}): GcraRate {
  const emissionUs = Math.ceil((options.periodMs * 1_000) / options.calls);
  const toleranceUs = emissionUs * (options.burst - 1);
  if (!Number.isSafeInteger(toleranceUs)) throw new RangeError('a burst times its interval must be a safe integer');
  return { emissionUs, toleranceUs };
}

/** Microseconds by which a counter is ahead of the sustained rate: its theoretical arrival time less now; 0 at rest. */
export function aheadUsAt(tatUs: number | undefined, nowUs: number): number {
  return tatUs === undefined || tatUs <= nowUs ? 0 : tatUs - nowUs;
}

/** Microseconds until the next call is admitted; 0 when it is admitted now. */
export function waitUsFor(rate: GcraRate, aheadUs: number): number {
  return aheadUs <= rate.toleranceUs ? 0 : aheadUs - rate.toleranceUs;
}

/** The theoretical arrival time after a call was admitted at `nowUs`. A refused call does not change it. */
export function nextTatUs(rate: GcraRate, aheadUs: number, nowUs: number): number {
  return nowUs + aheadUs + rate.emissionUs;
}
