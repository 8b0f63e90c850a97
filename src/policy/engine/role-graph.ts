import type { LinkRow } from '../files/grant-row.ts';

/** Who belongs to which groups, closed over nesting: roles of agents (`g`) or sets of objects (`g2`). */
export interface RoleGraph {
  /** The rows they were built of, in file order. */
  readonly links: readonly LinkRow[];
  /** Every group that `member` belongs to, directly or through other groups; without `member` itself. */
  groupsOf(member: string): ReadonlySet<string>;
  /** Whether any row names this id, as member or as group. */
  has(id: string): boolean;
  /** Whether anything but a group belongs to `group`, directly or through other groups. */
  hasMembers(group: string): boolean;
}

const NO_GROUPS: ReadonlySet<string> = new Set();

/** Builds the closure of acyclic `links`. Costs what the rows cost; nothing is computed per group ahead of a question. */
export function buildRoleGraph(links: readonly LinkRow[], groupKind: 'role' | 'set'): RoleGraph {
  const direct = new Map<string, string[]>();
  const known = new Set<string>();
  const populated = new Set<string>();
  for (const link of links) {
    const groups = direct.get(link.member);
    if (groups === undefined) direct.set(link.member, [link.group]);
    else groups.push(link.group);
    known.add(link.member).add(link.group);
  }
  const groupsOf = (member: string): ReadonlySet<string> => transitiveClosure(direct, [member]);
  const outsiders = [...direct.keys()].filter((member) => !member.startsWith(`${groupKind}:`));
  for (const group of transitiveClosure(direct, outsiders)) populated.add(group);
  return { links, groupsOf, has: (id) => known.has(id), hasMembers: (group) => populated.has(group) };
}

function transitiveClosure(
  direct: ReadonlyMap<string, readonly string[]>,
  members: readonly string[],
): ReadonlySet<string> {
  let closure: Set<string> | undefined;
  const pending = [...members];
  for (let member = pending.pop(); member !== undefined; member = pending.pop()) {
    for (const group of direct.get(member) ?? []) {
      closure ??= new Set();
      if (closure.has(group)) continue;
      closure.add(group);
      pending.push(group);
    }
  }
  return closure ?? NO_GROUPS;
}

/** A link that closes a cycle, and the ids of the cycle in order; undefined when the links nest without end nowhere. */
export function findCycle(
  links: readonly LinkRow[],
): { readonly link: LinkRow; readonly path: readonly string[] } | undefined {
  const rest = pruneLeaves(links);
  const first = rest[0];
  if (first === undefined) return undefined;
  // Every group that is left has a group again, so walking up must come back to a node already seen.
  const upward = new Map<string, LinkRow>();
  for (const link of rest) if (!upward.has(link.member)) upward.set(link.member, link);
  const visited: LinkRow[] = [];
  for (let link: LinkRow | undefined = first; link !== undefined; link = upward.get(link.group)) {
    const begin = visited.indexOf(link);
    if (begin >= 0) {
      const cycle = visited.slice(begin);
      const last = cycle.reduce((latest, each) => (each.line > latest.line ? each : latest), link);
      return { link: last, path: [...cycle.map((each) => each.member), link.member] };
    }
    visited.push(link);
  }
  return undefined;
}

/** Takes away, again and again, links whose group is in no group; what stays leads into a cycle. */
function pruneLeaves(links: readonly LinkRow[]): readonly LinkRow[] {
  const degree = new Map<string, number>();
  const into = new Map<string, LinkRow[]>();
  for (const link of links) {
    degree.set(link.member, (degree.get(link.member) ?? 0) + 1);
    const list = into.get(link.group);
    if (list === undefined) into.set(link.group, [link]);
    else list.push(link);
  }
  const removed = new Set<LinkRow>();
  const pending = [...into.keys()].filter((group) => !degree.has(group));
  for (let group = pending.pop(); group !== undefined; group = pending.pop()) {
    for (const link of into.get(group) ?? []) {
      removed.add(link);
      const left = (degree.get(link.member) ?? 0) - 1;
      degree.set(link.member, left);
      if (left === 0) pending.push(link.member);
    }
  }
  return links.filter((link) => !removed.has(link));
}
