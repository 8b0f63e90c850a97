import { OPERATIONS, type Operation } from '../domain/call.ts';
import { type ParamHeader, paramHeadersOf } from '../domain/mcp/param-headers.ts';
import type { Principal } from '../domain/principal.ts';
import { FEATURE_KINDS, type FeatureKind, type FeatureTarget, type ViewName } from '../domain/target.ts';
import type { View } from '../domain/view.ts';
import type { JsonObject } from '../lib/json/json.ts';
import type { FeatureList, FeatureLists, ServerCapabilities } from './broker.ts';
import type { Snapshot } from './snapshot.ts';

/** Returns a view of a snapshot; the snapshot itself if none is named. */
export function viewFor(snapshot: Snapshot, view: ViewName | undefined): View | undefined {
  return view === undefined ? snapshot : snapshot.viewOf(view);
}

/** List of one principal in the snapshot in force. */
interface CachedList {
  readonly principal: Principal;
  readonly list: FeatureList;
}

/**
 * Features of one kind that each principal may use. The evaluator is the one that decides calls: a feature is listed if
 * and only if a call with some arguments could be allowed.
 */
export class VisibleList {
  readonly #kind: FeatureKind;
  readonly #view: ViewName | undefined;
  #snapshot: Snapshot;
  #lists = new Map<string, CachedList>();
  /** One list for all principals that see the same, so that serialized pages are shared. */
  #shared = new Map<string, FeatureList>();

  constructor(snapshot: Snapshot, kind: FeatureKind, view?: ViewName) {
    this.#snapshot = snapshot;
    this.#kind = kind;
    this.#view = view;
  }

  /** Returns the list of a principal, sorted by exposed name. Cached until the snapshot changes. */
  list(principal: Principal): FeatureList {
    const key = principalKey(principal);
    const cached = this.#lists.get(key);
    if (cached) return cached.list;
    const list = this.#share(this.#visibleTo(principal));
    this.#lists.set(key, { principal, list });
    return list;
  }

  /** Puts a snapshot in force. @returns the principals whose list was read and has changed. */
  applySnapshot(snapshot: Snapshot): readonly string[] {
    const previous = this.#lists;
    this.#snapshot = snapshot;
    this.#lists = new Map();
    this.#shared = new Map();
    const changed = new Set<string>();
    for (const [key, { principal, list }] of previous) {
      const visible = this.#visibleTo(principal);
      const isSame = haveSameDefinitions(list.definitions, visible.definitions);
      // An equal list stays the same object, so that its cursors and pages stay valid.
      const next = isSame ? list : this.#share(visible);
      if (isSame && !this.#shared.has(visible.fingerprint)) this.#shared.set(visible.fingerprint, list);
      this.#lists.set(key, { principal, list: next });
      if (!isSame) changed.add(principal.id);
    }
    return [...changed];
  }

  #visibleTo(principal: Principal): VisibleFeatures {
    const view = viewFor(this.#snapshot, this.#view);
    return visibleFeatures(this.#snapshot, view?.features[this.#kind] ?? [], principal);
  }

  #share({ fingerprint, definitions }: VisibleFeatures): FeatureList {
    const cached = this.#shared.get(fingerprint);
    if (cached) return cached;
    const list = { definitions };
    this.#shared.set(fingerprint, list);
    return list;
  }
}

/** Definitions under their exposed names, one object per definition, so that equal lists share their members. */
const definitionsByTarget = new WeakMap<JsonObject, JsonObject>();

/** Features that one principal may use. */
interface VisibleFeatures {
  readonly definitions: readonly JsonObject[];
  /** Equal if and only if the same targets of one snapshot are visible. */
  readonly fingerprint: string;
}

const BITS_PER_BYTE = 8;

function visibleFeatures(snapshot: Snapshot, targets: readonly FeatureTarget[], principal: Principal): VisibleFeatures {
  const subjects = snapshot.subjectsOf(principal);
  const definitions: JsonObject[] = [];
  const bits = new Uint8Array(Math.ceil(targets.length / BITS_PER_BYTE));
  targets.forEach((target, index) => {
    if (!snapshot.isVisible({ principal, subjects }, target)) return;
    definitions.push(exposedDefinition(target));
    const byteIndex = Math.floor(index / BITS_PER_BYTE);
    bits[byteIndex] = (bits[byteIndex] ?? 0) | (1 << (index % BITS_PER_BYTE));
  });
  return { definitions, fingerprint: Buffer.from(bits.buffer).toString('base64') };
}

/** Member of a definition that holds its name, by kind. */
const NAME_MEMBER = { tool: 'name', prompt: 'name', resource: 'uri', template: 'uriTemplate' } as const;

function exposedDefinition(target: FeatureTarget): JsonObject {
  const override = target.kind === 'tool' || target.kind === 'prompt' ? target.override : undefined;
  if (override !== undefined) return override;
  const { kind, exposedName } = target;
  const definition = (target.kind === 'tool' ? target.advertised : undefined) ?? target.definition;
  const member = NAME_MEMBER[kind];
  if (definition[member] === exposedName) return definition;
  const cached = definitionsByTarget.get(definition);
  // The exposed URI changes when another server offers the same URI.
  if (cached?.[member] === exposedName) return cached;
  const exposed = { ...definition, [member]: exposedName };
  definitionsByTarget.set(definition, exposed);
  return exposed;
}

function haveSameDefinitions(one: readonly JsonObject[], other: readonly JsonObject[]): boolean {
  return (
    one.length === other.length &&
    one.every(
      (definition, index) => definition === other[index] || JSON.stringify(definition) === JSON.stringify(other[index]),
    )
  );
}

/** Makes a key of every member that a condition may read: principals that differ in one may see different lists. */
function principalKey({ id, owner, team, costCenter, environment, proof }: Principal): string {
  return JSON.stringify([id, owner, team, costCenter, environment, proof]);
}

/** Change of one list. `view` is undefined for all servers. */
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

/** Lists of all kinds and views, by the snapshot in force. */
export class VisibleLists implements FeatureLists {
  readonly #catalog: ListsByKind;
  /** Lists of the views that were requested, at most one for each view that existed. */
  readonly #views = new Map<ViewName, ListsByKind>();
  #snapshot: Snapshot;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    this.#catalog = createLists(snapshot);
  }

  /** Puts a snapshot in force. @returns each list that was read and has changed. */
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
    // An undeclared name is not stored, or requests could fill the memory.
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
    // An override hides arguments, and an agent sends no header for an argument that it does not see.
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
