import { ProblemError } from '../../domain/problem.ts';
import { type Settings, socketPathOf } from '../settings.ts';
import type { ServerSecretProblem } from './upstream-servers.ts';

/** Socket path of the daemon of a data directory. */
export function daemonSocketPath(settings: Settings): string {
  return socketPathOf(settings, process.getuid?.() ?? 0);
}

/** True for an error that means that no daemon listens, as opposed to one that refused. */
export function isDaemonAbsent(error: unknown): boolean {
  return (
    error instanceof ProblemError && error.code === 'ingress-socket-failed' && /ENOENT|ECONNREFUSED/.test(error.message)
  );
}

/** True for an error that means that the daemon closed the connection without a response, as one that is stopping does. */
export function isDaemonClosing(error: unknown): boolean {
  return (
    error instanceof ProblemError &&
    error.code === 'ingress-socket-failed' &&
    /did not (?:answer|respond)/.test(error.message)
  );
}

/** Status of a running broker, for `seneschal doctor`. */
export type DaemonReport = {
  readonly pid: number;
  readonly version: string;
  /** Address of its HTTP listener; null if it listens on the socket only. */
  readonly http: { readonly host: string; readonly port: number } | null;
  /** Secret references that the broker cannot resolve in its environment. */
  readonly secrets: readonly ServerSecretProblem[];
};
