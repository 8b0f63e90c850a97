import type { FeatureKind, FeatureTarget } from './target.ts';

/**
 * Features of one endpoint, with the names that agents use there. Immutable. Policy, limits and the ledger use the ids of
 * the source features, so a view grants nothing.
 */
export interface View {
  /** Features by kind, sorted by exposed name. */
  readonly features: Readonly<Record<FeatureKind, readonly FeatureTarget[]>>;
  /** False while one of its servers is not listed yet and may have more features. */
  readonly isComplete: boolean;
  /** Resolves a name, URI or URI template; undefined if there is no such feature. */
  resolve(exposedName: string, kind: FeatureKind): FeatureTarget | undefined;
}
