import type { $ZodIssue, $ZodType } from 'zod/v4/core';
import type { ErrorCode } from '../domain/error-codes.ts';
import { ERROR_CODES } from '../domain/error-codes.ts';
import { didYouMean } from '../lib/text/did-you-mean.ts';
import { allowedKeys, descriptionAt } from './schema.ts';

/** A problem of the value at a path, before its place in the file is known. */
export interface SchemaProblem {
  readonly path: readonly (string | number)[];
  /** True if the key is invalid, and not its value. */
  readonly isKey: boolean;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** Converts one zod issue into problems. Never quotes a value: it may be a secret. */
export function toSchemaProblems(issue: $ZodIssue, context: { schema: $ZodType; input: unknown }): SchemaProblem[] {
  const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key], context.schema));
  if (issue.code === 'invalid_union') return unionProblems(issue, path, context);
  if (issue.code === 'custom') return [customProblem(issue, path, context.schema)];
  if (issue.code === 'invalid_key') {
    const message = `the key ${describePath(path)} is not allowed${explainUnion(issue.issues)}`;
    return [createProblem(path, context.schema, { isKey: true, message })];
  }
  return [plainProblem(issue, path, context)];
}

function unknownKey(path: readonly (string | number)[], schema: $ZodType): SchemaProblem {
  const allowed = allowedKeys(schema, path.slice(0, -1));
  const near = didYouMean(String(path.at(-1)), allowed);
  const known = allowed.map((key) => `\`${key}\``).join(', ');
  const hint = near === undefined ? `allowed here: ${known}` : `did you mean \`${near}\`? allowed here: ${known}`;
  return { path, isKey: true, code: 'config-unknown-key', message: `unknown key ${describePath(path)}`, hint };
}

function unionProblems(
  issue: Extract<$ZodIssue, { code: 'invalid_union' }>,
  path: readonly (string | number)[],
  context: { schema: $ZodType; input: unknown },
): SchemaProblem[] {
  if (issue.inclusive !== false && issue.discriminator !== undefined) {
    const isMissing = valueAt(context.input, path) === undefined;
    const message = isMissing ? `missing key ${describePath(path)}` : `${describePath(path)} has an unknown value`;
    const code = isMissing ? 'config-missing-key' : 'config-invalid-value';
    const options = joinAlternatives((issue.options ?? []).map((option) => `\`${String(option)}\``));
    return [{ path, isKey: false, code, message, hint: `write ${options}` }];
  }
  // The branch that matched deepest is the most likely intention.
  const depth = (branch: readonly $ZodIssue[]): number => Math.min(...branch.map((inner) => inner.path.length));
  const branches = [...issue.errors].sort((a, b) => depth(b) - depth(a));
  const intended = branches[0];
  if (intended === undefined || depth(intended) === 0) {
    const expected = branches
      .flat()
      .map((inner) => (inner.code === 'invalid_type' ? TYPE_NAMES[inner.expected] : undefined));
    const kinds = [...new Set(expected.filter((kind) => kind !== undefined))];
    const custom = branches.flat().find((inner) => inner.code === 'custom' || inner.code === 'unrecognized_keys');
    if (custom !== undefined) return toSchemaProblems({ ...custom, path: [...path, ...custom.path] }, context);
    return [
      createProblem(path, context.schema, {
        message: `${describePath(path)} must be ${kinds.join(' or ') || 'something else'}`,
      }),
    ];
  }
  return intended.flatMap((inner) => toSchemaProblems({ ...inner, path: [...path, ...inner.path] }, context));
}

function customProblem(
  issue: Extract<$ZodIssue, { code: 'custom' }>,
  path: readonly (string | number)[],
  schema: $ZodType,
): SchemaProblem {
  const hint: unknown = issue.params?.hint;
  const code: unknown = issue.params?.code;
  return createProblem(path, schema, {
    message: issue.message,
    isKey: issue.params?.isKey === true,
    ...(typeof hint === 'string' ? { hint } : {}),
    ...(isErrorCode(code) ? { code } : {}),
  });
}

function plainProblem(
  issue: $ZodIssue,
  path: readonly (string | number)[],
  context: { schema: $ZodType; input: unknown },
): SchemaProblem {
  if (issue.code === 'invalid_type' || issue.code === 'invalid_value') {
    if (path.length > 0 && valueAt(context.input, path) === undefined) {
      return createProblem(path, context.schema, {
        code: 'config-missing-key',
        message: `missing key ${describePath(path)}`,
      });
    }
  }
  return createProblem(path, context.schema, { message: `${describePath(path)} must be ${describeExpected(issue)}` });
}

function describeExpected(issue: $ZodIssue): string {
  if (issue.code === 'invalid_type') return TYPE_NAMES[issue.expected] ?? issue.expected;
  if (issue.code === 'invalid_value') return joinAlternatives(issue.values.map((value) => `\`${String(value)}\``));
  if (issue.code === 'too_big') return `at most ${issue.maximum}${sizeUnit(issue.origin)}`;
  if (issue.code === 'too_small') return `at least ${issue.minimum}${sizeUnit(issue.origin)}`;
  if (issue.code !== 'invalid_format') return 'something else';
  return issue.format === 'regex' ? `of the form \`${issue.pattern ?? ''}\`` : `of the format \`${issue.format}\``;
}

function joinAlternatives(words: readonly string[]): string {
  return words.join(', ').replace(/, ([^,]*)$/, ' or $1');
}

function sizeUnit(origin: string): string {
  if (origin === 'string') return ' characters long';
  return origin === 'array' || origin === 'set' ? ' items long' : '';
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text (put it in quotes)',
  number: 'a number',
  int: 'a whole number',
  boolean: '`true` or `false`',
  array: 'a list',
  object: 'a map',
  record: 'a map',
  null: 'empty',
};

function createProblem(
  path: readonly (string | number)[],
  schema: $ZodType,
  more: { message: string; isKey?: boolean; code?: ErrorCode; hint?: string },
): SchemaProblem {
  const described = descriptionAt(schema, path);
  const hint =
    more.hint ??
    (described === undefined ? 'see the schema named in the first line' : `${describePath(path)}: ${described}`);
  return { path, isKey: more.isKey ?? false, code: more.code ?? 'config-invalid-value', message: more.message, hint };
}

/** The last key of a path in backticks, shortened, with non-printing characters escaped. */
function describePath(path: readonly (string | number)[]): string {
  const last = path.at(-1);
  if (last === undefined) return 'the file';
  if (typeof last === 'number') return `item ${last + 1}`;
  const escaped = last.length > 64 ? `${last.slice(0, 64)}…` : last;
  return `\`${escaped.replace(/[^\x20-\x7e…]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16) ?? ''}}`)}\``;
}

function explainUnion(issues: readonly $ZodIssue[]): string {
  const first = issues[0];
  if (first === undefined) return '';
  return first.code === 'custom' ? `: ${first.message}` : `: it must be ${describeExpected(first)}`;
}

function valueAt(input: unknown, path: readonly (string | number)[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code);
}
