import type { Principal } from '../domain/principal.ts';
import type { FeatureKind, FeatureTarget } from '../domain/target.ts';
import type { View } from '../domain/view.ts';
import type { ViewName } from '../domain/view-name.ts';
import type { JsonObject } from '../lib/json.ts';
import type { FeatureList } from './broker.ts';
import type { Snapshot } from './world.ts';

/** The part of a world that a view is; the world itself where none is named. */
export function viewFor(snapshot: Snapshot, view: ViewName | undefined): View | undefined {
  return view === undefined ? snapshot : snapshot.viewOf(view);
}

/** Lists of the principals that asked, per world; dropped with it. */
interface CachedList {
  readonly principal: Principal;
  readonly list: FeatureList;
}

/**
 * What of one kind each principal may use. The same evaluator as the call's: a thing is listed exactly when some
 * arguments could be allowed.
 */
export class VisibleList {
  readonly #kind: FeatureKind;
  readonly #view: ViewName | undefined;
  #snapshot: Snapshot;
  #lists = new Map<string, CachedList>();
  /** One list for all who see the same, so that its printed pages are shared. */
  #shared = new Map<string, FeatureList>();

  constructor(snapshot: Snapshot, kind: FeatureKind, view?: ViewName) {
    this.#snapshot = snapshot;
    this.#kind = kind;
    this.#view = view;
  }

  /** The list of a principal in the world in force, by exposed name. Kept until the world changes. */
  list(principal: Principal): FeatureList {
    const key = principalKey(principal);
    const cached = this.#lists.get(key);
    if (cached) return cached.list;
    const list = this.#share(this.#visibleTo(principal));
    this.#lists.set(key, { principal, list });
    return list;
  }

  /** Puts another world in force. @returns the principals that were shown a list and would now see another. */
  applySnapshot(snapshot: Snapshot): readonly string[] {
    const previous = this.#lists;
    this.#snapshot = snapshot;
    this.#lists = new Map();
    this.#shared = new Map();
    const changed = new Set<string>();
    for (const [key, { principal, list }] of previous) {
      const visible = this.#visibleTo(principal);
      const isSame = haveSameDefinitions(list.definitions, visible.definitions);
      // A list that says the same stays the same object, or its cursors and pages would be lost for nothing.
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

/** Definitions under their exposed names, one object per target, so that equal lists share their members. */
const definitionsByTarget = new WeakMap<JsonObject, JsonObject>();

/** What one principal may use, and which of the world's targets they are. */
interface VisibleFeatures {
  readonly definitions: readonly JsonObject[];
  /** Equal exactly when the same targets of one world are seen. */
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

/** The member of a definition by which its kind is asked for. */
const NAME_MEMBER = { tool: 'name', prompt: 'name', resource: 'uri', template: 'uriTemplate' } as const;

function exposedDefinition(target: FeatureTarget): JsonObject {
  const override = target.kind === 'tool' || target.kind === 'prompt' ? target.override : undefined;
  if (override !== undefined) return override;
  const { kind, exposedName } = target;
  const definition = (target.kind === 'tool' ? target.advertised : undefined) ?? target.definition;
  const member = NAME_MEMBER[kind];
  if (definition[member] === exposedName) return definition;
  const cached = definitionsByTarget.get(definition);
  // A URI that another server offers too is shown otherwise from then on.
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

/** Everything of a principal that a condition may read: who is another in one of these may see another list. */
function principalKey({ id, owner, team, costCenter, environment, proof }: Principal): string {
  return JSON.stringify([id, owner, team, costCenter, environment, proof]);
}
