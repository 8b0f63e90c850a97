import type { FeatureKind, FeatureTarget } from './target.ts';

/**
 * What can be asked for at one door, and under which names. Immutable. Its targets are the originals under names of
 * their own: policy, limits and the ledger speak of the original, so that no view grants anything.
 */
export interface View {
  /** Everything of each kind that can be asked for, sorted by exposed name. */
  readonly features: Readonly<Record<FeatureKind, readonly FeatureTarget[]>>;
  /** False while one of its servers was not listed, so that it may offer what nobody knows of yet. */
  readonly isComplete: boolean;
  /** What a name, URI or URI template stands for; undefined when it stands for nothing. */
  resolve(exposedName: string, kind: FeatureKind): FeatureTarget | undefined;
}
