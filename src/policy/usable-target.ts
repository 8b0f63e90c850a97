import { type Action, PRIMARY_ACTION } from '../domain/call.ts';
import type { Principal } from '../domain/principal.ts';
import type { Target, TemplateTarget } from '../domain/target.ts';
import { normalizeUri } from '../lib/uri/uri.ts';
import { parseUriTemplate, type UriTemplate } from '../lib/uri/uri-template.ts';
import { couldAllow } from './authorize.ts';
import type { PolicySet } from './policy-set.ts';

interface EvaluatedCaller {
  readonly principal: Principal;
  readonly subjects: readonly string[];
}

/**
 * True when some call of a principal to a target could be allowed. For a template, it searches for a URI that the template
 * expands to and lets the evaluator decide on it, so a template that is shown can be used.
 */
export function isUsableTarget(policySet: PolicySet, caller: EvaluatedCaller, target: Target): boolean {
  // A server is a target of input requests only.
  if (target.kind === 'unknown' || target.kind === 'server') return false;
  const action = PRIMARY_ACTION[target.kind];
  return target.kind === 'template'
    ? couldReachThroughTemplate(policySet, caller, { template: target, action })
    : couldAllow(policySet, caller, { target, action });
}

/** True when an action on some resource of a template could be allowed to a principal. */
export function couldReachThroughTemplate(
  policySet: PolicySet,
  caller: EvaluatedCaller,
  { template, action }: { readonly template: TemplateTarget; readonly action: Action },
): boolean {
  const { uriTemplate: _, accepts = () => true, ...common } = template;
  return witnesses(policySet, template, action).some((uri) => {
    const target = { ...common, kind: 'resource', id: `resource:${template.server}/${uri}`, uri } as const;
    return accepts(uri) && couldAllow(policySet, caller, { target, action });
  });
}

/** URIs to try by action and template. They depend on the rows alone, which do not change within a policy set. */
const cachedWitnesses = new WeakMap<PolicySet, Map<string, readonly string[]>>();

function witnesses(policySet: PolicySet, target: TemplateTarget, action: Action): readonly string[] {
  const key = `${action} ${target.id}`;
  let byTemplate = cachedWitnesses.get(policySet);
  if (byTemplate === undefined) {
    byTemplate = new Map();
    cachedWitnesses.set(policySet, byTemplate);
  }
  let uris = byTemplate.get(key);
  if (uris === undefined) {
    uris = findWitnesses(policySet, target, action);
    byTemplate.set(key, uris);
  }
  return uris;
}

/** For each glob that grants the action, URIs that it and the template have in common, first one with an unused letter. */
function findWitnesses(
  policySet: PolicySet,
  { server, uriTemplate }: TemplateTarget,
  action: Action,
): readonly string[] {
  const template = parseUriTemplate(uriTemplate);
  if (typeof template === 'string') return [];
  const prefix = `resource:${server}/`;
  const unused = unusedLetter(policySet);
  const uris = new Set<string>();
  for (const glob of resourceGlobs(policySet, action)) {
    for (const pattern of [glob.replaceAll('*', `*${unused}*`), glob]) {
      const text = findCommonString([prefix, ...template.parts], pattern, unused);
      const uri = text?.slice(prefix.length);
      if (uri !== undefined && belongsTo(template, uri)) uris.add(uri);
    }
  }
  return [...uris];
}

function belongsTo(template: UriTemplate, uri: string): boolean {
  return normalizeUri(uri) === uri && template.matches(uri);
}

/** The globs of resources in `allow` rows: their objects, and the members of sets. */
function resourceGlobs({ rows, sets }: PolicySet, requested: Action): ReadonlySet<string> {
  const granting = rows.filter(({ effect, action }) => effect === 'allow' && (action === '*' || action === requested));
  const objects = [...granting.map(({ object }) => object), ...sets.links.map(({ member }) => member)];
  return new Set(objects.filter((object) => object.startsWith('resource:')));
}

const LETTERS = 'zqxjkvwy0123456789ZQXJKVWYABCDEFGHILMNOPRSTUabcdefghilmnoprstu'.split('');

/** A letter that occurs in no row, so a URI with it matches only rows with a `*` in that place. */
function unusedLetter({ rows }: PolicySet): string {
  const letters = new Set(rows.flatMap(({ object }) => object.split('')));
  return LETTERS.find((each) => !letters.has(each)) ?? 'z';
}

/** One step of a template: a character, or a gap of one or more characters; a `segment` ends at `/`, `?` and `#`. */
type Step = string | { readonly gap: 'segment' | 'rest' };

/** A position in both patterns, and the text that leads to it. */
interface SearchState {
  readonly step: number;
  /** True when the gap at `step` already holds a character. */
  readonly inGap: boolean;
  readonly star: number;
  readonly text: string;
}

const MAX_SEARCH_STATES = 200_000;

/**
 * A shortest text that a URI template expands to and a glob matches; undefined when there is none. Uses `free` where
 * neither pattern fixes the character. Breadth-first search over pairs of positions: at most template × glob states.
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

/** The states reachable without a character: a star or a gap ends here. */
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

/** The states one character further. */
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
