import type { $ZodIssue, $ZodType } from 'zod/v4/core';
import type { ErrorCode } from '../domain/error-codes.ts';
import { ERROR_CODES } from '../domain/error-codes.ts';
import { nearestWord } from '../lib/nearest-word.ts';
import { allowedKeys, descriptionAt } from './schema-walk.ts';

/** What is wrong with the value at a path, before its place is known. */
export interface Finding {
  readonly path: readonly (string | number)[];
  /** True when the key is at fault and not the value behind it. */
  readonly isKey: boolean;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** The findings of one zod issue. Never quotes a value: it may be a secret. */
export function findingsOf(issue: $ZodIssue, context: { schema: $ZodType; input: unknown }): Finding[] {
  const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key], context.schema));
  if (issue.code === 'invalid_union') return unionFindings(issue, path, context);
  if (issue.code === 'custom') return [customFinding(issue, path, context.schema)];
  if (issue.code === 'invalid_key') {
    const message = `the key ${named(path)} is not allowed${because(issue.issues)}`;
    return [finding(path, context.schema, { isKey: true, message })];
  }
  return [plainFinding(issue, path, context)];
}

function unknownKey(path: readonly (string | number)[], schema: $ZodType): Finding {
  const allowed = allowedKeys(schema, path.slice(0, -1));
  const near = nearestWord(String(path.at(-1)), allowed);
  const known = allowed.map((key) => `\`${key}\``).join(', ');
  const hint = near === undefined ? `allowed here: ${known}` : `did you mean \`${near}\`? allowed here: ${known}`;
  return { path, isKey: true, code: 'config-unknown-key', message: `unknown key ${named(path)}`, hint };
}

function unionFindings(
  issue: Extract<$ZodIssue, { code: 'invalid_union' }>,
  path: readonly (string | number)[],
  context: { schema: $ZodType; input: unknown },
): Finding[] {
  if (issue.inclusive !== false && issue.discriminator !== undefined) {
    const isMissing = valueAt(context.input, path) === undefined;
    const message = isMissing ? `missing key ${named(path)}` : `${named(path)} has a value that is not known`;
    const code = isMissing ? 'config-missing-key' : 'config-invalid-value';
    const options = choice((issue.options ?? []).map((option) => `\`${String(option)}\``));
    return [{ path, isKey: false, code, message, hint: `write ${options}` }];
  }
  // The branch that got furthest is the one that was meant.
  const depth = (branch: readonly $ZodIssue[]): number => Math.min(...branch.map((inner) => inner.path.length));
  const branches = [...issue.errors].sort((a, b) => depth(b) - depth(a));
  const meant = branches[0];
  if (meant === undefined || depth(meant) === 0) {
    const expected = branches
      .flat()
      .map((inner) => (inner.code === 'invalid_type' ? KINDS[inner.expected] : undefined));
    const kinds = [...new Set(expected.filter((kind) => kind !== undefined))];
    const custom = branches.flat().find((inner) => inner.code === 'custom' || inner.code === 'unrecognized_keys');
    if (custom !== undefined) return findingsOf({ ...custom, path: [...path, ...custom.path] }, context);
    return [
      finding(path, context.schema, { message: `${named(path)} must be ${kinds.join(' or ') || 'something else'}` }),
    ];
  }
  return meant.flatMap((inner) => findingsOf({ ...inner, path: [...path, ...inner.path] }, context));
}

function customFinding(
  issue: Extract<$ZodIssue, { code: 'custom' }>,
  path: readonly (string | number)[],
  schema: $ZodType,
): Finding {
  const hint: unknown = issue.params?.hint;
  const code: unknown = issue.params?.code;
  return finding(path, schema, {
    message: issue.message,
    isKey: issue.params?.isKey === true,
    ...(typeof hint === 'string' ? { hint } : {}),
    ...(isErrorCode(code) ? { code } : {}),
  });
}

function plainFinding(
  issue: $ZodIssue,
  path: readonly (string | number)[],
  context: { schema: $ZodType; input: unknown },
): Finding {
  if (issue.code === 'invalid_type' || issue.code === 'invalid_value') {
    if (path.length > 0 && valueAt(context.input, path) === undefined) {
      return finding(path, context.schema, { code: 'config-missing-key', message: `missing key ${named(path)}` });
    }
  }
  return finding(path, context.schema, { message: `${named(path)} must be ${expectation(issue)}` });
}

function expectation(issue: $ZodIssue): string {
  if (issue.code === 'invalid_type') return KINDS[issue.expected] ?? issue.expected;
  if (issue.code === 'invalid_value') return choice(issue.values.map((value) => `\`${String(value)}\``));
  if (issue.code === 'too_big') return `at most ${issue.maximum}${unitOf(issue.origin)}`;
  if (issue.code === 'too_small') return `at least ${issue.minimum}${unitOf(issue.origin)}`;
  if (issue.code !== 'invalid_format') return 'something else';
  return issue.format === 'regex' ? `of the form \`${issue.pattern ?? ''}\`` : `of the format \`${issue.format}\``;
}

function choice(words: readonly string[]): string {
  return words.join(', ').replace(/, ([^,]*)$/, ' or $1');
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters long';
  return origin === 'array' || origin === 'set' ? ' items long' : '';
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text (put it in quotes)',
  number: 'a number',
  int: 'a whole number',
  boolean: '`true` or `false`',
  array: 'a list',
  object: 'a map',
  record: 'a map',
  null: 'empty',
};

function finding(
  path: readonly (string | number)[],
  schema: $ZodType,
  more: { message: string; isKey?: boolean; code?: ErrorCode; hint?: string },
): Finding {
  const described = descriptionAt(schema, path);
  const hint =
    more.hint ?? (described === undefined ? 'see the schema named in the first line' : `${named(path)}: ${described}`);
  return { path, isKey: more.isKey ?? false, code: more.code ?? 'config-invalid-value', message: more.message, hint };
}

/** The last key of a path in backticks, shortened and with what does not print escaped. */
function named(path: readonly (string | number)[]): string {
  const last = path.at(-1);
  if (last === undefined) return 'the file';
  if (typeof last === 'number') return `item ${last + 1}`;
  const shown = last.length > 64 ? `${last.slice(0, 64)}…` : last;
  return `\`${shown.replace(/[^\x20-\x7e…]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16) ?? ''}}`)}\``;
}

function because(issues: readonly $ZodIssue[]): string {
  const first = issues[0];
  if (first === undefined) return '';
  return first.code === 'custom' ? `: ${first.message}` : `: it must be ${expectation(first)}`;
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
