import { globCovers } from '../../lib/text/glob.ts';
import type { GrantRow } from '../files/grant-row.ts';
import type { PolicySet } from '../policy-set.ts';

/**
 * Finds rows without effect, each with the row that shadows it: one that matches everything the row matches and takes
 * precedence over it. An allow row is shadowed by an allow or a deny, a deny row by a deny.
 */
export function findShadowedRows(policySet: PolicySet): ReadonlyMap<GrantRow, GrantRow> {
  const candidates = indexByObjectStart(policySet.rows);
  const shadows = new Map<GrantRow, GrantRow>();
  for (const row of policySet.rows) {
    const subjects = new Set([row.subject, ...policySet.rolesOf(row.subject)]);
    const sets = policySet.sets.groupsOf(row.object);
    const by = candidates(row, subjects, sets).find((wide) => shadowsRow(wide, row, shadows));
    if (by !== undefined) shadows.set(row, by);
  }
  return shadows;
}

function shadowsRow(wide: GrantRow, row: GrantRow, shadows: ReadonlyMap<GrantRow, GrantRow>): boolean {
  if (wide === row || shadows.get(wide) === row) return false;
  // Of equal rows, the first one is not shadowed.
  if (wide.line > row.line && wide.object === row.object && wide.subject === row.subject) {
    if (wide.action === row.action && wide.effect === row.effect && wide.when === row.when) return false;
  }
  if (wide.effect === 'allow' && row.effect === 'deny') return false;
  if (wide.when !== '' && (wide.when !== row.when || wide.effect !== row.effect)) return false;
  return wide.action === '*' || wide.action === row.action;
}

type Candidates = (row: GrantRow, subjects: ReadonlySet<string>, sets: ReadonlySet<string>) => GrantRow[];

/** Indexes rows by subject and by the text before the `*` of their object, so no row is compared with all others. */
function indexByObjectStart(rows: readonly GrantRow[]): Candidates {
  const starts = new Map<string, GrantRow[]>();
  const lengths = new Map<string, Set<number>>();
  const agentGlobs = new Set<string>();
  for (const row of rows) {
    const star = row.object.indexOf('*');
    const start = star < 0 ? row.object : row.object.slice(0, star);
    const key = `${row.subject} ${start}`;
    const byPrefix = starts.get(key);
    if (byPrefix === undefined) starts.set(key, [row]);
    else if (byPrefix.length < MAX_CANDIDATES) byPrefix.push(row);
    const startLengths = lengths.get(row.subject);
    if (startLengths === undefined) lengths.set(row.subject, new Set([start.length]));
    else startLengths.add(start.length);
    if (row.subject.includes('*')) agentGlobs.add(row.subject);
  }
  return (row, subjects, sets) => {
    const covering = [
      ...subjects,
      ...[...agentGlobs].filter((glob) => !subjects.has(glob) && globCovers(glob, row.subject)),
    ];
    const candidates = covering.flatMap((subject) => {
      const keys = [...(lengths.get(subject) ?? [])].map((length) => row.object.slice(0, length));
      return [...new Set(keys), ...sets].flatMap((start) => starts.get(`${subject} ${start}`) ?? []);
    });
    return candidates.filter((wide) => globCovers(wide.object, row.object) || sets.has(wide.object));
  };
}

/** Rows compared per subject and start: a warning may be missed, but the check stays fast. */
const MAX_CANDIDATES = 40;
