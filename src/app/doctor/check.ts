import type { Problem } from '../../domain/problem.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import type { Clock } from '../../lib/time.ts';
import type { PolicyFiles } from '../queries/policy.ts';
import type { DaemonReport } from '../runtime/daemon-socket.ts';
import type { ServerSecretProblem } from '../runtime/upstream-servers.ts';
import type { Settings } from '../settings.ts';

/** What is measured of the machine. */
export interface MachineProbe {
  /** Version of Node, as `20.19.0`. */
  readonly nodeVersion: string;
  /** Bytes that this user may still write to the disk of a directory. */
  freeBytes(directory: string): number;
  /** Milliseconds that a small write to the disk of a directory takes until it is durable: the median of several. */
  syncMs(directory: string): number;
}

/** The set-up that is looked at. Everything in it is read once, so that all checks speak of the same. */
export interface Environment {
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly clock: Clock;
  readonly machine: MachineProbe;
  readonly signal: AbortSignal;
  /** What the broker says of itself that holds the data directory; undefined where none answers. */
  readonly daemon: DaemonReport | undefined;
  /** Undefined where a file does not load. */
  readonly files: PolicyFiles | undefined;
  /** Why not, and what keeps the daemon from being asked. */
  readonly problems: readonly Problem[];
  readonly secrets: readonly ServerSecretProblem[];
}

/** What a check found. */
export interface CheckResult {
  /** Errors are faults; warnings are told and do no harm yet. */
  readonly findings: readonly Problem[];
  /** What was measured, for support. Small, without secrets. */
  readonly facts?: JsonObject;
}

/** One thing that support would ask. MUST change nothing. What it throws is told as a fault of the check itself. */
export interface Check {
  /** One or two words, such as `disk`. */
  readonly name: string;
  run(environment: Environment): CheckResult | Promise<CheckResult>;
}

/** Nothing to say. */
export const NO_FINDINGS: CheckResult = { findings: [] };
