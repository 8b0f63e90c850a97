import type { Digest } from '../lib/digest.ts';
import { globMatches } from '../lib/text/glob.ts';
import type { Condition, ConditionResult } from './conditions/condition.ts';
import {
  type CasbinRequest,
  type CasbinRows,
  type ConditionLookup,
  casbinRow,
  createCasbinEnforcer,
} from './engine/casbin-enforcer.ts';
import { buildGrantIndex, type GrantIndexBuilder } from './engine/grant-index.ts';
import type { RoleGraph } from './engine/role-graph.ts';
import type { GrantRow } from './files/grant-row.ts';

/** May these subjects do this to that object? */
export interface AccessRequest {
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
  readonly roles: RoleGraph;
  /** What is in which set. */
  readonly sets: RoleGraph;
  /** Every role of an agent (or role), directly or through other roles, sorted. */
  rolesOf(subject: string): readonly string[];
  /** Ids of the conditions that the answer to a question may depend on. */
  conditionsFor(request: AccessRequest): readonly string[];
  condition(id: string): Condition | undefined;
  /** Decides, by Casbin. A condition is asked for by its id. */
  decide(request: AccessRequest, conditions: ConditionLookup): PolicyDecision;
  /** Whether conditions can come out so that the question is allowed; those that `known` tells are taken as told. */
  couldAllow(request: AccessRequest, known?: KnownConditions): boolean;
  /** Whether the question is allowed however the conditions come out that `known` does not tell. */
  alwaysAllows(request: AccessRequest, known?: KnownConditions): boolean;
  /** Rows that match the question if their conditions hold, in file order. */
  rowsFor(request: AccessRequest): readonly GrantRow[];
}

/** What a policy set is made of, checked by the loader. */
export interface PolicyParts {
  readonly digest: Digest;
  readonly texts: PolicySet['texts'];
  readonly rows: readonly GrantRow[];
  readonly conditions: ReadonlyMap<string, Condition>;
  readonly roles: RoleGraph;
  readonly sets: RoleGraph;
  /** Default: {@link buildGrantIndex}. */
  readonly buildIndex?: GrantIndexBuilder;
}

/** Answers that are kept; when there are more, all are forgotten, so that memory stays bounded. */
const SLICE_CACHE_SIZE = 20_000;

/** The rows for one asker, object and action. */
interface Slice {
  readonly rows: readonly GrantRow[];
  readonly casbinRows: CasbinRows;
  readonly conditionIds: readonly string[];
  readonly denyConditionIds: ReadonlySet<string>;
  /** Casbin's answers by how the conditions came out: set and slice are immutable, so each need be asked once only. */
  readonly decisions: Map<string, PolicyDecision>;
}

/** One asker: its agent id and team, and what they resolve to. */
interface CachedSubject {
  readonly key: string;
  readonly agent: string;
  readonly subjects: readonly string[];
  readonly memberOf: ReadonlySet<string>;
  readonly slices: Map<string, Map<string, Slice>>;
}

/** Answers kept of one slice: with many conditions not all of their outcomes ever come. */
const DECISION_CACHE_SIZE = 64;

/** How the conditions of a slice came out, as one key. */
function outcomeKey(conditionIds: readonly string[], conditions: ConditionLookup): string {
  let outcomes = '';
  for (const id of conditionIds) outcomes += conditions(id).charAt(0);
  return outcomes;
}

const NOTHING_KNOWN: KnownConditions = () => undefined;

/** Makes a policy set of checked parts. */
export function createPolicySet(parts: PolicyParts): PolicySet {
  const slices = createSlices(parts);
  const enforcer = createCasbinEnforcer({
    isSubject: (key, subject) => isSubject(slices.byKey(key), subject),
    isInSet: (object, set) => parts.sets.groupsOf(object).has(set),
  });
  const evaluate = (caller: CachedSubject, slice: Slice, request: Omit<CasbinRequest, 'caller'>): PolicyDecision => {
    const result = enforcer.enforce(slice.casbinRows, { caller: caller.key, ...request });
    const row = slice.rows[result.decidingIndex];
    if (row === undefined) return NO_MATCH;
    const matching = result.matchingIndexes.map((index) => slice.rows[index]?.line ?? 0);
    return { allowed: result.allowed, rule: ruleId(row), effect: row.effect, matching };
  };
  const decide = (request: AccessRequest, conditions: ConditionLookup): PolicyDecision => {
    const caller = slices.callerFor(request.subjects);
    if (caller === undefined) return NO_MATCH;
    const { object, action } = request;
    const slice = slices.sliceFor(caller, request);
    if (slice.rows.length === 0) return NO_MATCH;
    const outcomes = outcomeKey(slice.conditionIds, conditions);
    const cached = slice.decisions.get(outcomes);
    if (cached !== undefined) return cached;
    const decision = evaluate(caller, slice, { object, action, conditions });
    if (slice.decisions.size < DECISION_CACHE_SIZE) slice.decisions.set(outcomes, decision);
    return decision;
  };
  const sliceFor = (request: AccessRequest): Slice => {
    const caller = slices.callerFor(request.subjects);
    return caller === undefined ? NO_ROWS : slices.sliceFor(caller, request);
  };
  const { digest, texts, rows, roles, sets } = parts;
  return {
    ...{ digest, texts, rows, roles, sets, decide },
    rolesOf: (subject) => [...roles.groupsOf(subject)].sort(),
    conditionsFor: (request) => sliceFor(request).conditionIds,
    condition: (id) => parts.conditions.get(id),
    couldAllow(request, known = NOTHING_KNOWN) {
      // The kindest outcome: what a deny row asks is false, all else is true. A condition of both helps no allow row.
      const { denyConditionIds } = sliceFor(request);
      return decide(request, (id) => known(id) ?? (denyConditionIds.has(id) ? 'false' : 'true')).allowed;
    },
    alwaysAllows(request, known = NOTHING_KNOWN) {
      const { denyConditionIds } = sliceFor(request);
      return decide(request, (id) => known(id) ?? (denyConditionIds.has(id) ? 'true' : 'false')).allowed;
    },
    rowsFor: (request) => rowsAtLines(sliceFor(request), decide(request, () => 'true').matching),
  };
}

const NO_MATCH: PolicyDecision = Object.freeze({ allowed: false, matching: [] });
const NO_ROWS: Slice = {
  rows: [],
  casbinRows: [],
  conditionIds: [],
  denyConditionIds: new Set(),
  decisions: new Map(),
};

function rowsAtLines(slice: Slice, lines: readonly number[]): readonly GrantRow[] {
  const wanted = new Set(lines);
  return slice.rows.filter((row) => wanted.has(row.line));
}

/** A row as refusals name it. */
export function ruleId(row: GrantRow): string {
  return `policy.csv:${row.line}`;
}

function isSubject(caller: CachedSubject | undefined, subject: string): boolean {
  if (caller === undefined) return false;
  if (caller.memberOf.has(subject)) return true;
  return subject.startsWith('agent:') && globMatches(subject, caller.agent);
}

interface Slices {
  callerFor(subjects: readonly string[]): CachedSubject | undefined;
  byKey(key: string): CachedSubject | undefined;
  sliceFor(caller: CachedSubject, request: AccessRequest): Slice;
}

function createSlices(parts: PolicyParts): Slices {
  const index = (parts.buildIndex ?? buildGrantIndex)(parts.rows);
  const callers = new Map<string, CachedSubject>();
  let sliceCount = 0;
  const sliceFor = (caller: CachedSubject, { object, action }: AccessRequest): Slice => {
    let objects = caller.slices.get(action);
    const cached = objects?.get(object);
    if (cached !== undefined) return cached;
    const slice = createSlice(
      index.select({ subjects: caller.subjects, object, sets: [...parts.sets.groupsOf(object)], action }),
    );
    if (sliceCount >= SLICE_CACHE_SIZE) {
      for (const each of callers.values()) each.slices.clear();
      sliceCount = 0;
      objects = undefined;
    }
    if (objects === undefined) {
      objects = new Map();
      caller.slices.set(action, objects);
    }
    objects.set(object, slice);
    sliceCount += 1;
    return slice;
  };
  const callerFor = (subjects: readonly string[]): CachedSubject | undefined => {
    const key = cachedCallerKey(subjects);
    if (key === undefined) return undefined;
    const cached = callers.get(key);
    if (cached !== undefined) return cached;
    if (callers.size >= SLICE_CACHE_SIZE) {
      callers.clear();
      sliceCount = 0;
    }
    const caller = createCachedSubject(key, parts.roles);
    callers.set(key, caller);
    return caller;
  };
  return { callerFor, byKey: (key) => callers.get(key), sliceFor };
}

/** The keys of lists that cannot change; a principal's is one. */
const callerKeys = new WeakMap<readonly string[], string>();

function cachedCallerKey(subjects: readonly string[]): string | undefined {
  const known = callerKeys.get(subjects);
  if (known !== undefined) return known;
  const key = callerKey(subjects);
  if (key !== undefined && Object.isFrozen(subjects)) callerKeys.set(subjects, key);
  return key;
}

/** The agent's id, and the team's behind a space where there is one; undefined when no subject is one agent. */
function callerKey(subjects: readonly string[]): string | undefined {
  let agent: string | undefined;
  let team: string | undefined;
  for (const subject of subjects) {
    if (subject.startsWith('agent:')) agent ??= subject;
    else if (subject.startsWith('team:')) team ??= subject;
  }
  if (agent === undefined || agent.includes('*') || agent.includes(' ')) return undefined;
  return team === undefined || team.includes(' ') ? agent : `${agent} ${team}`;
}

function createCachedSubject(key: string, roles: RoleGraph): CachedSubject {
  const [agent = '', ...teams] = key.split(' ');
  const memberOf = new Set([agent, ...roles.groupsOf(agent), ...teams]);
  return { key, agent, memberOf, subjects: [...memberOf], slices: new Map() };
}

function createSlice(rows: readonly GrantRow[]): Slice {
  const conditional = rows.filter((row) => row.conditionId !== '');
  return {
    rows,
    casbinRows: rows.map(casbinRow),
    conditionIds: [...new Set(conditional.map((row) => row.conditionId))].sort(),
    denyConditionIds: new Set(conditional.flatMap((row) => (row.effect === 'deny' ? [row.conditionId] : []))),
    decisions: new Map(),
  };
}
