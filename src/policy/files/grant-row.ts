import type { Action } from '../../domain/call.ts';

/** Start column of each field of a row, from 1. */
export interface GrantColumns {
  readonly subject: number;
  readonly object: number;
  readonly action: number;
  readonly when: number;
  readonly effect: number;
}

/** A parsed `p` row of `policy.csv`. */
export interface GrantRow {
  /** Line in the file, from 1. */
  readonly line: number;
  readonly columns: GrantColumns;
  /** The line as written. */
  readonly text: string;
  /** `agent:<glob>`, `role:<name>` or `team:<name>`. */
  readonly subject: string;
  /** `<kind>:<glob>` or `set:<name>`. */
  readonly object: string;
  readonly action: Action | '*';
  /** The CEL text as written; empty when the row has no condition. */
  readonly when: string;
  /** Stable id of the condition; empty when the row has none. */
  readonly conditionId: string;
  readonly effect: 'allow' | 'deny';
}

/** A parsed `g` or `g2` row: `member` belongs to `group`. */
export interface LinkRow {
  readonly line: number;
  readonly memberColumn: number;
  readonly groupColumn: number;
  readonly type: 'g' | 'g2';
  readonly member: string;
  readonly group: string;
}
