import type { UriTemplate } from '../lib/uri-template.ts';

/** One step of a pattern: a character, or a gap of one or more characters; those of a `segment` end a path segment. */
type Step = string | { readonly gap: 'segment' | 'rest' };

/** A place in both patterns, and how it was come to. */
interface SearchState {
  readonly step: number;
  /** Whether the gap at `step` holds a character already. */
  readonly inGap: boolean;
  readonly star: number;
  readonly text: string;
}

const MAX_SEARCH_STATES = 200_000;

/**
 * A shortest text that a URI template can become and a glob matches; undefined where there is none. Where neither
 * pattern says what stands there, `free` does. Breadth first over both patterns at once: as many places as one is long
 * times the other.
 */
export function findCommonString(parts: UriTemplate['parts'], glob: string, free: string): string | undefined {
  const steps: Step[] = parts.flatMap((part): Step[] => (typeof part === 'string' ? part.split('') : [part]));
  const visited = new Set<string>();
  let frontier: SearchState[] = [{ step: 0, inGap: false, star: 0, text: '' }];
  while (frontier.length > 0 && visited.size < MAX_SEARCH_STATES) {
    const next: SearchState[] = [];
    for (const state of frontier.flatMap((each) => epsilonMoves(each, steps, glob))) {
      const key = `${state.step} ${state.inGap ? 1 : 0} ${state.star}`;
      if (visited.has(key)) continue;
      visited.add(key);
      if (state.step === steps.length && state.star === glob.length) return state.text;
      next.push(...characterMoves(state, { steps, glob, free }));
    }
    frontier = next;
  }
  return undefined;
}

/** The places that are the same but for a star or a gap that ends here. */
function epsilonMoves(state: SearchState, steps: readonly Step[], glob: string): readonly SearchState[] {
  const states = [state];
  if (state.inGap && typeof steps[state.step] === 'object') {
    states.push({ ...state, step: state.step + 1, inGap: false });
  }
  let { star } = state;
  const ends = [...states];
  while (glob[star] === '*') {
    star += 1;
    for (const end of ends) states.push({ ...end, star });
  }
  return states;
}

/** The places one character on. */
function characterMoves(
  { step, star, text }: SearchState,
  { steps, glob, free }: { readonly steps: readonly Step[]; readonly glob: string; readonly free: string },
): readonly SearchState[] {
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
