import type { Problem } from '../domain/problem.ts';
import type { Digest } from '../lib/digest.ts';
import type { JsonValue } from '../lib/json/json.ts';
import type { ServerDiscovery } from '../registry/catalog.ts';
import type { Registry } from '../registry/load.ts';
import type { NewPin } from '../registry/pins/pin.ts';

/** Variables of the environment by name. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Directories of a home, spelled as on the command line, so that messages name them the same way. */
export interface HomeDirectories {
  readonly registry: string;
  readonly policies: string;
}

/** Result of listing the features of several servers, by server name. */
export interface DiscoveredServers {
  /** Features of each server, or the error of a server that failed. */
  readonly discovered: ReadonlyMap<string, ServerDiscovery>;
  /** Last lines of stderr of each process that failed. May hold secrets: redact before showing. */
  readonly stderrTails: ReadonlyMap<string, string>;
}

/** Result of the policy tests and the policy linter. */
export interface PolicyCheck {
  /** Number of policy tests that ran. */
  readonly checked: number;
  readonly failures: readonly Problem[];
  /** Findings of the linter; empty when a test failed. */
  readonly warnings: readonly Problem[];
}

/** Operations that onboarding needs from the broker. `app` implements them and the caller hands them in. */
export interface OnboardingPort {
  /**
   * Starts each server of `registry` once, lists its features, and ends it. Pins, stores and records nothing. A server
   * that fails is a result, not a rejection. @throws the signal's reason when it is aborted.
   */
  discoverServers(
    registry: Registry,
    options: { readonly env: Env; readonly signal: AbortSignal },
  ): Promise<DiscoveredServers>;
  /**
   * Pins the definitions of a server whose file was just written, through the running broker or without one.
   * @throws ProblemError when the definitions differ from `agreed`.
   */
  pinServer(
    server: { readonly name: string; readonly agreed: Digest },
    options: { readonly env: Env; readonly signal: AbortSignal },
  ): Promise<JsonValue>;
  /** Runs the policy tests and the linter on a home. @throws ProblemError when a file does not load. */
  checkPolicies(directories: HomeDirectories): PolicyCheck;
  /**
   * Opens the new home as `serve` does, and records in the ledger which servers the user added and which definitions
   * the user agreed to. @throws ProblemError when the home cannot be opened, such as a data directory in use.
   */
  recordServers(servers: readonly { readonly name: string; readonly pins: readonly NewPin[] }[]): Promise<void>;
}

/** Access to servers that are not in the registry yet: the broker's operations, and the environment to start them in. */
export interface ProbeOptions {
  readonly port: OnboardingPort;
  readonly env: Env;
  readonly signal: AbortSignal;
}
