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
  /** One list for all who see the same, so that its printed pages are shared. */
  #shared = new Map<string, ToolList>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The tools of a principal in the world in force, by exposed name. Kept until the world changes. */
  list(principal: Principal): ToolList {
    const key = keyOf(principal);
    const known = this.#lists.get(key);
    if (known) return known.list;
    const list = this.#share(seenBy(this.#world, principal));
    this.#lists.set(key, { principal, list });
    return list;
  }

  /** Puts another world in force. @returns the principals that were shown a list and would now see another. */
  change(world: World): readonly string[] {
    const before = this.#lists;
    this.#world = world;
    this.#lists = new Map();
    this.#shared = new Map();
    const changed = new Set<string>();
    for (const [key, { principal, list }] of before) {
      const seen = seenBy(world, principal);
      const same = sameTools(list.tools, seen.tools);
      // A list that says the same stays the same object, or its cursors and pages would be lost for nothing.
      const now = same ? list : this.#share(seen);
      if (same && !this.#shared.has(seen.mark)) this.#shared.set(seen.mark, list);
      this.#lists.set(key, { principal, list: now });
      if (!same) changed.add(principal.id);
    }
    return [...changed];
  }

  #share({ mark, tools }: Seen): ToolList {
    const known = this.#shared.get(mark);
    if (known) return known;
    const list = { tools };
    this.#shared.set(mark, list);
    return list;
  }
}

/** Definitions under their exposed names, one object per target, so that equal lists share their members. */
const exposed = new WeakMap<JsonObject, JsonObject>();

/** The tools of one principal, and which of the world's targets they are. */
interface Seen {
  readonly tools: readonly JsonObject[];
  /** Equal exactly when the same targets of one world are seen. */
  readonly mark: string;
}

const MARK_BITS = 8;

function seenBy(world: World, principal: Principal): Seen {
  const subjects = world.subjectsOf(principal);
  const tools: JsonObject[] = [];
  const marks = new Uint8Array(Math.ceil(world.targets.length / MARK_BITS));
  world.targets.forEach((target, index) => {
    if (!world.maySee({ principal, subjects }, target)) return;
    const shown = target.shown ?? target.definition;
    let definition = exposed.get(shown);
    if (!definition) {
      definition = { ...shown, name: target.exposedName };
      exposed.set(shown, definition);
    }
    tools.push(definition);
    const at = Math.floor(index / MARK_BITS);
    marks[at] = (marks[at] ?? 0) | (1 << (index % MARK_BITS));
  });
  return { tools, mark: Buffer.from(marks.buffer).toString('base64') };
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
