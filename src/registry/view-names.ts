import { ConfusableNames } from './tool-name.ts';

/** A thing that a view would show. */
export interface NamedFeature {
  readonly name: string;
  readonly source: string;
  /** True where a person chose the name. */
  readonly isChosen: boolean;
}

/** A thing that is not shown, since another has its name or one that looks like it. */
export interface NameConflict<Feature extends NamedFeature> {
  readonly feature: Feature;
  readonly other: NamedFeature;
}

/**
 * Parts what can be shown from what cannot. Of things whose names are the same or look alike only one whose name a person
 * chose is shown: whatever a server calls its tools, it takes no name from another.
 */
export function splitConflicts<Feature extends NamedFeature>(
  features: readonly Feature[],
): { readonly unique: readonly Feature[]; readonly conflicts: readonly NameConflict<Feature>[] } {
  const byName = new Map<string, Feature[]>();
  for (const feature of features) byName.set(feature.name, [...(byName.get(feature.name) ?? []), feature]);
  const confusable = new ConfusableNames(byName.keys());
  const unique: Feature[] = [];
  const conflicts: NameConflict<Feature>[] = [];
  for (const feature of features) {
    const rivals = [feature.name, ...confusable.confusableWith(feature.name)]
      .flatMap((name) => byName.get(name) ?? [])
      .filter((rival) => rival !== feature);
    const [other] = rivals;
    // Chosen names do not look alike: a file in which they do does not load.
    if (other === undefined || feature.isChosen) unique.push(feature);
    else conflicts.push({ feature, other });
  }
  return { unique, conflicts };
}
