import { globMatches } from '../../lib/text/glob.ts';
import type { GrantRow } from '../files/grant-row.ts';

/** An access request with its memberships resolved. */
export interface GrantSelection {
  /** The caller's `agent:` id, roles and `team:`. */
  readonly subjects: readonly string[];
  readonly object: string;
  /** The sets that hold the object. */
  readonly sets: readonly string[];
  readonly action: string;
}

/** Finds the rows that could match a request. It MUST return every row that Casbin would match; more only costs time. */
export interface GrantIndex {
  /** In file order. */
  select(selection: GrantSelection): readonly GrantRow[];
}

/** Builds an index over rows in file order. */
export type GrantIndexBuilder = (rows: readonly GrantRow[]) => GrantIndex;

/** Positions of the rows of one subject, by object. */
interface SubjectRows {
  /** Rows whose object holds no `*`, such as a set. */
  readonly exact: Map<string, number[]>;
  /** Rows whose object holds a `*`, by the text before the first. */
  readonly prefixed: Map<string, number[]>;
  /** Lengths of the keys of `prefixed`. */
  readonly prefixLengths: Set<number>;
}

/** Indexes rows by subject, and under it by exact object or by the literal text before the first `*`. */
export function buildGrantIndex(rows: readonly GrantRow[]): GrantIndex {
  const bySubject = new Map<string, SubjectRows>();
  /** Subjects with a `*`: they cannot be looked up, so each request tries them all. */
  const residual: string[] = [];
  rows.forEach((row, position) => {
    let subject = bySubject.get(row.subject);
    if (subject === undefined) {
      subject = { exact: new Map(), prefixed: new Map(), prefixLengths: new Set() };
      bySubject.set(row.subject, subject);
      if (row.subject.includes('*')) residual.push(row.subject);
    }
    addRow(subject, row.object, position);
  });
  return {
    select(selection) {
      const { subjects } = selection;
      const positions: number[] = [];
      for (const subject of subjects) collect(bySubject.get(subject), selection, positions);
      for (const pattern of residual) {
        if (subjects.includes(pattern) || !subjects.some((subject) => globMatches(pattern, subject))) continue;
        collect(bySubject.get(pattern), selection, positions);
      }
      if (positions.length > 1) positions.sort((a, b) => a - b);
      const selected: GrantRow[] = [];
      for (const position of positions) {
        const row = rows[position];
        if (row !== undefined && mayMatch(row, selection)) selected.push(row);
      }
      return selected;
    },
  };
}

function addRow(subject: SubjectRows, object: string, position: number): void {
  const star = object.indexOf('*');
  const prefix = star < 0 ? object : object.slice(0, star);
  if (star >= 0) subject.prefixLengths.add(star);
  const bucket = star < 0 ? subject.exact : subject.prefixed;
  const positions = bucket.get(prefix);
  if (positions === undefined) bucket.set(prefix, [position]);
  else positions.push(position);
}

function collect(subject: SubjectRows | undefined, selection: GrantSelection, target: number[]): void {
  if (subject === undefined) return;
  append(subject.exact.get(selection.object), target);
  for (const set of selection.sets) append(subject.exact.get(set), target);
  for (const length of subject.prefixLengths) {
    if (length <= selection.object.length) append(subject.prefixed.get(selection.object.slice(0, length)), target);
  }
}

function append(positions: readonly number[] | undefined, into: number[]): void {
  if (positions !== undefined) for (const position of positions) into.push(position);
}

/** False for rows that cannot match; Casbin costs about 1.5 µs per row. */
function mayMatch(row: GrantRow, selection: GrantSelection): boolean {
  if (row.action !== '*' && row.action !== selection.action) return false;
  return globMatches(row.object, selection.object) || selection.sets.includes(row.object);
}
