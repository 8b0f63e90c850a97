import type { Action } from '../../domain/call.ts';

/** Where each field of a row begins; columns from 1. */
export interface GrantColumns {
  readonly subject: number;
  readonly object: number;
  readonly action: number;
  readonly when: number;
  readonly effect: number;
}

/** One grant: a `p` row of `policy.csv`, parsed. */
export interface GrantRow {
  /** Line in the file, from 1. */
  readonly line: number;
  readonly columns: GrantColumns;
  /** The line as it is written. */
  readonly text: string;
  /** `agent:<glob>`, `role:<name>` or `team:<name>`. */
  readonly subject: string;
  /** `<kind>:<glob>` or `set:<name>`. */
  readonly object: string;
  readonly action: Action | '*';
  /** The CEL text as written; empty when the row holds always. */
  readonly when: string;
  /** Stable id of the condition; empty when the row holds always. */
  readonly conditionId: string;
  readonly effect: 'allow' | 'deny';
}

/** One `g` or `g2` row: `member` belongs to `group`. */
export interface LinkRow {
  readonly line: number;
  readonly memberColumn: number;
  readonly groupColumn: number;
  readonly type: 'g' | 'g2';
  readonly member: string;
  readonly group: string;
}
