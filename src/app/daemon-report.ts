import type { ServerSecretProblem } from './upstream-servers.ts';

/** What a running broker says of itself to one who asks whether all is well. */
export type DaemonReport = {
  readonly pid: number;
  readonly version: string;
  /** Where it listens over HTTP; null where it serves its socket alone. */
  readonly http: { readonly host: string; readonly port: number } | null;
  /** Secret references that cannot be resolved where the broker runs, with its environment. */
  readonly secrets: readonly ServerSecretProblem[];
};
