import type { LinkRow } from '../files/grant-row.ts';

/** The transitive memberships of roles (`g`) or sets (`g2`). */
export interface RoleGraph {
  /** The source rows, in file order. */
  readonly links: readonly LinkRow[];
  /** Every group that `member` belongs to, directly or through other groups, without `member` itself. */
  groupsOf(member: string): ReadonlySet<string>;
  /** True when a row names this id, as member or as group. */
  has(id: string): boolean;
  /** True when a member that is not a group belongs to `group`, directly or through other groups. */
  hasMembers(group: string): boolean;
}

const NO_GROUPS: ReadonlySet<string> = new Set();

/** Builds the graph of acyclic `links` in time linear in the rows; closures are computed on request. */
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
  const leaves = [...direct.keys()].filter((member) => !member.startsWith(`${groupKind}:`));
  for (const group of transitiveClosure(direct, leaves)) populated.add(group);
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

/** Finds a cycle: its link that is last in the file, and its ids in order. Undefined when the links are acyclic. */
export function findCycle(
  links: readonly LinkRow[],
): { readonly link: LinkRow; readonly path: readonly string[] } | undefined {
  const rest = pruneLeaves(links);
  const first = rest[0];
  if (first === undefined) return undefined;
  // Every remaining group is in a group, so going up must return to a node already visited.
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

/** Repeatedly removes links whose group is in no group; the links that remain lead into a cycle. */
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
