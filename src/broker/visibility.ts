import type { Principal } from '../domain/principal.ts';
import type { JsonObject } from '../lib/json.ts';
import type { ToolList } from './broker.ts';
import type { World } from './world.ts';

/** Lists of the principals that asked, per world; dropped with it. */
interface KnownList {
  readonly principal: Principal;
  readonly list: ToolList;
}

/**
 * What each principal may call. The same evaluator as the call's: a tool is listed exactly when some arguments could
 * be allowed.
 */
export class Visibility {
  #world: World;
  #lists = new Map<string, KnownList>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The tools of a principal in the world in force, by exposed name. Kept until the world changes. */
  list(principal: Principal): ToolList {
    const key = keyOf(principal);
    const known = this.#lists.get(key);
    if (known) return known.list;
    const list = listOf(this.#world, principal);
    this.#lists.set(key, { principal, list });
    return list;
  }

  /** Puts another world in force. @returns the principals that were shown a list and would now see another. */
  change(world: World): readonly string[] {
    const before = this.#lists;
    this.#world = world;
    this.#lists = new Map();
    const changed = new Set<string>();
    for (const [key, { principal, list }] of before) {
      const now = listOf(world, principal);
      const same = sameTools(list.tools, now.tools);
      this.#lists.set(key, { principal, list: same ? list : now });
      if (!same) changed.add(principal.id);
    }
    return [...changed];
  }
}

/** Definitions under their exposed names, one object per target, so that equal lists share their members. */
const exposed = new WeakMap<JsonObject, JsonObject>();

function listOf(world: World, principal: Principal): ToolList {
  const subjects = world.subjectsOf(principal);
  const tools: JsonObject[] = [];
  for (const target of world.targets) {
    if (!world.maySee({ principal, subjects }, target)) continue;
    let definition = exposed.get(target.definition);
    if (!definition) {
      definition = { ...target.definition, name: target.exposedName };
      exposed.set(target.definition, definition);
    }
    tools.push(definition);
  }
  return { tools };
}

function sameTools(one: readonly JsonObject[], other: readonly JsonObject[]): boolean {
  return (
    one.length === other.length &&
    one.every((tool, index) => tool === other[index] || JSON.stringify(tool) === JSON.stringify(other[index]))
  );
}

/** Everything of a principal that a condition may read: who is another in one of these may see another list. */
function keyOf({ id, owner, team, costCenter, environment, proof }: Principal): string {
  return JSON.stringify([id, owner, team, costCenter, environment, proof]);
}
