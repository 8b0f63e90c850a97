import { DaemonUnreachableError } from '../../ingress/socket/connect.ts';
import { type Settings, socketPathOf } from '../settings.ts';
import type { ServerSecretProblem } from './upstream-servers.ts';

/** Path of the socket on which the daemon of a data directory listens. */
export function daemonSocketPath(settings: Settings): string {
  return socketPathOf(settings, process.getuid?.() ?? 0);
}

/** True for the error of a connection if no daemon listens. */
export function isDaemonAbsent(error: unknown): boolean {
  return error instanceof DaemonUnreachableError && error.state === 'absent';
}

/** True for the error of a connection that the daemon closed without a response, as it does while it stops. */
export function isDaemonClosing(error: unknown): boolean {
  return error instanceof DaemonUnreachableError && error.state === 'silent';
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
