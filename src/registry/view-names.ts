import { NameCrowd } from './tool-name.ts';

/** A thing that a view would show. */
export interface Named {
  readonly name: string;
  readonly original: string;
  /** True where a person chose the name. */
  readonly isChosen: boolean;
}

/** A thing that is not shown, since another has its name or one that looks like it. */
export interface Crowded<Thing extends Named> {
  readonly thing: Thing;
  readonly other: Named;
}

/**
 * Parts what can be shown from what cannot. Of things whose names are the same or look alike only one whose name a person
 * chose is shown: whatever a server calls its tools, it takes no name from another.
 */
export function partNames<Thing extends Named>(
  things: readonly Thing[],
): { readonly shown: readonly Thing[]; readonly crowded: readonly Crowded<Thing>[] } {
  const byName = new Map<string, Thing[]>();
  for (const thing of things) byName.set(thing.name, [...(byName.get(thing.name) ?? []), thing]);
  const crowd = new NameCrowd(byName.keys());
  const shown: Thing[] = [];
  const crowded: Crowded<Thing>[] = [];
  for (const thing of things) {
    const rivals = [thing.name, ...crowd.resembling(thing.name)]
      .flatMap((name) => byName.get(name) ?? [])
      .filter((rival) => rival !== thing);
    const [other] = rivals;
    // Chosen names do not look alike: a file in which they do does not load.
    if (other === undefined || thing.isChosen) shown.push(thing);
    else crowded.push({ thing, other });
  }
  return { shown, crowded };
}
