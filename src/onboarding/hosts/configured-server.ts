import type { Problem } from '../../domain/problem.ts';
import type { Secret } from '../../lib/secrets/secret.ts';
import type { HostId, HostScope } from './known-hosts.ts';
import type { VariableNames } from './variable-names.ts';

/** A name under which a value is to be looked up instead of standing in a file. */
export interface ConfigVariable {
  readonly name: string;
  /**
   * `clear-text`: a secret stood in the file, and `value` holds it. `environment`: the host looks the name up itself;
   * `value` is what the file says it is by default. `input`: the host asks the person. `declared`: a manifest asks for it.
   */
  readonly origin: 'clear-text' | 'environment' | 'input' | 'declared';
  readonly isSecret: boolean;
  readonly value?: Secret;
  /** What a person is told that it is. */
  readonly description?: string;
}

/** A text of an entry that is safe to write and to show. */
export interface ConfigValue {
  /**
   * Secrets and variables are references such as `${env:GITHUB_TOKEN}`. In values of `env` and `headers` a literal `${`
   * is `$${`; elsewhere the registry reads no references, and a text with `variables` cannot be taken over as it is.
   */
  readonly text: string;
  /** One for each reference in `text`. */
  readonly variables: readonly ConfigVariable[];
}

export type ConfiguredTransport =
  | {
      readonly type: 'stdio';
      readonly command: ConfigValue;
      readonly args: readonly ConfigValue[];
      readonly env: Readonly<Record<string, ConfigValue>>;
      readonly cwd?: ConfigValue;
    }
  | { readonly type: 'http'; readonly url: ConfigValue; readonly headers: Readonly<Record<string, ConfigValue>> };

/** One tool server as a host or a manifest declares it, in one form for all of them. */
export interface ConfiguredServer {
  /** As the file writes it; not yet a name of the registry. */
  readonly name: string;
  readonly transport: ConfiguredTransport;
  /** True when the host was told not to start it. */
  readonly isDisabled: boolean;
  /** `file:line:column` of its name. */
  readonly at: string;
  /** Undefined for a file that belongs to no known place. */
  readonly host?: HostId;
  readonly scope?: HostScope;
  readonly title?: string;
  readonly description?: string;
}

/** What was found in a file, and what of it could not be used. A bad entry costs itself alone. */
export interface ReadResult {
  readonly servers: readonly ConfiguredServer[];
  readonly problems: readonly Problem[];
}

export interface ReadContext {
  /** Absolute paths that `${userHome}` and `${workspaceFolder}` stand for. */
  readonly home: string;
  readonly project: string;
  /** Shared by all files that are read together. */
  readonly names: VariableNames;
}
