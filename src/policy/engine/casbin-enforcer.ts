import { createRequire } from 'node:module';
import type * as CasbinModule from 'casbin';
import { globMatches } from '../../lib/text/glob.ts';
import type { ConditionResult } from '../conditions/condition.ts';
import type { GrantRow } from '../files/grant-row.ts';
import { DEFAULT_MODEL } from '../files/model.ts';

// `import 'casbin'` loads a build compiled down to ES5, which is twice as slow.
const casbin = createRequire(import.meta.url)('casbin') as typeof CasbinModule; // `require` has no types of its own

/** Implementations of the matcher functions `g` and `g2`. */
export interface MatcherHooks {
  /** `g(r.sub, p.sub)`: true when the caller is that subject. */
  isSubject(caller: string, subject: string): boolean;
  /** `g2(r.obj, p.obj)`: true when the object is in that set. */
  isInSet(object: string, set: string): boolean;
}

/** Returns the result of a condition by its id. */
export type ConditionLookup = (conditionId: string) => ConditionResult;

/** The decision of Casbin over some rows. */
export interface CasbinResult {
  readonly allowed: boolean;
  /** Index of the deciding row: the first matching deny, else the first matching allow; -1 when none matched. */
  readonly decidingIndex: number;
  /** Indexes of all matching rows, in order. */
  readonly matchingIndexes: readonly number[];
}

/** A request of the model: `r = sub, obj, act, ctx`. */
export interface CasbinRequest {
  readonly caller: string;
  readonly object: string;
  readonly action: string;
  readonly conditions: ConditionLookup;
}

/** Casbin over rows that change with each call. Synchronous, so no decision sees a mix of two sets of rows. */
export interface CasbinEnforcer {
  enforce(rows: CasbinRows, request: CasbinRequest): CasbinResult;
}

/** Rows in Casbin's form: `sub, obj, act, when, eft`. */
export type CasbinRows = string[][];

/** Converts a row to Casbin's form, with the id of its condition. */
export function casbinRow(row: GrantRow): string[] {
  return [row.subject, row.object, row.action, row.conditionId, row.effect];
}

/**
 * Matcher function `when(p.when, r.ctx, p.eft)`. A condition in error does not match on an `allow` row and matches on a
 * `deny` row.
 */
export function whenMatches(conditionId: string, conditions: ConditionLookup, effect: string): boolean {
  if (conditionId === '') return true;
  const result = conditions(conditionId);
  return result === 'true' || (result !== 'false' && effect === 'deny');
}

/** Makes an enforcer of the shipped model, without the built-in matcher functions, some of which are unsafe. */
export function createCasbinEnforcer(hooks: MatcherHooks): CasbinEnforcer {
  const effector = new CompleteEffector();
  const model = casbin.newModelFromString(DEFAULT_MODEL);
  const grants = model.model.get('p')?.get('p');
  const roles = model.model.get('g')?.get('g');
  const sets = model.model.get('g')?.get('g2');
  if (grants === undefined || roles === undefined || sets === undefined) throw new Error('the model lacks p, g or g2');
  roles.rm = roleManager((caller, subject) => hooks.isSubject(caller, subject));
  sets.rm = roleManager((object, set) => hooks.isInSet(object, set));
  const enforcer = new MinimalEnforcer();
  enforcer.install(model, effector);
  return {
    enforce(rows, request) {
      grants.policy = rows;
      const [allowed] = enforcer.enforceExSync(request.caller, request.object, request.action, request.conditions);
      return {
        allowed: allowed && rows.length > 0,
        decidingIndex: effector.deciding(),
        matchingIndexes: effector.matching(),
      };
    },
  };
}

/** An enforcer with the two matcher functions of the model and no others. */
class MinimalEnforcer extends casbin.Enforcer {
  install(model: CasbinModule.Model, effector: CompleteEffector): void {
    this.setModel(model);
    this.setEffector(effector);
    const functions = this.fm.getFunctions();
    functions.clear();
    functions.set('glob', (object: string, pattern: string) => globMatches(pattern, object));
    functions.set('when', whenMatches);
  }
}

/**
 * Casbin's effect `some(where (p.eft == allow)) && !some(where (p.eft == deny))`. Unlike Casbin's own, it does not stop at
 * the first deny, so it finds every matching row, and it reports the first row that decided instead of the last match.
 */
class CompleteEffector implements CasbinModule.Effector {
  #stream = new CompleteStream();
  newStream(): CompleteStream {
    this.#stream = new CompleteStream();
    return this.#stream;
  }
  deciding(): number {
    return this.#stream.firstDeny >= 0 ? this.#stream.firstDeny : this.#stream.firstAllow;
  }
  matching(): readonly number[] {
    return this.#stream.matching;
  }
}

class CompleteStream {
  firstAllow = -1;
  firstDeny = -1;
  readonly matching: number[] = [];
  #next = 0;
  current(): boolean {
    return this.firstAllow >= 0 && this.firstDeny < 0;
  }
  pushEffect(effect: CasbinModule.Effect): [boolean, boolean, boolean] {
    const index = this.#next;
    this.#next += 1;
    let decides = false;
    if (effect !== casbin.Effect.Indeterminate) this.matching.push(index);
    if (effect === casbin.Effect.Deny && this.firstDeny < 0) {
      this.firstDeny = index;
      decides = true;
    } else if (effect === casbin.Effect.Allow && this.firstAllow < 0) {
      this.firstAllow = index;
      decides = this.firstDeny < 0;
    }
    return [this.current(), decides, false];
  }
}

/** A read-only role manager over memberships that the policy set computed. */
function roleManager(hasLink: (name: string, group: string) => boolean): CasbinModule.RoleManager {
  const unused = (): never => {
    throw new Error('the memberships of a policy set do not change');
  };
  return {
    syncedHasLink: hasLink,
    hasLink: unused,
    addLink: unused,
    deleteLink: unused,
    clear: unused,
    getRoles: unused,
    getUsers: unused,
    printRoles: unused,
    getDomains: unused,
    getAllDomains: unused,
  };
}
