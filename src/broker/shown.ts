import { VERBS, type Verb } from '../domain/call.ts';
import { type MirroredArgument, mirroredOf } from '../domain/mirrored-arguments.ts';
import type { Principal } from '../domain/principal.ts';
import { OFFER_KINDS, type OfferKind } from '../domain/target.ts';
import type { View } from '../domain/view.ts';
import type { ViewName } from '../domain/view-name.ts';
import type { OfferList, Surfaces } from './broker.ts';
import { partOf, Visibility } from './visibility.ts';
import type { World } from './world.ts';

/** Whose list of what kind changed, and in which view. */
export interface ChangedList {
  readonly principalId: string;
  readonly kind: OfferKind;
  readonly view: ViewName | undefined;
}

type Lists = Readonly<Record<OfferKind, Visibility>>;

const NOTHING: readonly MirroredArgument[] = [];
const EMPTY: OfferList = Object.freeze({ offers: [] });
const MAYBE_ALL: Surfaces = Object.freeze({ prompts: true, resources: true, completions: true, subscriptions: true });

const COMPLETIONS: readonly Verb[] = [VERBS.completePrompt, VERBS.completeTemplate];
const SUBSCRIPTIONS: readonly Verb[] = [VERBS.subscribeResource, { action: 'subscribe', kind: 'template' }];

/** What the world in force shows to whom, in the whole and in each view. */
export class Shown {
  readonly #whole: Lists;
  /** Of the views that were ever asked for; never more than there were. */
  readonly #views = new Map<ViewName, Lists>();
  #world: World;

  constructor(world: World) {
    this.#world = world;
    this.#whole = listsOf(world);
  }

  /** Puts another world in force. @returns every list that somebody was shown and that now is another. */
  change(world: World): readonly ChangedList[] {
    this.#world = world;
    const changed: ChangedList[] = [];
    for (const [view, lists] of [[undefined, this.#whole] as const, ...this.#views]) {
      for (const kind of OFFER_KINDS) {
        for (const principalId of lists[kind].change(world)) changed.push({ principalId, kind, view });
      }
    }
    return changed;
  }

  list(principal: Principal, kind: OfferKind, view?: ViewName): OfferList {
    if (view === undefined) return this.#whole[kind].list(principal);
    // A name that nobody declared leaves no trace, or names alone would fill the memory.
    const lists = this.#views.get(view) ?? (this.#world.viewOf(view) && this.#open(view));
    return lists ? lists[kind].list(principal) : EMPTY;
  }

  serves(principal: Principal, view: ViewName): boolean {
    const part = this.#world.viewOf(view);
    if (!part) return false;
    const isListed = OFFER_KINDS.some((kind) => this.list(principal, kind, view).offers.length > 0);
    return isListed || this.#completes(principal, part);
  }

  mirroredArguments(exposedName: string, view?: ViewName): readonly MirroredArgument[] {
    const target = partOf(this.#world, view)?.resolve(exposedName, 'tool');
    if (target?.kind !== 'tool') return NOTHING;
    const { presented } = target;
    // A view's agents are asked for no header of an argument that they do not see.
    return mirroredOf(presented === undefined ? target : { ...target, shown: presented });
  }

  surfacesOf(principal: Principal, view?: ViewName): Surfaces {
    const part = partOf(this.#world, view);
    if (part && !part.isComplete) return MAYBE_ALL;
    const has = (kind: OfferKind): boolean => this.list(principal, kind, view).offers.length > 0;
    return {
      prompts: has('prompt'),
      resources: has('resource') || has('template'),
      completions: part !== undefined && this.#completes(principal, part),
      subscriptions: part !== undefined && this.#may(principal, part, SUBSCRIPTIONS),
    };
  }

  #completes(principal: Principal, part: View): boolean {
    return this.#may(principal, part, COMPLETIONS);
  }

  #may(principal: Principal, part: View, verbs: readonly Verb[]): boolean {
    const who = { principal, subjects: this.#world.subjectsOf(principal) };
    return verbs.some(({ action, kind }) =>
      part.offers[kind].some((target) => this.#world.mayEver(who, target, action)),
    );
  }

  #open(view: ViewName): Lists {
    const lists = listsOf(this.#world, view);
    this.#views.set(view, lists);
    return lists;
  }
}

function listsOf(world: World, view?: ViewName): Lists {
  return {
    tool: new Visibility(world, 'tool', view),
    prompt: new Visibility(world, 'prompt', view),
    resource: new Visibility(world, 'resource', view),
    template: new Visibility(world, 'template', view),
  };
}
