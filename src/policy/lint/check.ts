import type { ErrorCode } from '../../domain/error-codes.ts';
import { INPUT_REQUEST_ACTIONS } from '../../domain/mcp/input-request.ts';
import type { Problem } from '../../domain/problem.ts';
import { globMatches } from '../../lib/text/glob.ts';
import type { GrantRow } from '../files/grant-row.ts';
import type { PolicySet } from '../policy-set.ts';
import { findShadowedRows } from './shadowed-rows.ts';

/** What the registry holds, to compare the policy with. */
export interface PolicyContext {
  /** `agent:<name>` of every declared agent. */
  readonly agents: readonly string[];
  /** `tool:<server>/<tool>` and `prompt:<server>/<prompt>` of whatever was observed or pinned. */
  readonly tools: readonly string[];
  /** Names of all servers. */
  readonly servers: readonly string[];
}

/** Warns of rows that are valid and yet are hardly what was meant. Every problem is a warning, in file order. */
export function checkPolicy(policySet: PolicySet, context: PolicyContext, file: string = 'policy.csv'): Problem[] {
  const checker = new PolicyChecker(policySet, context);
  const problems: { readonly line: number; readonly problem: Problem }[] = [];
  const warnAt = (line: number, column: number, finding: PolicyWarning | undefined): void => {
    if (finding === undefined) return;
    problems.push({ line, problem: { ...finding, at: `${file}:${line}:${column}`, severity: 'warning' } });
  };
  const shadows = findShadowedRows(policySet);
  for (const row of policySet.rows) {
    const { line, columns } = row;
    warnAt(line, columns.subject, checker.subjectFinding(row));
    warnAt(line, columns.object, checker.objectFinding(row));
    warnAt(line, columns.action, actionFinding(row));
    const shadow = shadows.get(row);
    if (shadow !== undefined) warnAt(line, columns.subject, shadowFinding(row, shadow));
  }
  // A member that is mistyped loses its role or, worse, the deny of its set, and nothing else would say so.
  for (const { line, memberColumn, member } of policySet.roles.links) {
    if (!member.startsWith('role:')) warnAt(line, memberColumn, checker.subjectFinding({ subject: member }));
  }
  for (const { line, memberColumn, member } of policySet.sets.links) {
    if (!member.startsWith('set:'))
      warnAt(line, memberColumn, checker.objectFinding({ object: member, effect: 'deny' }));
  }
  return problems.sort((a, b) => a.line - b.line).map(({ problem }) => problem);
}

interface PolicyWarning {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

function shadowFinding(row: GrantRow, by: GrantRow): PolicyWarning {
  const same = row.subject === by.subject && row.object === by.object && row.action === by.action;
  if (same && row.effect === by.effect && row.when === by.when) {
    return { code: 'policy-row-duplicate', message: `says what line ${by.line} says`, hint: 'delete one of the two' };
  }
  const message = `changes nothing: line ${by.line} ${by.effect === 'deny' ? 'denies' : 'allows'} all of it`;
  return { code: 'policy-row-shadowed', message, hint: 'delete the row, or narrow the other' };
}

class PolicyChecker {
  readonly #policySet: PolicySet;
  readonly #context: PolicyContext;
  readonly #agents: ReadonlySet<string>;
  readonly #tools: ReadonlySet<string>;
  readonly #servers: ReadonlySet<string>;
  /** Answers by pattern: a policy of many rows has few distinct ones. */
  readonly #matched = new Map<string, boolean>();

  constructor(policySet: PolicySet, known: PolicyContext) {
    this.#policySet = policySet;
    this.#context = known;
    this.#agents = new Set(known.agents);
    this.#tools = new Set(known.tools);
    this.#servers = new Set(known.servers);
  }

  subjectFinding({ subject }: Pick<GrantRow, 'subject'>): PolicyWarning | undefined {
    if (subject.startsWith('role:')) {
      if (this.#policySet.roles.hasMembers(subject)) return undefined;
      const message = `no agent has \`${subject}\``;
      return { code: 'policy-role-without-members', message, hint: `write \`g, agent:…, ${subject}\`` };
    }
    if (!subject.startsWith('agent:') || this.#agents.has(subject)) return undefined;
    if (subject.includes('*') && this.#anyMatches(subject, this.#context.agents)) return undefined;
    const hint = 'mend the name, or declare the agent in `registry/agents/`';
    return { code: 'policy-unknown-agent', message: `no agent is called \`${subject}\``, hint };
  }

  objectFinding({ object, effect }: Pick<GrantRow, 'object' | 'effect'>): PolicyWarning | undefined {
    const colon = object.indexOf(':');
    const kind = object.slice(0, colon);
    const path = object.slice(colon + 1);
    if (kind === 'set') return this.#setFinding(object);
    if (kind === 'server') {
      if (path.includes('*')) return effect === 'allow' ? this.#broadGrantFinding(object) : undefined;
      return this.#servers.has(path) ? undefined : unknownServer(path);
    }
    if (kind !== 'tool' && kind !== 'prompt' && kind !== 'resource') return undefined;
    const slash = path.indexOf('/');
    if (slash < 0 && !path.includes('*')) {
      const hint = `write \`${kind}:${path}/*\` for all ${kind}s of the server`;
      return { code: 'policy-row-never-matches', message: `\`${object}\` has no ${kind}`, hint };
    }
    const server = slash < 0 ? path : path.slice(0, slash);
    if (server.includes('*')) return effect === 'allow' ? this.#broadGrantFinding(object) : undefined;
    if (!this.#servers.has(server)) return unknownServer(server);
    return kind === 'resource' ? undefined : this.#toolFinding(object, kind);
  }

  #toolFinding(object: string, kind: string): PolicyWarning | undefined {
    const glob = object.includes('*');
    if (glob ? this.#anyMatches(object, this.#context.tools) : this.#tools.has(object)) return undefined;
    const message = glob ? `no ${kind} is called as \`${object}\`` : `no ${kind} is called \`${object}\``;
    return {
      code: 'policy-unknown-tool',
      message,
      hint: `run \`seneschal registry list\` to see the ${kind}s there are`,
    };
  }

  #broadGrantFinding(object: string): PolicyWarning {
    const hint = 'name the servers, so that a server added later is not granted unseen';
    return { code: 'policy-grant-too-wide', message: `\`${object}\` reaches servers that are not there yet`, hint };
  }

  #setFinding(set: string): PolicyWarning | undefined {
    if (this.#policySet.sets.hasMembers(set)) return undefined;
    const message = `nothing is in \`${set}\``;
    return { code: 'policy-row-never-matches', message, hint: `write \`g2, tool:…, ${set}\`` };
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

const PROBE: ReadonlySet<string> = new Set(Object.values(INPUT_REQUEST_ACTIONS));

/** A server only asks, and nothing but a server asks. */
function actionFinding({ object, action }: GrantRow): PolicyWarning | undefined {
  const isServer = object.startsWith('server:');
  if (action === '*' || object.startsWith('set:') || PROBE.has(action) === isServer) return undefined;
  const message = isServer ? `nobody can ${action} \`${object}\`` : `\`${object}\` asks nothing of an agent`;
  const hint = isServer
    ? 'write `elicit`, `sample` or `roots`: what the server may ask of the agent'
    : `write \`server:…\` for what a server may ask, or another action`;
  return { code: 'policy-row-never-matches', message, hint };
}

function unknownServer(server: string): PolicyWarning {
  const hint = 'mend the name, or describe the server in `registry/servers/`';
  return { code: 'policy-unknown-server', message: `no server is called \`${server}\``, hint };
}
