import type { UriTemplate } from '../lib/uri-template.ts';

/** One step of a pattern: a character, or a gap of one or more characters; those of a `segment` end a path segment. */
type Step = string | { readonly gap: 'segment' | 'rest' };

/** A place in both patterns, and how it was come to. */
interface Place {
  readonly step: number;
  /** Whether the gap at `step` holds a character already. */
  readonly inGap: boolean;
  readonly star: number;
  readonly text: string;
}

const MAX_PLACES = 200_000;

/**
 * A shortest text that a URI template can become and a glob matches; undefined where there is none. Where neither
 * pattern says what stands there, `free` does. Breadth first over both patterns at once: as many places as one is long
 * times the other.
 */
export function commonText(parts: UriTemplate['parts'], glob: string, free: string): string | undefined {
  const steps: Step[] = parts.flatMap((part): Step[] => (typeof part === 'string' ? part.split('') : [part]));
  const seen = new Set<string>();
  let frontier: Place[] = [{ step: 0, inGap: false, star: 0, text: '' }];
  while (frontier.length > 0 && seen.size < MAX_PLACES) {
    const next: Place[] = [];
    for (const place of frontier.flatMap((each) => withoutCharacter(each, steps, glob))) {
      const key = `${place.step} ${place.inGap ? 1 : 0} ${place.star}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (place.step === steps.length && place.star === glob.length) return place.text;
      next.push(...withCharacter(place, { steps, glob, free }));
    }
    frontier = next;
  }
  return undefined;
}

/** The places that are the same but for a star or a gap that ends here. */
function withoutCharacter(place: Place, steps: readonly Step[], glob: string): readonly Place[] {
  const places = [place];
  if (place.inGap && typeof steps[place.step] === 'object') {
    places.push({ ...place, step: place.step + 1, inGap: false });
  }
  let { star } = place;
  const ends = [...places];
  while (glob[star] === '*') {
    star += 1;
    for (const end of ends) places.push({ ...end, star });
  }
  return places;
}

/** The places one character on. */
function withCharacter(
  { step, star, text }: Place,
  { steps, glob, free }: { readonly steps: readonly Step[]; readonly glob: string; readonly free: string },
): readonly Place[] {
  const wanted = steps[step];
  const matched = glob[star];
  if (wanted === undefined || matched === undefined) return [];
  const isGap = typeof wanted === 'object';
  const isStar = matched === '*';
  const char = isGap ? (isStar ? free : matched) : wanted;
  if (!isStar && char !== matched) return [];
  if (isGap && wanted.gap === 'segment' && /[/?#]/.test(char)) return [];
  return [{ step: isGap ? step : step + 1, inGap: isGap, star: isStar ? star : star + 1, text: text + char }];
}
