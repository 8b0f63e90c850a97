import type { OfferedTarget } from '../domain/target.ts';

/** By exposed name in UTF-16 order. */
export function inOrder<Offered extends OfferedTarget>(targets: readonly Offered[]): readonly Offered[] {
  return [...targets].sort((a, b) => (a.exposedName < b.exposedName ? -1 : 1));
}

export function byExposedName<Offered extends OfferedTarget>(
  targets: readonly Offered[],
): ReadonlyMap<string, Offered> {
  return new Map(targets.map((target) => [target.exposedName, target]));
}
