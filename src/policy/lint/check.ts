import type { ErrorCode } from '../../domain/error-codes.ts';
import { INPUT_REQUEST_ACTIONS } from '../../domain/mcp/input-request.ts';
import type { Problem } from '../../domain/problem.ts';
import { globCovers, globMatches } from '../../lib/text/glob.ts';
import type { GrantRow } from '../files/grant-row.ts';
import type { PolicySet } from '../policy-set.ts';

/** The ids of the registry that the policy is compared with. */
export interface PolicyContext {
  /** `agent:<name>` of every declared agent. */
  readonly agents: readonly string[];
  /** `tool:<server>/<tool>` and `prompt:<server>/<prompt>` of everything discovered or pinned. */
  readonly tools: readonly string[];
  /** Names of all servers. */
  readonly servers: readonly string[];
}

/** Finds rows that are valid but probably a mistake. Every problem is a warning, in file order. */
export function checkPolicy(policySet: PolicySet, context: PolicyContext, file: string = 'policy.csv'): Problem[] {
  const checker = new PolicyChecker(policySet, context);
  const problems: { readonly line: number; readonly problem: Problem }[] = [];
  const warnAt = (line: number, column: number, warning: PolicyWarning | undefined): void => {
    if (warning === undefined) return;
    problems.push({ line, problem: { ...warning, at: `${file}:${line}:${column}`, severity: 'warning' } });
  };
  const shadows = findShadowedRows(policySet);
  for (const row of policySet.rows) {
    const { line, columns } = row;
    warnAt(line, columns.subject, checker.subjectWarning(row));
    warnAt(line, columns.object, checker.objectWarning(row));
    warnAt(line, columns.action, actionWarning(row));
    const shadow = shadows.get(row);
    if (shadow !== undefined) warnAt(line, columns.subject, shadowWarning(row, shadow));
  }
  // A misspelled member silently loses its role or, worse, the deny of its set.
  for (const { line, memberColumn, member } of policySet.roles.links) {
    if (!member.startsWith('role:')) warnAt(line, memberColumn, checker.subjectWarning({ subject: member }));
  }
  for (const { line, memberColumn, member } of policySet.sets.links) {
    if (!member.startsWith('set:'))
      warnAt(line, memberColumn, checker.objectWarning({ object: member, effect: 'deny' }));
  }
  return problems.sort((a, b) => a.line - b.line).map(({ problem }) => problem);
}

interface PolicyWarning {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

function shadowWarning(row: GrantRow, by: GrantRow): PolicyWarning {
  const same = row.subject === by.subject && row.object === by.object && row.action === by.action;
  if (same && row.effect === by.effect && row.when === by.when) {
    const message = `the row repeats line ${by.line}`;
    return { code: 'policy-row-duplicate', message, hint: 'delete one of the two rows' };
  }
  const verb = by.effect === 'deny' ? 'denies' : 'allows';
  const message = `the row has no effect: line ${by.line} already ${verb} everything it matches`;
  return { code: 'policy-row-shadowed', message, hint: `delete this row, or narrow line ${by.line}` };
}

class PolicyChecker {
  readonly #policySet: PolicySet;
  readonly #context: PolicyContext;
  readonly #agents: ReadonlySet<string>;
  readonly #tools: ReadonlySet<string>;
  readonly #servers: ReadonlySet<string>;
  /** Results by pattern: a policy of many rows has few distinct patterns. */
  readonly #matched = new Map<string, boolean>();

  constructor(policySet: PolicySet, context: PolicyContext) {
    this.#policySet = policySet;
    this.#context = context;
    this.#agents = new Set(context.agents);
    this.#tools = new Set(context.tools);
    this.#servers = new Set(context.servers);
  }

  subjectWarning({ subject }: Pick<GrantRow, 'subject'>): PolicyWarning | undefined {
    if (subject.startsWith('role:')) {
      if (this.#policySet.roles.hasMembers(subject)) return undefined;
      const message = `no agent has the role \`${subject}\``;
      const hint = `add a member, as in \`g, agent:…, ${subject}\``;
      return { code: 'policy-role-without-members', message, hint };
    }
    if (!subject.startsWith('agent:') || this.#agents.has(subject)) return undefined;
    if (subject.includes('*') && this.#anyMatches(subject, this.#context.agents)) return undefined;
    const hint = 'correct the name, or declare the agent in `registry/agents/`';
    return { code: 'policy-unknown-agent', message: `no agent is called \`${subject}\``, hint };
  }

  objectWarning({ object, effect }: Pick<GrantRow, 'object' | 'effect'>): PolicyWarning | undefined {
    const colon = object.indexOf(':');
    const kind = object.slice(0, colon);
    const path = object.slice(colon + 1);
    if (kind === 'set') return this.#setWarning(object);
    if (kind === 'server') {
      if (path.includes('*')) return effect === 'allow' ? broadGrantWarning(object) : undefined;
      return this.#servers.has(path) ? undefined : unknownServer(path);
    }
    if (kind !== 'tool' && kind !== 'prompt' && kind !== 'resource') return undefined;
    const slash = path.indexOf('/');
    if (slash < 0 && !path.includes('*')) {
      const hint = `write \`${kind}:${path}/*\` for all ${kind}s of the server`;
      return { code: 'policy-row-never-matches', message: `\`${object}\` names no ${kind}`, hint };
    }
    const server = slash < 0 ? path : path.slice(0, slash);
    if (server.includes('*')) return effect === 'allow' ? broadGrantWarning(object) : undefined;
    if (!this.#servers.has(server)) return unknownServer(server);
    return kind === 'resource' ? undefined : this.#toolWarning(object, kind);
  }

  #toolWarning(object: string, kind: string): PolicyWarning | undefined {
    const glob = object.includes('*');
    if (glob ? this.#anyMatches(object, this.#context.tools) : this.#tools.has(object)) return undefined;
    return {
      code: 'policy-unknown-tool',
      message: glob ? `no ${kind} matches \`${object}\`` : `no ${kind} is called \`${object}\``,
      hint: `run \`seneschal registry list\` to see the ${kind}s of each server`,
    };
  }

  #setWarning(set: string): PolicyWarning | undefined {
    if (this.#policySet.sets.hasMembers(set)) return undefined;
    const message = `the set \`${set}\` is empty`;
    return { code: 'policy-row-never-matches', message, hint: `add a member, as in \`g2, tool:…, ${set}\`` };
  }

  #anyMatches(pattern: string, ids: readonly string[]): boolean {
    let matched = this.#matched.get(pattern);
    if (matched === undefined) {
      matched = ids.some((id) => globMatches(pattern, id));
      this.#matched.set(pattern, matched);
    }
    return matched;
  }
}

const INPUT_REQUESTS: ReadonlySet<string> = new Set(Object.values(INPUT_REQUEST_ACTIONS));

/** Warns when an action does not apply to its object: input requests apply to servers, and only they do. */
function actionWarning({ object, action }: GrantRow): PolicyWarning | undefined {
  const isServer = object.startsWith('server:');
  if (action === '*' || object.startsWith('set:') || INPUT_REQUESTS.has(action) === isServer) return undefined;
  const message = `\`${action}\` does not apply to \`${object}\``;
  const hint = isServer
    ? 'write `elicit`, `sample` or `roots`: the input requests that a server can send to the agent'
    : `write \`server:…\` to allow input requests of a server, or another action`;
  return { code: 'policy-row-never-matches', message, hint };
}

function broadGrantWarning(object: string): PolicyWarning {
  const hint = 'name the servers';
  const message = `\`${object}\` also grants every server that is added later`;
  return { code: 'policy-grant-too-wide', message, hint };
}

function unknownServer(server: string): PolicyWarning {
  const hint = 'correct the name, or declare the server in `registry/servers/`';
  return { code: 'policy-unknown-server', message: `no server is called \`${server}\``, hint };
}

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
