import { Environment, EvaluationError, ParseError } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import type { CallContext } from '../../domain/call.ts';
import { type FeatureTarget, type ServerTarget, upstreamName } from '../../domain/target.ts';
import { digestOf } from '../../lib/digest.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import { admitCondition, CONDITION_LIMITS, type ConditionDefect, type ConditionUses } from './admit-condition.ts';
import { CONDITION_VARIABLES } from './condition-variables.ts';

/** Result of a condition. `error`: it read an undefined value or one of the wrong type, or its value is not a boolean. */
export type ConditionResult = 'true' | 'false' | 'error';

/** The principal as conditions see it. Reading an absent field is an error of the condition. */
export interface ConditionPrincipal {
  /** `agent:<name>`. */
  readonly agent: string;
  readonly owner?: string;
  readonly team?: string;
  readonly costCenter?: string;
  readonly environment?: string;
  readonly proof?: string;
}

/** The target as conditions see it. */
export interface ConditionTarget {
  readonly server: string;
  /** Prefix of its id: `tool`, `prompt`, `resource`, or `server` for an input request. */
  readonly kind: string;
  /** Name of the tool, prompt or server; URI or URI template of the resource. */
  readonly name: string;
  /** Name of the tool; absent for any other kind, so reading it is an error of the condition. */
  readonly tool?: string;
  readonly risk: string;
  readonly labels: readonly string[];
}

/** The values that conditions can read. Numbers in `args` are CEL doubles, which compare with ints and doubles alike. */
export interface ConditionScope {
  readonly args: JsonObject;
  readonly nowMs: number;
  readonly principal: ConditionPrincipal;
  readonly target: ConditionTarget;
  readonly context: Pick<CallContext, 'transport' | 'protocolVersion'>;
}

/** One distinct CEL expression of a policy set. */
export interface Condition {
  /** `cel:` and 24 hex digits of the text's SHA-256. */
  readonly id: string;
  readonly text: string;
  /** The ones of `args`, `now`, `principal`, `target` and `context` that it reads. */
  readonly variables: ReadonlySet<string>;
  /** Never throws: a failure is `error`. Bounded by {@link CONDITION_LIMITS}. */
  evaluate(scope: ConditionScope): ConditionResult;
}

/** Compiles a CEL text. @returns the condition, or the defect of the text. */
export type ConditionCompiler = (text: string) => Condition | ConditionDefect;

/** Makes a compiler. Each policy set has its own, so its patterns are freed with it. */
export function createConditionCompiler(): ConditionCompiler {
  const patterns = new Map<string, RE2JS>();
  const environment = createEnvironment(patterns);
  return (text) => {
    if (text.length > CONDITION_LIMITS.textLength) {
      const message = `the condition has ${text.length} characters`;
      const hint = `write at most ${CONDITION_LIMITS.textLength}`;
      return { code: 'policy-condition-not-admitted', offset: 0, message, hint };
    }
    return compile(text, environment, patterns);
  };
}

function createEnvironment(patterns: ReadonlyMap<string, RE2JS>): Environment {
  const find = (text: string, pattern: string): boolean => {
    if (text.length > CONDITION_LIMITS.argumentsWeight) throw new RangeError('text too long for a regular expression');
    return patterns.get(pattern)?.test(text) ?? false;
  };
  const environment = new Environment({
    limits: { maxAstNodes: CONDITION_LIMITS.nodes, maxDepth: CONDITION_LIMITS.depth },
  });
  for (const [name, { celType }] of Object.entries(CONDITION_VARIABLES)) environment.registerVariable(name, celType);
  return environment
    .registerFunction('re2(string, string): bool', find, { async: false })
    .registerFunction('string.re2(string): bool', find, { async: false });
}

function compile(text: string, environment: Environment, patterns: Map<string, RE2JS>): Condition | ConditionDefect {
  try {
    const program = environment.parse(text);
    const uses = admitCondition(program.ast);
    if ('code' in uses) return uses;
    const checked = program.check();
    if (checked.error !== undefined) return toConditionDefect(checked.error);
    if (checked.type !== 'bool' && checked.type !== 'dyn') {
      const message = `the condition is of type \`${checked.type ?? 'unknown'}\` and not \`bool\``;
      return {
        code: 'policy-condition-invalid',
        offset: 0,
        message,
        hint: 'write a comparison, such as `args.amount <= 100`',
      };
    }
    for (const pattern of uses.patterns) {
      const compiled = compilePattern(pattern);
      if (!(compiled instanceof RE2JS)) return compiled;
      patterns.set(pattern, compiled);
    }
    return condition(text, uses, program);
  } catch (error) {
    if (error instanceof Error) return toConditionDefect(error);
    throw error;
  }
}

function compilePattern(pattern: string): RE2JS | ConditionDefect {
  try {
    return RE2JS.compile(pattern);
  } catch {
    const message = `\`${pattern}\` is not a regular expression of RE2`;
    return {
      code: 'policy-condition-invalid',
      offset: 0,
      message,
      hint: 'RE2 supports neither look-around nor back-references',
    };
  }
}

function condition(text: string, uses: ConditionUses, program: (scope: Record<string, unknown>) => unknown): Condition {
  const isBounded = uses.comprehensions > 0;
  const listLength = uses.comprehensions > 1 ? CONDITION_LIMITS.nestedListLength : CONDITION_LIMITS.listLength;
  const limits = { listLength, weight: CONDITION_LIMITS.argumentsWeight };
  return {
    id: conditionId(text),
    text,
    variables: uses.variables,
    evaluate(scope) {
      if (isBounded && !fitsArgumentLimits(scope.args, limits)) return 'error';
      try {
        const { args, nowMs, principal, target, context } = scope;
        const result = program({ args, now: new Date(nowMs), principal, target, context });
        if (typeof result !== 'boolean') return 'error';
        return result ? 'true' : 'false';
      } catch {
        // CEL has no exceptions: a failed evaluation is the value `error`, and the effect of the row decides its meaning.
        return 'error';
      }
    },
  };
}

/** The stable id of a condition's text. */
export function conditionId(text: string): string {
  return `cel:${digestOf(text).slice('sha256:'.length, 'sha256:'.length + 24)}`;
}

function toConditionDefect(error: Error): ConditionDefect {
  const located =
    error instanceof ParseError || error instanceof EvaluationError || 'range' in error ? error : undefined;
  const range = located !== undefined && 'range' in located ? located.range : undefined;
  const offset = isRange(range) ? range.start : 0;
  const summary = (error.message.split('\n')[0] ?? '').replaceAll('`', "'");
  const message = summary.charAt(0).toLowerCase() + summary.slice(1);
  const limited = summary.startsWith('Exceeded');
  return {
    code: limited ? 'policy-condition-not-admitted' : 'policy-condition-invalid',
    offset,
    message: `the condition is ${limited ? 'too large' : 'not valid'}: ${message}`,
    hint: 'correct the CEL expression; it can read `args`, `now`, `principal`, `target` and `context`',
  };
}

function isRange(value: unknown): value is { readonly start: number } {
  return typeof value === 'object' && value !== null && 'start' in value && typeof value.start === 'number';
}

/**
 * True when no list or map in `value` has more than `listLength` members, and members and characters together are at most
 * `weight`. Stops at the first excess, so it costs at most `weight` steps; does not recurse.
 */
export function fitsArgumentLimits(
  value: JsonValue,
  limits: { readonly listLength: number; readonly weight: number },
): boolean {
  let weight = 0;
  const pending: JsonValue[] = [value];
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    if (typeof item === 'string') weight += item.length;
    if (weight > limits.weight) return false;
    if (typeof item !== 'object' || item === null) continue;
    const members: readonly JsonValue[] = Array.isArray(item) ? item : Object.values(item);
    weight += members.length;
    if (members.length > limits.listLength || weight > limits.weight) return false;
    for (const member of members) pending.push(member);
  }
  return true;
}

/** Targets as conditions see them, built once per target. */
const conditionTargets = new WeakMap<FeatureTarget | ServerTarget, ConditionTarget>();

/** A target as conditions see it. */
export function conditionTarget(target: FeatureTarget | ServerTarget): ConditionTarget {
  let known = conditionTargets.get(target);
  if (known === undefined) {
    known = toConditionTarget(target);
    conditionTargets.set(target, known);
  }
  return known;
}

function toConditionTarget(target: FeatureTarget | ServerTarget): ConditionTarget {
  const { server, risk, labels, id } = target;
  const name = target.kind === 'server' ? server : upstreamName(target);
  return target.kind === 'tool'
    ? { server, kind: 'tool', name, tool: name, risk, labels }
    : { server, kind: objectKind(id), name, risk, labels };
}

/** Builds the target of an object that the registry does not hold; it assumes the highest risk. */
export function assumedTarget(
  object: string,
  known: Pick<ConditionTarget, 'risk' | 'labels'> = { risk: 'destructive', labels: [] },
): ConditionTarget {
  const { server, name: rest } = parseObjectId(object);
  const { risk, labels } = known;
  const kind = objectKind(object);
  const name = kind === 'server' ? server : rest;
  return kind === 'tool' ? { server, kind, name, tool: name, risk, labels } : { server, kind, name, risk, labels };
}

/** Splits `<kind>:<server>/<name>` into server and name. */
export function parseObjectId(object: string): { readonly server: string; readonly name: string } {
  const [, server = '', name = ''] = /^[^:]*:([^/]*)\/?(.*)$/s.exec(object) ?? [];
  return { server, name };
}

function objectKind(id: string): string {
  return id.slice(0, Math.max(0, id.indexOf(':')));
}
