import type { PromptTarget, ToolTarget } from '../domain/target.ts';
import type { View } from '../domain/view.ts';
import { byExposedName, inOrder } from './name-order.ts';
import { type ResourceOffer, shelfOf } from './resource-shelf.ts';

/** What a catalog holds of all servers, of which a view shows a part. */
export interface ViewSource {
  readonly targets: readonly ToolTarget[];
  readonly prompts: readonly PromptTarget[];
  readonly resourceOffers: readonly ResourceOffer[];
  /** How each server stands: `listed`, or otherwise. */
  readonly servers: ReadonlyMap<string, string>;
}

/** A view of targets that bear their names in it already. */
export function viewOf(parts: {
  readonly tools: readonly ToolTarget[];
  readonly prompts: readonly PromptTarget[];
  readonly resources: readonly ResourceOffer[];
  readonly isComplete: boolean;
}): View {
  const shelf = shelfOf(parts.resources);
  const offers = {
    tool: inOrder(parts.tools),
    prompt: inOrder(parts.prompts),
    resource: inOrder(shelf.resources),
    template: inOrder(shelf.templates),
  };
  const byName = {
    tool: byExposedName(offers.tool),
    prompt: byExposedName(offers.prompt),
    template: byExposedName(offers.template),
  };
  return {
    offers,
    isComplete: parts.isComplete,
    resolve: (exposed, kind) => (kind === 'resource' ? shelf.resolve(exposed) : byName[kind].get(exposed)),
  };
}
