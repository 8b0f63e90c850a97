import { OPERATIONS, type Operation } from '../domain/call.ts';
import { type ParamHeader, paramHeadersOf } from '../domain/mirrored-arguments.ts';
import type { Principal } from '../domain/principal.ts';
import { FEATURE_KINDS, type FeatureKind } from '../domain/target.ts';
import type { View } from '../domain/view.ts';
import type { ViewName } from '../domain/view-name.ts';
import type { FeatureList, ServerCapabilities } from './broker.ts';
import { VisibleList, viewFor } from './visibility.ts';
import type { Snapshot } from './world.ts';

/** Whose list of what kind changed, and in which view. */
export interface ListChange {
  readonly principalId: string;
  readonly kind: FeatureKind;
  readonly view: ViewName | undefined;
}

type ListsByKind = Readonly<Record<FeatureKind, VisibleList>>;

const NO_PARAM_HEADERS: readonly ParamHeader[] = [];
const EMPTY_LIST: FeatureList = Object.freeze({ definitions: [] });
const ALL_CAPABILITIES: ServerCapabilities = Object.freeze({
  prompts: true,
  resources: true,
  completions: true,
  subscriptions: true,
});

const COMPLETIONS: readonly Operation[] = [OPERATIONS.completePrompt, OPERATIONS.completeTemplate];
const SUBSCRIPTIONS: readonly Operation[] = [OPERATIONS.subscribeResource, { action: 'subscribe', kind: 'template' }];

/** What the world in force shows to whom, in the whole and in each view. */
export class VisibleLists {
  readonly #catalog: ListsByKind;
  /** Of the views that were ever asked for; never more than there were. */
  readonly #views = new Map<ViewName, ListsByKind>();
  #snapshot: Snapshot;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    this.#catalog = createLists(snapshot);
  }

  /** Puts another world in force. @returns every list that somebody was shown and that now is another. */
  applySnapshot(snapshot: Snapshot): readonly ListChange[] {
    this.#snapshot = snapshot;
    const changed: ListChange[] = [];
    for (const [view, lists] of [[undefined, this.#catalog] as const, ...this.#views]) {
      for (const kind of FEATURE_KINDS) {
        for (const principalId of lists[kind].applySnapshot(snapshot)) changed.push({ principalId, kind, view });
      }
    }
    return changed;
  }

  list(principal: Principal, kind: FeatureKind, view?: ViewName): FeatureList {
    if (view === undefined) return this.#catalog[kind].list(principal);
    // A name that nobody declared leaves no trace, or names alone would fill the memory.
    const lists = this.#views.get(view) ?? (this.#snapshot.viewOf(view) && this.#listsFor(view));
    return lists ? lists[kind].list(principal) : EMPTY_LIST;
  }

  isViewVisible(principal: Principal, view: ViewName): boolean {
    const resolved = this.#snapshot.viewOf(view);
    if (!resolved) return false;
    const isListed = FEATURE_KINDS.some((kind) => this.list(principal, kind, view).definitions.length > 0);
    return isListed || this.#canComplete(principal, resolved);
  }

  paramHeaders(exposedName: string, view?: ViewName): readonly ParamHeader[] {
    const target = viewFor(this.#snapshot, view)?.resolve(exposedName, 'tool');
    if (target?.kind !== 'tool') return NO_PARAM_HEADERS;
    const { override } = target;
    // A view's agents are asked for no header of an argument that they do not see.
    return paramHeadersOf(override === undefined ? target : { ...target, advertised: override });
  }

  capabilitiesOf(principal: Principal, view?: ViewName): ServerCapabilities {
    const resolved = viewFor(this.#snapshot, view);
    if (resolved && !resolved.isComplete) return ALL_CAPABILITIES;
    const hasFeatures = (kind: FeatureKind): boolean => this.list(principal, kind, view).definitions.length > 0;
    return {
      prompts: hasFeatures('prompt'),
      resources: hasFeatures('resource') || hasFeatures('template'),
      completions: resolved !== undefined && this.#canComplete(principal, resolved),
      subscriptions: resolved !== undefined && this.#couldUse(principal, resolved, SUBSCRIPTIONS),
    };
  }

  #canComplete(principal: Principal, resolved: View): boolean {
    return this.#couldUse(principal, resolved, COMPLETIONS);
  }

  #couldUse(principal: Principal, resolved: View, operations: readonly Operation[]): boolean {
    const caller = { principal, subjects: this.#snapshot.subjectsOf(principal) };
    return operations.some(({ action, kind }) =>
      resolved.features[kind].some((target) => this.#snapshot.couldBeAllowed(caller, target, action)),
    );
  }

  #listsFor(view: ViewName): ListsByKind {
    const lists = createLists(this.#snapshot, view);
    this.#views.set(view, lists);
    return lists;
  }
}

function createLists(snapshot: Snapshot, view?: ViewName): ListsByKind {
  return {
    tool: new VisibleList(snapshot, 'tool', view),
    prompt: new VisibleList(snapshot, 'prompt', view),
    resource: new VisibleList(snapshot, 'resource', view),
    template: new VisibleList(snapshot, 'template', view),
  };
}
