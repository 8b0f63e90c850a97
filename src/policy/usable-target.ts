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
 * Whether a principal may ever use a target for what its kind is for. A template is of use where some URI that it can
 * become may ever be read: such a URI is looked for, and the evaluator is asked about it, so that what is shown can be
 * used for certain.
 */
export function isUsableTarget(policySet: PolicySet, caller: EvaluatedCaller, target: Target): boolean {
  // A server asks; nobody uses it.
  if (target.kind === 'unknown' || target.kind === 'server') return false;
  const action = PRIMARY_ACTION[target.kind];
  return target.kind === 'template'
    ? couldReachThroughTemplate(policySet, caller, { template: target, action })
    : couldAllow(policySet, caller, { target, action });
}

/** Whether a principal may ever do something to a resource that a template can become. */
export function couldReachThroughTemplate(
  policySet: PolicySet,
  caller: EvaluatedCaller,
  { template, action }: { readonly template: TemplateTarget; readonly action: Action },
): boolean {
  const { uriTemplate: _, accepts: admits = () => true, ...common } = template;
  return witnesses(policySet, template, action).some((uri) => {
    const target = { ...common, kind: 'resource', id: `resource:${template.server}/${uri}`, uri } as const;
    return admits(uri) && couldAllow(policySet, caller, { target, action });
  });
}

/** URIs to try, by template: the rows decide what they are, and rows never change within a policy set. */
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

/** For each text that grants the action, a URI that it and the template have in common; one with a strange letter first. */
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

/** Whatever may stand for resources in an `allow` row: its object, or a member of its set. */
function resourceGlobs({ rows, sets }: PolicySet, target: Action): ReadonlySet<string> {
  const granting = rows.filter(({ effect, action }) => effect === 'allow' && (action === '*' || action === target));
  const objects = [...granting.map(({ object }) => object), ...sets.links.map(({ member }) => member)];
  return new Set(objects.filter((object) => object.startsWith('resource:')));
}

const LETTERS = 'zqxjkvwy0123456789ZQXJKVWYABCDEFGHILMNOPRSTUabcdefghilmnoprstu'.split('');

/** A letter that no row holds, so that a URI with it is matched by no more rows than must be. */
function unusedLetter({ rows }: PolicySet): string {
  const letters = new Set(rows.flatMap(({ object }) => object.split('')));
  return LETTERS.find((each) => !letters.has(each)) ?? 'z';
}

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
