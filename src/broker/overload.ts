import type { FailureMode } from '../domain/posture.ts';

export const overloadFailureMode: FailureMode<'overloaded'> = {
  control: 'calls under way',
  trigger: 'as many calls as the broker takes at one time are under way',
  result: 'overloaded',
  override: '`serve --max-calls <number>`',
};

/** Calls of all agents together that may be under way, where nobody says otherwise. */
export const DEFAULT_MAX_CALLS = 1_024;

/** When it is worth trying again: what is under way takes about so long to become less. */
export const OVERLOAD_RETRY_MS = 1_000;
