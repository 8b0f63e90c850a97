import type { Principal } from '../domain/principal.ts';
import type { OfferedTarget, OfferKind } from '../domain/target.ts';
import type { View } from '../domain/view.ts';
import type { ViewName } from '../domain/view-name.ts';
import type { JsonObject } from '../lib/json.ts';
import type { OfferList } from './broker.ts';
import type { World } from './world.ts';

/** The part of a world that a view is; the world itself where none is named. */
export function partOf(world: World, view: ViewName | undefined): View | undefined {
  return view === undefined ? world : world.viewOf(view);
}

/** Lists of the principals that asked, per world; dropped with it. */
interface KnownList {
  readonly principal: Principal;
  readonly list: OfferList;
}

/**
 * What of one kind each principal may use. The same evaluator as the call's: a thing is listed exactly when some
 * arguments could be allowed.
 */
export class Visibility {
  readonly #kind: OfferKind;
  readonly #view: ViewName | undefined;
  #world: World;
  #lists = new Map<string, KnownList>();
  /** One list for all who see the same, so that its printed pages are shared. */
  #shared = new Map<string, OfferList>();

  constructor(world: World, kind: OfferKind, view?: ViewName) {
    this.#world = world;
    this.#kind = kind;
    this.#view = view;
  }

  /** The list of a principal in the world in force, by exposed name. Kept until the world changes. */
  list(principal: Principal): OfferList {
    const key = keyOf(principal);
    const known = this.#lists.get(key);
    if (known) return known.list;
    const list = this.#share(this.#seenBy(principal));
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
      const seen = this.#seenBy(principal);
      const same = sameOffers(list.offers, seen.offers);
      // A list that says the same stays the same object, or its cursors and pages would be lost for nothing.
      const now = same ? list : this.#share(seen);
      if (same && !this.#shared.has(seen.mark)) this.#shared.set(seen.mark, list);
      this.#lists.set(key, { principal, list: now });
      if (!same) changed.add(principal.id);
    }
    return [...changed];
  }

  #seenBy(principal: Principal): Seen {
    const view = partOf(this.#world, this.#view);
    return seenBy(this.#world, view?.offers[this.#kind] ?? [], principal);
  }

  #share({ mark, offers }: Seen): OfferList {
    const known = this.#shared.get(mark);
    if (known) return known;
    const list = { offers };
    this.#shared.set(mark, list);
    return list;
  }
}

/** Definitions under their exposed names, one object per target, so that equal lists share their members. */
const exposed = new WeakMap<JsonObject, JsonObject>();

/** What one principal may use, and which of the world's targets they are. */
interface Seen {
  readonly offers: readonly JsonObject[];
  /** Equal exactly when the same targets of one world are seen. */
  readonly mark: string;
}

const MARK_BITS = 8;

function seenBy(world: World, targets: readonly OfferedTarget[], principal: Principal): Seen {
  const subjects = world.subjectsOf(principal);
  const offers: JsonObject[] = [];
  const marks = new Uint8Array(Math.ceil(targets.length / MARK_BITS));
  targets.forEach((target, index) => {
    if (!world.maySee({ principal, subjects }, target)) return;
    offers.push(exposedDefinition(target));
    const at = Math.floor(index / MARK_BITS);
    marks[at] = (marks[at] ?? 0) | (1 << (index % MARK_BITS));
  });
  return { offers, mark: Buffer.from(marks.buffer).toString('base64') };
}

/** The member of a definition by which its kind is asked for. */
const NAME_MEMBER = { tool: 'name', prompt: 'name', resource: 'uri', template: 'uriTemplate' } as const;

function exposedDefinition(target: OfferedTarget): JsonObject {
  const presented = target.kind === 'tool' || target.kind === 'prompt' ? target.presented : undefined;
  if (presented !== undefined) return presented;
  const { kind, exposedName } = target;
  const definition = (target.kind === 'tool' ? target.shown : undefined) ?? target.definition;
  const member = NAME_MEMBER[kind];
  if (definition[member] === exposedName) return definition;
  const known = exposed.get(definition);
  // A URI that another server offers too is shown otherwise from then on.
  if (known?.[member] === exposedName) return known;
  const shown = { ...definition, [member]: exposedName };
  exposed.set(definition, shown);
  return shown;
}

function sameOffers(one: readonly JsonObject[], other: readonly JsonObject[]): boolean {
  return (
    one.length === other.length &&
    one.every((offer, index) => offer === other[index] || JSON.stringify(offer) === JSON.stringify(other[index]))
  );
}

/** Everything of a principal that a condition may read: who is another in one of these may see another list. */
function keyOf({ id, owner, team, costCenter, environment, proof }: Principal): string {
  return JSON.stringify([id, owner, team, costCenter, environment, proof]);
}
