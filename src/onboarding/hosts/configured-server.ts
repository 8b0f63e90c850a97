import type { Problem } from '../../domain/problem.ts';
import type { Secret } from '../../lib/secrets/secret.ts';
import type { HostId, HostScope } from './known-hosts.ts';
import type { VariableNames } from './variable-names.ts';

/** An environment variable that an entry refers to, or that replaces a secret in it. */
export interface ConfigVariable {
  readonly name: string;
  /**
   * `clear-text`: replaces a secret of the file, which `value` holds. `environment`: the file refers to it; `value` is
   * the default in the file. `input`: the host prompts the user for it. `declared`: a manifest requires it.
   */
  readonly origin: 'clear-text' | 'environment' | 'input' | 'declared';
  readonly isSecret: boolean;
  readonly value?: Secret;
  /** Description for the user, from the file. */
  readonly description?: string;
}

/** A value of an entry, without secrets: safe to write and to show. */
export interface ConfigValue {
  /**
   * Secrets and variables are references such as `${env:GITHUB_TOKEN}`. In values of `env` and `headers` a literal `${`
   * is written `$${`. Elsewhere the registry does not resolve references, so a text with `variables` must be resolved
   * before it is written.
   */
  readonly text: string;
  /** One per reference in `text`. */
  readonly variables: readonly ConfigVariable[];
}

/** The transport of an entry, its values without secrets. */
export type ConfiguredTransport =
  | {
      readonly type: 'stdio';
      readonly command: ConfigValue;
      readonly args: readonly ConfigValue[];
      readonly env: Readonly<Record<string, ConfigValue>>;
      readonly cwd?: ConfigValue;
    }
  | { readonly type: 'http'; readonly url: ConfigValue; readonly headers: Readonly<Record<string, ConfigValue>> };

/** One tool server as a host's config or a manifest declares it, in one form for all formats. */
export interface ConfiguredServer {
  /** The name in the file, which may not be a valid name in the registry. */
  readonly name: string;
  readonly transport: ConfiguredTransport;
  /** True if the file disables it. */
  readonly isDisabled: boolean;
  /** `file:line:column` of the name. */
  readonly at: string;
  /** Undefined for a file that a person named. */
  readonly host?: HostId;
  readonly scope?: HostScope;
  readonly title?: string;
  readonly description?: string;
}

/** The servers of a file, and its problems. An invalid entry does not affect the others. */
export interface ReadResult {
  readonly servers: readonly ConfiguredServer[];
  readonly problems: readonly Problem[];
}

/** Values that references in a config file resolve to. */
export interface ReadContext {
  /** Absolute paths of `${userHome}` and `${workspaceFolder}`. */
  readonly userHome: string;
  readonly project: string;
  /** Shared by all files of one command. */
  readonly names: VariableNames;
}
