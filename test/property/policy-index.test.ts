import { type Enforcer, newEnforcer, newModelFromString } from 'casbin';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Principal } from '../../src/domain/principal.ts';
import type { JsonObject } from '../../src/lib/json/json.ts';
import { principalSubjects } from '../../src/policy/authorize.ts';
import { buildGrantIndex, type GrantIndexBuilder, type GrantSelection } from '../../src/policy/engine/grant-index.ts';
import type { GrantRow } from '../../src/policy/files/grant-row.ts';
import { DEFAULT_MODEL } from '../../src/policy/files/model.ts';
import { loadPolicySet } from '../../src/policy/load.ts';
import {
  ACTIONS_ASKED,
  ARGUMENTS,
  CONDITIONS,
  type GeneratedGrant,
  type GeneratedPolicy,
  OBJECTS,
  PRINCIPALS,
  policy,
  scopeOf,
} from './policy-generator.ts';

/** A verdict, the row that decided, and all rows that matched (rows by their place, from 1). */
interface Answer {
  readonly allowed: boolean;
  readonly rule: number | undefined;
  readonly matching: readonly number[];
}

/** Plain Casbin: its own role managers and effector, all rows, matcher functions written a second time. */
class WholeCasbin {
  readonly #enforcer: Enforcer;
  readonly #grants: readonly GeneratedGrant[];
  #args: JsonObject = {};
  #team: string | undefined;

  private constructor(enforcer: Enforcer, grants: readonly GeneratedGrant[]) {
    this.#enforcer = enforcer;
    this.#grants = grants;
  }

  static async of({ grants, roleLinks, setLinks }: GeneratedPolicy): Promise<WholeCasbin> {
    const enforcer = await newEnforcer(newModelFromString(DEFAULT_MODEL));
    const whole = new WholeCasbin(enforcer, grants);
    await enforcer.addFunction('glob', (object: string, pattern: string) => asRegExp(pattern).test(object));
    await enforcer.addFunction('when', (text: string, _: unknown, effect: string) => whole.#holds(text, effect));
    for (const [member, role] of roleLinks) await enforcer.addGroupingPolicy(member, role);
    for (const [member, set] of setLinks) await enforcer.addNamedGroupingPolicy('g2', member, set);
    for (const { id, team } of PRINCIPALS) {
      if (team !== undefined) await enforcer.addGroupingPolicy(id, `team:${team}`);
      for (const glob of ['agent:*', 'agent:a*'])
        if (asRegExp(glob).test(id)) await enforcer.addGroupingPolicy(id, glob);
    }
    return whole;
  }

  #holds(text: string, effect: string): boolean {
    const result = text === '' ? 'true' : CONDITIONS[text]?.(this.#args, this.#team);
    return result === 'true' || (result === 'error' && effect === 'deny');
  }

  answer(principal: Principal, object: string, about: { readonly action: string; readonly args: JsonObject }): Answer {
    this.#args = about.args;
    this.#team = principal.team;
    const ask = (rows: readonly GeneratedGrant[]): [boolean, string[]] => {
      const assertion = this.#enforcer.getModel().model.get('p')?.get('p');
      if (assertion === undefined) throw new Error('no policy definition');
      assertion.policy = rows.map((row) => [row.subject, row.object, row.action, row.when, row.effect]);
      return this.#enforcer.enforceExSync(principal.id, object, about.action, {});
    };
    const [allowed] = this.#grants.length === 0 ? [false] : ask(this.#grants);
    // Casbin explains one row only, so each is asked for by itself.
    const matching = this.#grants.flatMap((row, index) => (ask([row])[1].length > 0 ? [index + 1] : []));
    const first = (effect: string): number | undefined =>
      matching.find((at) => this.#grants[at - 1]?.effect === effect);
    return { allowed, rule: first('deny') ?? first('allow'), matching };
  }
}

function asRegExp(pattern: string): RegExp {
  return new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\/]/g, '\\$&').replaceAll('*', '.*')}$`, 's');
}

/** The same rows decided through an index and by plain Casbin over all of them. */
function sliceIsWhole(buildIndex: GrantIndexBuilder): fc.IAsyncProperty<[GeneratedPolicy]> {
  return fc.asyncProperty(policy, async (generated) => {
    const whole = await WholeCasbin.of(generated);
    const policySet = loadPolicySet({ 'policy.csv': generated.csv }, { buildIndex });
    for (const principal of PRINCIPALS) {
      const subjects = principalSubjects(policySet, principal);
      for (const object of OBJECTS) {
        for (const action of ACTIONS_ASKED) {
          for (const args of ARGUMENTS) {
            const scope = scopeOf(principal, args);
            const { allowed, rule, matching } = policySet.decide(
              { subjects, object, action },
              (id) => policySet.condition(id)?.evaluate(scope) ?? 'error',
            );
            const line = rule === undefined ? undefined : Number(rule.slice('policy.csv:'.length));
            expect({ allowed, rule: line, matching }).toEqual(whole.answer(principal, object, { action, args }));
          }
        }
      }
    }
  });
}

test('a decision over the selected rows equals that of plain Casbin over all rows: verdict, deciding row, matching rows', async () => {
  await fc.assert(sliceIsWhole(buildGrantIndex), { numRuns: 40, seed: 20_260_131 });
});

/** An index that changes the question before, or drops rows after, the real one answers. */
function broken(change: {
  readonly question?: (selection: GrantSelection) => GrantSelection;
  readonly rows?: (rows: readonly GrantRow[], selection: GrantSelection) => readonly GrantRow[];
}): GrantIndexBuilder {
  return (all) => {
    const index = buildGrantIndex(all);
    return {
      select(selection) {
        const rows = index.select(change.question?.(selection) ?? selection);
        return change.rows?.(rows, selection) ?? rows;
      },
    };
  };
}

describe('the comparison catches an index that', () => {
  test.each<[string, GrantIndexBuilder]>([
    [
      'forgets roles',
      broken({
        question: (asked) => ({ ...asked, subjects: asked.subjects.filter((each) => !each.startsWith('role:')) }),
      }),
    ],
    [
      'forgets the team',
      broken({
        question: (asked) => ({ ...asked, subjects: asked.subjects.filter((each) => !each.startsWith('team:')) }),
      }),
    ],
    ['forgets sets', broken({ question: (asked) => ({ ...asked, sets: [] }) })],
    ['forgets all sets but one', broken({ question: (asked) => ({ ...asked, sets: asked.sets.slice(0, 1) }) })],
    [
      'takes a glob for the name itself',
      broken({ rows: (rows, { object }) => rows.filter((row) => !row.object.includes('*') || row.object === object) }),
    ],
    ['ignores rows for every action', broken({ rows: (rows) => rows.filter((row) => row.action !== '*') })],
    ['ignores subjects with a glob', broken({ rows: (rows) => rows.filter((row) => !row.subject.includes('*')) })],
    [
      'ignores globs right behind the kind',
      broken({ rows: (rows) => rows.filter((row) => !row.object.includes(':*')) }),
    ],
    ['ignores deny rows', broken({ rows: (rows) => rows.filter((row) => row.effect !== 'deny') })],
    ['ignores conditional rows', broken({ rows: (rows) => rows.filter((row) => row.when === '') })],
    ['finds the first row only', broken({ rows: (rows) => rows.slice(0, 1) })],
    ['forgets the order of the file', broken({ rows: (rows) => rows.toReversed() })],
    ['folds upper and lower case', broken({ question: (asked) => ({ ...asked, object: asked.object.toLowerCase() }) })],
  ])('%s', async (_, buildIndex) => {
    const outcome = await fc.check(sliceIsWhole(buildIndex), { numRuns: 150, seed: 7, endOnFailure: true });
    expect(outcome.failed).toBe(true);
  });
});
