import { DaemonUnreachableError } from '../../ingress/socket/connect.ts';
import { type Settings, socketPathOf } from '../settings.ts';
import type { ServerSecretProblem } from './upstream-servers.ts';

/** Socket path of the daemon of a data directory. */
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

/** Status of a running broker, for `seneschal doctor`. */
export type DaemonReport = {
  readonly pid: number;
  readonly version: string;
  /** Address of its HTTP listener; null if it listens on the socket only. */
  readonly http: { readonly host: string; readonly port: number } | null;
  /** Secret references that the broker cannot resolve in its environment. */
  readonly secrets: readonly ServerSecretProblem[];
};
