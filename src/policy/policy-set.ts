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

/** An access request: may these subjects perform this action on that object? */
export interface AccessRequest {
  /** Subjects as of {@link principalSubjects}. Only `agent:` and `team:` count: roles come from the policy set itself. */
  readonly subjects: readonly string[];
  /** Id of one object, such as `tool:<server>/<tool>`. */
  readonly object: string;
  readonly action: string;
}

/** The decision on a request under given results of its conditions. */
export interface PolicyDecision {
  readonly allowed: boolean;
  /** The deciding row, such as `policy.csv:12`: the first matching deny, else the first matching allow; absent when none matched. */
  readonly rule?: string;
  readonly effect?: 'allow' | 'deny';
  /** Lines of all matching rows, in file order. */
  readonly matching: readonly number[];
}

/** Results of conditions that are known without the arguments; undefined for one that depends on them. */
export type KnownConditions = (conditionId: string) => ConditionResult | undefined;

/** An immutable, compiled revision of `policy.csv` and `model.conf`. */
export interface PolicySet {
  /** The revision: digest of both texts. */
  readonly digest: Digest;
  /** Both texts as loaded, to be stored by digest; loading them again makes an equal set. */
  readonly texts: { readonly 'model.conf': string; readonly 'policy.csv': string };
  readonly rows: readonly GrantRow[];
  /** Role memberships. */
  readonly roles: RoleGraph;
  /** Set memberships. */
  readonly sets: RoleGraph;
  /** Every role of an agent or role, directly or through other roles, sorted. */
  rolesOf(subject: string): readonly string[];
  /** Ids of the conditions that the decision on a request may depend on. */
  conditionsFor(request: AccessRequest): readonly string[];
  condition(id: string): Condition | undefined;
  /** Decides a request by Casbin. `conditions` returns the result of each condition by its id. */
  decide(request: AccessRequest, conditions: ConditionLookup): PolicyDecision;
  /** True when some results of the conditions allow the request; the results in `known` are fixed. */
  couldAllow(request: AccessRequest, known?: KnownConditions): boolean;
  /** True when all results of the conditions allow the request; the results in `known` are fixed. */
  alwaysAllows(request: AccessRequest, known?: KnownConditions): boolean;
  /** Rows that match the request when their conditions are true, in file order. */
  rowsFor(request: AccessRequest): readonly GrantRow[];
}

/** The parts of a policy set, checked by the loader. */
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

/**
 * Largest number of cached slices; when full, all are dropped. Nested Maps and not an `lru-cache`, because every decision
 * looks a slice up: 19 ns against 159 ns for one cache with a joined key.
 */
const SLICE_CACHE_SIZE = 20_000;

/** The rows that can match one caller, object and action. */
interface Slice {
  readonly rows: readonly GrantRow[];
  readonly casbinRows: CasbinRows;
  readonly conditionIds: readonly string[];
  readonly denyConditionIds: ReadonlySet<string>;
  /** Decisions by the results of the conditions: set and slice are immutable, so Casbin decides each once. */
  readonly decisions: Map<string, PolicyDecision>;
}

/** One caller: its agent id and team, with their memberships resolved. */
interface CachedSubject {
  readonly key: string;
  readonly agent: string;
  readonly subjects: readonly string[];
  readonly memberOf: ReadonlySet<string>;
  readonly slices: Map<string, Map<string, Slice>>;
}

/** Largest number of cached decisions of one slice; when full, no more are added. Bounds slices with many conditions. */
const DECISION_CACHE_SIZE = 64;

/** The results of the conditions of a slice, as one key. */
function outcomeKey(conditionIds: readonly string[], conditions: ConditionLookup): string {
  let outcomes = '';
  for (const id of conditionIds) outcomes += conditions(id).charAt(0);
  return outcomes;
}

const NOTHING_KNOWN: KnownConditions = () => undefined;

/** Makes the decision function over Casbin; decisions are cached per slice. */
function createDecide(parts: PolicyParts, slices: Slices): PolicySet['decide'] {
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
  return (request, conditions) => {
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
}

/** Makes a policy set from checked parts. */
export function createPolicySet(parts: PolicyParts): PolicySet {
  const slices = createSlices(parts);
  const decide = createDecide(parts, slices);
  const sliceFor = (request: AccessRequest): Slice => {
    const caller = slices.callerFor(request.subjects);
    return caller === undefined ? NO_ROWS : slices.sliceFor(caller, request);
  };
  const { digest, texts, rows, roles, sets } = parts;
  return {
    digest,
    texts,
    rows,
    roles,
    sets,
    decide,
    rolesOf: (subject) => [...roles.groupsOf(subject)].sort(),
    conditionsFor: (request) => sliceFor(request).conditionIds,
    condition: (id) => parts.conditions.get(id),
    couldAllow(request, known = NOTHING_KNOWN) {
      // Optimistic: conditions of deny rows are false, all others true. A condition of allow and deny rows is false.
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

/** The id of a row in refusals, such as `policy.csv:12`. */
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

/** Keys of frozen lists of subjects, such as those of a principal. */
const callerKeys = new WeakMap<readonly string[], string>();

function cachedCallerKey(subjects: readonly string[]): string | undefined {
  const known = callerKeys.get(subjects);
  if (known !== undefined) return known;
  const key = callerKey(subjects);
  if (key !== undefined && Object.isFrozen(subjects)) callerKeys.set(subjects, key);
  return key;
}

/** The agent's id, followed by a space and the team's id if there is one; undefined when no subject is a single agent. */
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
