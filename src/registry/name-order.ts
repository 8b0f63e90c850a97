import type { FeatureTarget } from '../domain/target.ts';

/** By exposed name in UTF-16 order. */
export function sortByExposedName<Feature extends FeatureTarget>(targets: readonly Feature[]): readonly Feature[] {
  return [...targets].sort((a, b) => (a.exposedName < b.exposedName ? -1 : 1));
}

export function indexByExposedName<Feature extends FeatureTarget>(
  targets: readonly Feature[],
): ReadonlyMap<string, Feature> {
  return new Map(targets.map((target) => [target.exposedName, target]));
}
