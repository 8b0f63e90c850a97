import type { Problem } from '../../domain/problem.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import type { Clock } from '../../lib/time.ts';
import type { PolicyFiles } from '../queries/policy.ts';
import type { DaemonReport } from '../runtime/daemon-socket.ts';
import type { ServerSecretProblem } from '../runtime/upstream-servers.ts';
import type { Settings } from '../settings.ts';

/** Measurements of the machine. */
export interface MachineProbe {
  /** Version of Node, such as `20.19.0`. */
  readonly nodeVersion: string;
  /** Free bytes for this user on the disk of a directory. */
  freeBytes(directory: string): number;
  /** Milliseconds until a small write to the disk of a directory is durable; the median of several. */
  syncMs(directory: string): number;
}

/** The installation under examination. Everything is read once, so that all checks see the same. */
export interface Environment {
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly clock: Clock;
  readonly machine: MachineProbe;
  readonly signal: AbortSignal;
  /** Report of the broker that holds the data directory; undefined if none responds. */
  readonly daemon: DaemonReport | undefined;
  /** Undefined if a file does not load. */
  readonly files: PolicyFiles | undefined;
  /** Problems of the files, and of the request to the daemon. */
  readonly problems: readonly Problem[];
  readonly secrets: readonly ServerSecretProblem[];
}

export interface CheckResult {
  /** Errors are faults; warnings do no harm yet. */
  readonly findings: readonly Problem[];
  /** Measurements for support. Small, without secrets. */
  readonly facts?: JsonObject;
}

/** One question of support. MUST change nothing. An exception is reported as a finding of the check. */
export interface Check {
  /** One or two words, such as `disk`. */
  readonly name: string;
  run(environment: Environment): CheckResult | Promise<CheckResult>;
}

export const NO_FINDINGS: CheckResult = { findings: [] };
