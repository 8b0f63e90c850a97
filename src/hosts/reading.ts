import type { Problem } from '../domain/problem.ts';
import type { ConfiguredServer } from './found-server.ts';
import type { VariableNames } from './variable-names.ts';

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
