import type { PromptTarget, ToolTarget } from '../../domain/target.ts';
import type { View } from '../../domain/view.ts';
import { indexByExposedName, sortByExposedName } from '../servers/exposed-name.ts';
import { mergeResourceIndexes, type ServerResourceIndex } from './resource-index.ts';

/** The features of all servers, of which a view shows a part. */
export interface ViewSource {
  readonly targets: readonly ToolTarget[];
  readonly prompts: readonly PromptTarget[];
  readonly resourceLists: readonly ServerResourceIndex[];
  /** Discovery status of each server. */
  readonly servers: ReadonlyMap<string, string>;
}

/** Builds a view of targets whose `exposedName` is already the one in the view. */
export function buildView(parts: {
  readonly tools: readonly ToolTarget[];
  readonly prompts: readonly PromptTarget[];
  readonly resources: readonly ServerResourceIndex[];
  readonly isComplete: boolean;
}): View {
  const index = mergeResourceIndexes(parts.resources);
  const lists = {
    tool: sortByExposedName(parts.tools),
    prompt: sortByExposedName(parts.prompts),
    resource: sortByExposedName(index.resources),
    template: sortByExposedName(index.templates),
  };
  const byName = {
    tool: indexByExposedName(lists.tool),
    prompt: indexByExposedName(lists.prompt),
    template: indexByExposedName(lists.template),
  };
  return {
    features: lists,
    isComplete: parts.isComplete,
    resolve: (exposed, kind) => (kind === 'resource' ? index.resolve(exposed) : byName[kind].get(exposed)),
  };
}
