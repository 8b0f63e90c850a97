import { ProblemError } from '../../domain/problem.ts';
import { type Settings, socketPathOf } from '../settings.ts';
import type { ServerSecretProblem } from './upstream-servers.ts';

/** Path of the socket on which the daemon of a data directory listens. */
export function daemonSocketPath(settings: Settings): string {
  return socketPathOf(settings, process.getuid?.() ?? 0);
}

/** True when an error says that no daemon listens, and not that one refused. */
export function isDaemonAbsent(error: unknown): boolean {
  return (
    error instanceof ProblemError && error.code === 'ingress-socket-failed' && /ENOENT|ECONNREFUSED/.test(error.message)
  );
}

/** True when a daemon hung up without a word, as one does that is ending. */
export function isDaemonClosing(error: unknown): boolean {
  return (
    error instanceof ProblemError && error.code === 'ingress-socket-failed' && /did not answer/.test(error.message)
  );
}

/** What a running broker says of itself to one who asks whether all is well. */
export type DaemonReport = {
  readonly pid: number;
  readonly version: string;
  /** Where it listens over HTTP; null where it serves its socket alone. */
  readonly http: { readonly host: string; readonly port: number } | null;
  /** Secret references that cannot be resolved where the broker runs, with its environment. */
  readonly secrets: readonly ServerSecretProblem[];
};
