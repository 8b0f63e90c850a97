import type { Digest } from '../lib/digest.ts';
import { globMatches } from '../lib/glob.ts';
import {
  type CasbinRequest,
  type CasbinRows,
  type ConditionLookup,
  casbinRow,
  createCasbinEnforcer,
} from './casbin-enforcer.ts';
import type { Condition, ConditionResult } from './condition.ts';
import { buildGrantIndex, type GrantIndexBuilder } from './grant-index.ts';
import type { GrantRow } from './grant-row.ts';
import type { Memberships } from './memberships.ts';

/** May these subjects do this to that object? */
export interface PolicyQuestion {
  /** As {@link principalSubjects} makes them. Only the `agent:` and the `team:` count: roles come from the policy set itself. */
  readonly subjects: readonly string[];
  /** `tool:<server>/<tool>` or another id of one object. */
  readonly object: string;
  readonly action: string;
}

/** What the policy says to a question under given conditions. */
export interface PolicyDecision {
  readonly allowed: boolean;
  /** The row that decided, as `policy.csv:12`: the first matching deny, else the first matching allow; none when nothing matched. */
  readonly rule?: string;
  readonly effect?: 'allow' | 'deny';
  /** Lines of all matching rows, in file order. */
  readonly matching: readonly number[];
}

/** What is known of a condition before there are arguments; undefined where it depends on them. */
export type KnownConditions = (conditionId: string) => ConditionResult | undefined;

/** An immutable, compiled revision of `policy.csv` and `model.conf`. */
export interface PolicySet {
  /** The revision: digest of both texts. */
  readonly digest: Digest;
  /** Both texts as loaded, to be kept by digest; loading them again makes an equal set. */
  readonly texts: { readonly 'model.conf': string; readonly 'policy.csv': string };
  readonly rows: readonly GrantRow[];
  /** Who has which role. */
  readonly roles: Memberships;
  /** What is in which set. */
  readonly sets: Memberships;
  /** Every role of an agent (or role), directly or through other roles, sorted. */
  rolesOf(subject: string): readonly string[];
  /** Ids of the conditions that the answer to a question may depend on. */
  conditionsFor(question: PolicyQuestion): readonly string[];
  condition(id: string): Condition | undefined;
  /** Decides, by Casbin. A condition is asked for by its id. */
  decide(question: PolicyQuestion, conditions: ConditionLookup): PolicyDecision;
  /** Whether conditions can come out so that the question is allowed; those that `known` tells are taken as told. */
  mayEver(question: PolicyQuestion, known?: KnownConditions): boolean;
  /** Whether the question is allowed however the conditions come out that `known` does not tell. */
  mayAlways(question: PolicyQuestion, known?: KnownConditions): boolean;
  /** Rows that match the question if their conditions hold, in file order. */
  rowsFor(question: PolicyQuestion): readonly GrantRow[];
}

/** What a policy set is made of, checked by the loader. */
export interface PolicyParts {
  readonly digest: Digest;
  readonly texts: PolicySet['texts'];
  readonly rows: readonly GrantRow[];
  readonly conditions: ReadonlyMap<string, Condition>;
  readonly roles: Memberships;
  readonly sets: Memberships;
  /** Default: {@link buildGrantIndex}. */
  readonly buildIndex?: GrantIndexBuilder;
}

/** Answers that are kept; when there are more, all are forgotten, so that memory stays bounded. */
const SLICES_KEPT = 20_000;

/** The rows for one asker, object and action. */
interface Slice {
  readonly rows: readonly GrantRow[];
  readonly casbinRows: CasbinRows;
  readonly conditionIds: readonly string[];
  readonly denyConditionIds: ReadonlySet<string>;
  /** Casbin's answers by how the conditions came out: set and slice are immutable, so each need be asked once only. */
  readonly answers: Map<string, PolicyDecision>;
}

/** One asker: its agent id and team, and what they resolve to. */
interface Asker {
  readonly key: string;
  readonly agent: string;
  readonly subjects: readonly string[];
  readonly memberOf: ReadonlySet<string>;
  readonly slices: Map<string, Map<string, Slice>>;
}

/** Answers kept of one slice: with many conditions not all of their outcomes ever come. */
const ANSWERS_KEPT = 64;

/** How the conditions of a slice came out, as one key. */
function outcomesOf(conditionIds: readonly string[], conditions: ConditionLookup): string {
  let outcomes = '';
  for (const id of conditionIds) outcomes += conditions(id).charAt(0);
  return outcomes;
}

const UNKNOWN: KnownConditions = () => undefined;

/** Makes a policy set of checked parts. */
export function createPolicySet(parts: PolicyParts): PolicySet {
  const slices = createSlices(parts);
  const enforcer = createCasbinEnforcer({
    isSubject: (key, subject) => isSubject(slices.byKey(key), subject),
    isInSet: (object, set) => parts.sets.groupsOf(object).has(set),
  });
  const ask = (asker: Asker, slice: Slice, request: Omit<CasbinRequest, 'asker'>): PolicyDecision => {
    const answer = enforcer.enforce(slice.casbinRows, { asker: asker.key, ...request });
    const row = slice.rows[answer.deciding];
    if (row === undefined) return NOTHING_MATCHES;
    const matching = answer.matching.map((index) => slice.rows[index]?.line ?? 0);
    return { allowed: answer.allowed, rule: ruleOf(row), effect: row.effect, matching };
  };
  const decide = (question: PolicyQuestion, conditions: ConditionLookup): PolicyDecision => {
    const asker = slices.askerOf(question.subjects);
    if (asker === undefined) return NOTHING_MATCHES;
    const { object, action } = question;
    const slice = slices.sliceOf(asker, question);
    if (slice.rows.length === 0) return NOTHING_MATCHES;
    const outcomes = outcomesOf(slice.conditionIds, conditions);
    const known = slice.answers.get(outcomes);
    if (known !== undefined) return known;
    const answer = ask(asker, slice, { object, action, conditions });
    if (slice.answers.size < ANSWERS_KEPT) slice.answers.set(outcomes, answer);
    return answer;
  };
  const sliceFor = (question: PolicyQuestion): Slice => {
    const asker = slices.askerOf(question.subjects);
    return asker === undefined ? NO_ROWS : slices.sliceOf(asker, question);
  };
  const { digest, texts, rows, roles, sets } = parts;
  return {
    ...{ digest, texts, rows, roles, sets, decide },
    rolesOf: (subject) => [...roles.groupsOf(subject)].sort(),
    conditionsFor: (question) => sliceFor(question).conditionIds,
    condition: (id) => parts.conditions.get(id),
    mayEver(question, known = UNKNOWN) {
      // The kindest outcome: what a deny row asks is false, all else is true. A condition of both helps no allow row.
      const { denyConditionIds } = sliceFor(question);
      return decide(question, (id) => known(id) ?? (denyConditionIds.has(id) ? 'false' : 'true')).allowed;
    },
    mayAlways(question, known = UNKNOWN) {
      const { denyConditionIds } = sliceFor(question);
      return decide(question, (id) => known(id) ?? (denyConditionIds.has(id) ? 'true' : 'false')).allowed;
    },
    rowsFor: (question) => rowsMatching(sliceFor(question), decide(question, () => 'true').matching),
  };
}

const NOTHING_MATCHES: PolicyDecision = Object.freeze({ allowed: false, matching: [] });
const NO_ROWS: Slice = { rows: [], casbinRows: [], conditionIds: [], denyConditionIds: new Set(), answers: new Map() };

function rowsMatching(slice: Slice, lines: readonly number[]): readonly GrantRow[] {
  const wanted = new Set(lines);
  return slice.rows.filter((row) => wanted.has(row.line));
}

/** A row as refusals name it. */
export function ruleOf(row: GrantRow): string {
  return `policy.csv:${row.line}`;
}

function isSubject(asker: Asker | undefined, subject: string): boolean {
  if (asker === undefined) return false;
  if (asker.memberOf.has(subject)) return true;
  return subject.startsWith('agent:') && globMatches(subject, asker.agent);
}

interface Slices {
  askerOf(subjects: readonly string[]): Asker | undefined;
  byKey(key: string): Asker | undefined;
  sliceOf(asker: Asker, question: PolicyQuestion): Slice;
}

function createSlices(parts: PolicyParts): Slices {
  const index = (parts.buildIndex ?? buildGrantIndex)(parts.rows);
  const askers = new Map<string, Asker>();
  let kept = 0;
  const sliceOf = (asker: Asker, { object, action }: PolicyQuestion): Slice => {
    let objects = asker.slices.get(action);
    const found = objects?.get(object);
    if (found !== undefined) return found;
    const slice = makeSlice(
      index.select({ subjects: asker.subjects, object, sets: [...parts.sets.groupsOf(object)], action }),
    );
    if (kept >= SLICES_KEPT) {
      for (const each of askers.values()) each.slices.clear();
      kept = 0;
      objects = undefined;
    }
    if (objects === undefined) {
      objects = new Map();
      asker.slices.set(action, objects);
    }
    objects.set(object, slice);
    kept += 1;
    return slice;
  };
  const askerOf = (subjects: readonly string[]): Asker | undefined => {
    const key = askerKeyOf(subjects);
    if (key === undefined) return undefined;
    const found = askers.get(key);
    if (found !== undefined) return found;
    if (askers.size >= SLICES_KEPT) {
      askers.clear();
      kept = 0;
    }
    const asker = makeAsker(key, parts.roles);
    askers.set(key, asker);
    return asker;
  };
  return { askerOf, byKey: (key) => askers.get(key), sliceOf };
}

/** The keys of lists that cannot change; a principal's is one. */
const askerKeys = new WeakMap<readonly string[], string>();

function askerKeyOf(subjects: readonly string[]): string | undefined {
  const known = askerKeys.get(subjects);
  if (known !== undefined) return known;
  const key = askerKey(subjects);
  if (key !== undefined && Object.isFrozen(subjects)) askerKeys.set(subjects, key);
  return key;
}

/** The agent's id, and the team's behind a space where there is one; undefined when no subject is one agent. */
function askerKey(subjects: readonly string[]): string | undefined {
  let agent: string | undefined;
  let team: string | undefined;
  for (const subject of subjects) {
    if (subject.startsWith('agent:')) agent ??= subject;
    else if (subject.startsWith('team:')) team ??= subject;
  }
  if (agent === undefined || agent.includes('*') || agent.includes(' ')) return undefined;
  return team === undefined || team.includes(' ') ? agent : `${agent} ${team}`;
}

function makeAsker(key: string, roles: Memberships): Asker {
  const [agent = '', ...teams] = key.split(' ');
  const memberOf = new Set([agent, ...roles.groupsOf(agent), ...teams]);
  return { key, agent, memberOf, subjects: [...memberOf], slices: new Map() };
}

function makeSlice(rows: readonly GrantRow[]): Slice {
  const conditional = rows.filter((row) => row.conditionId !== '');
  return {
    rows,
    casbinRows: rows.map(casbinRow),
    conditionIds: [...new Set(conditional.map((row) => row.conditionId))].sort(),
    denyConditionIds: new Set(conditional.flatMap((row) => (row.effect === 'deny' ? [row.conditionId] : []))),
    answers: new Map(),
  };
}
