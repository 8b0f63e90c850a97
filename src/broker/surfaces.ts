import { VERBS, type Verb } from '../domain/call.ts';
import type { Principal } from '../domain/principal.ts';
import type { OfferKind } from '../domain/target.ts';
import type { Surfaces } from './broker.ts';
import type { World } from './world.ts';

/** Which surfaces beside tools there are for a principal, or may be: a server that was not listed may offer any. */
export function surfacesIn(world: World, principal: Principal, has: (kind: OfferKind) => boolean): Surfaces {
  if (!world.isComplete) return { prompts: true, resources: true, completions: true, subscriptions: true };
  const who = { principal, subjects: world.subjectsOf(principal) };
  const may = ({ action, kind }: Verb): boolean =>
    world.offers[kind].some((target) => world.mayEver(who, target, action));
  return {
    prompts: has('prompt'),
    resources: has('resource') || has('template'),
    completions: may(VERBS.completePrompt) || may(VERBS.completeTemplate),
    subscriptions: may(VERBS.subscribeResource) || may({ action: 'subscribe', kind: 'template' }),
  };
}
