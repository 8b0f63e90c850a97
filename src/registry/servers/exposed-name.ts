import type { FeatureTarget } from '../../domain/target.ts';
import { skeletons, toAsciiConfusable } from '../../lib/text/confusables.ts';
import { TOOL_NAME } from './settings.ts';

/** Longest exposed name of a tool, in characters. */
export const MAX_EXPOSED_NAME = 128;

/** The name under which agents see a tool. Server names hold no `_`, so it is unambiguous. */
export function exposedName(server: string, tool: string): string {
  return `${server}__${tool}`;
}

/** The defect of a tool name; undefined when it is valid. */
export function toolNameProblem(server: string, name: string): string | undefined {
  if (!TOOL_NAME.test(name)) {
    const ascii = toAsciiConfusable(name);
    if (ascii !== name && TOOL_NAME.test(ascii)) return `its name is not ASCII and looks like \`${ascii}\``;
    return 'its name is not 1 to 128 of the characters `A-Z a-z 0-9 _ - .`';
  }
  if (name === '__proto__' || name === 'constructor' || name === 'prototype')
    return 'its name is reserved in JavaScript objects';
  if (exposedName(server, name).length > MAX_EXPOSED_NAME)
    return `\`${exposedName(server, name)}\` has more than ${MAX_EXPOSED_NAME} characters`;
  return undefined;
}

/** Names of one server by skeleton, to find names that look alike. */
export class ConfusableNames {
  readonly #bySkeleton = new Map<string, Set<string>>();

  constructor(names: Iterable<string>) {
    for (const name of names) for (const key of confusableKeys(name)) this.#put(key, name);
  }

  /** The other names that `name` looks like. */
  confusableWith(name: string): readonly string[] {
    const matches = confusableKeys(name).flatMap((key) => [...(this.#bySkeleton.get(key) ?? [])]);
    return [...new Set(matches)].filter((other) => other !== name);
  }

  #put(key: string, name: string): void {
    const names = this.#bySkeleton.get(key);
    if (names === undefined) this.#bySkeleton.set(key, new Set([name]));
    else names.add(name);
  }
}

function confusableKeys(name: string): string[] {
  const [caseless, skeleton] = skeletons(name);
  return [`case:${caseless}`, `drawn:${skeleton}`];
}

/** Sorts by exposed name in UTF-16 order. */
export function sortByExposedName<Feature extends FeatureTarget>(targets: readonly Feature[]): readonly Feature[] {
  return [...targets].sort((a, b) => (a.exposedName < b.exposedName ? -1 : 1));
}

export function indexByExposedName<Feature extends FeatureTarget>(
  targets: readonly Feature[],
): ReadonlyMap<string, Feature> {
  return new Map(targets.map((target) => [target.exposedName, target]));
}
