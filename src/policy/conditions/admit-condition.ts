import type { ASTNode } from '@marcbachmann/cel-js';
import { CONDITION_COMPREHENSIONS, CONDITION_FUNCTIONS, CONDITION_VARIABLES } from './condition-variables.ts';

/** Bounds of a condition. They keep an evaluation to some ten thousand steps over bounded input. */
export const CONDITION_LIMITS = {
  /** Characters of the text. */
  textLength: 1_024,
  /** Nodes of the parsed expression. */
  nodes: 200,
  /** Nesting of calls, selections and literals. */
  depth: 24,
  /** Comprehensions inside each other, the outer one counted. */
  comprehensionDepth: 2,
  /** Elements of each list or map in the arguments when the condition has a comprehension; more is an error of the condition. */
  listLength: 1_000,
  /** The same when comprehensions are nested. */
  nestedListLength: 100,
  /** Characters and elements of the arguments together when the condition has a comprehension or `re2`. */
  argumentsWeight: 65_536,
  /** Characters of a regular expression. */
  patternLength: 256,
} as const;

/** A defect in a condition. `offset` counts characters of its text from 0. */
export interface ConditionDefect {
  readonly code: 'policy-condition-invalid' | 'policy-condition-not-admitted';
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

/** The features that an admitted condition uses. */
export interface ConditionUses {
  readonly variables: ReadonlySet<string>;
  /** Depth of nested comprehensions; 0 when it has none. */
  readonly comprehensions: number;
  /** Literal regular expressions. */
  readonly patterns: readonly string[];
}

const VARIABLES: ReadonlySet<string> = new Set(Object.keys(CONDITION_VARIABLES));
const TYPE_NAMES: ReadonlySet<string> = new Set([
  'int',
  'uint',
  'double',
  'string',
  'bool',
  'list',
  'map',
  'null_type',
]);
const COMPREHENSIONS: ReadonlySet<string> = new Set(Object.keys(CONDITION_COMPREHENSIONS));
const FUNCTIONS: ReadonlySet<string> = new Set(Object.keys(CONDITION_FUNCTIONS));

interface Admission {
  readonly variables: Set<string>;
  readonly patterns: string[];
  comprehensions: number;
  defect: ConditionDefect | undefined;
}

/** Checks a parsed condition against the lists above. @returns the features it uses, or the first defect. */
export function admitCondition(ast: ASTNode): ConditionUses | ConditionDefect {
  const admission: Admission = { variables: new Set(), patterns: [], comprehensions: 0, defect: undefined };
  visit(ast, admission, []);
  return admission.defect ?? admission;
}

function refuse(
  admission: Admission,
  node: ASTNode,
  subject: { readonly message: string; readonly hint: string },
): void {
  admission.defect ??= { code: 'policy-condition-not-admitted', offset: node.start, ...subject };
}

function visit(node: ASTNode, admission: Admission, bound: readonly string[]): void {
  if (admission.defect !== undefined) return;
  if (node.op === 'id') visitName(node, admission, bound);
  else if (node.op === 'call') visitCall({ node, name: node.args[0], args: node.args[1] }, admission, bound);
  else if (node.op === 'rcall') {
    const [name, receiver, args] = node.args;
    visitCall({ node, name, receiver, args }, admission, bound);
  } else {
    if (node.op === '.' || node.op === '.?') visitField(node.args[0], { name: node.args[1], at: node }, admission);
    if (node.op === '[]' || node.op === '[?]') visitIndex(node.args[0], node.args[1], admission);
    for (const part of childNodes(node)) visit(part, admission, bound);
  }
}

/** The child expressions of a node that is neither a name nor a call. */
function childNodes(node: ASTNode): readonly ASTNode[] {
  if (node.op === 'value' || node.op === 'id' || node.op === 'call' || node.op === 'rcall') return [];
  if (node.op === '.' || node.op === '.?') return [node.args[0]];
  if (node.op === '!_' || node.op === '-_') return [node.args];
  if (node.op === 'map') return node.args.flat();
  return node.args;
}

function visitName(node: ASTNode & { readonly op: 'id' }, admission: Admission, bound: readonly string[]): void {
  const name = node.args;
  if (bound.includes(name) || TYPE_NAMES.has(name)) return;
  if (VARIABLES.has(name)) {
    admission.variables.add(name);
    return;
  }
  const hint = 'a condition can read `args`, `now`, `principal`, `target` and `context`';
  admission.defect ??= {
    code: 'policy-condition-invalid',
    offset: node.start,
    message: `unknown name \`${name}\``,
    hint,
  };
}

function visitField(
  owner: ASTNode,
  field: { readonly name: string; readonly at: ASTNode },
  admission: Admission,
): void {
  if (owner.op !== 'id') return;
  const fields = knownFields(owner.args);
  if (fields === undefined || fields.includes(field.name)) return;
  admission.defect ??= {
    code: 'policy-condition-invalid',
    offset: field.at.start,
    message: `\`${owner.args}\` has no field \`${field.name}\``,
    hint: `use one of ${fields.map((each) => `\`${each}\``).join(', ')}`,
  };
}

function visitIndex(owner: ASTNode, index: ASTNode, admission: Admission): void {
  if (owner.op !== 'id' || knownFields(owner.args) === undefined) return;
  if (index.op === 'value' && typeof index.args === 'string') {
    visitField(owner, { name: index.args, at: index }, admission);
  } else
    refuse(admission, index, {
      message: 'a field name must not be computed',
      hint: 'write the field, such as `principal.team`',
    });
}

/** The fields of a variable; undefined when they are not fixed. */
function knownFields(variable: string): readonly string[] | undefined {
  const fields = Object.hasOwn(CONDITION_VARIABLES, variable) ? CONDITION_VARIABLES[variable]?.fields : undefined;
  return fields && Object.keys(fields);
}

interface CallSite {
  readonly node: ASTNode;
  readonly name: string;
  readonly receiver?: ASTNode;
  readonly args: readonly ASTNode[];
}

function visitCall(call: CallSite, admission: Admission, bound: readonly string[]): void {
  if (call.receiver !== undefined && COMPREHENSIONS.has(call.name)) {
    visitComprehension({ ...call, receiver: call.receiver }, admission, bound);
    return;
  }
  if (!FUNCTIONS.has(call.name)) {
    const hint = call.name === 'matches' ? "use `re2('…')`, which runs in linear time" : 'use another function';
    refuse(admission, call.node, { message: `the function \`${call.name}\` is not allowed in conditions`, hint });
    return;
  }
  if (call.name === 're2') visitPattern(call, admission);
  if (call.receiver !== undefined) visit(call.receiver, admission, bound);
  for (const argument of call.args) visit(argument, admission, bound);
}

function visitPattern(call: CallSite, admission: Admission): void {
  const pattern = call.args.at(-1);
  if (
    pattern?.op === 'value' &&
    typeof pattern.args === 'string' &&
    pattern.args.length <= CONDITION_LIMITS.patternLength
  ) {
    admission.patterns.push(pattern.args);
    return;
  }
  const hint = `write the regular expression as a text of at most ${CONDITION_LIMITS.patternLength} characters`;
  refuse(admission, call.node, { message: 'a regular expression must not be computed or too long', hint });
}

function visitComprehension(
  call: CallSite & { readonly receiver: ASTNode },
  admission: Admission,
  bound: readonly string[],
): void {
  const { receiver, node } = call;
  const [name, ...bodies] = call.args;
  if (name?.op !== 'id') {
    const hint = 'name the element first, as in `args.items.all(item, item > 0)`';
    refuse(admission, node, { message: `\`${call.name}\` lacks a name for the element`, hint });
    return;
  }
  const inside = [...bound, name.args];
  admission.comprehensions = Math.max(admission.comprehensions, inside.length);
  if (!isPath(receiver)) {
    // A chain of comprehensions could double its list or text at every link.
    const hint = 'use a list of `args`, or write the list out';
    refuse(admission, node, { message: `\`${call.name}\` must not run over a computed list`, hint });
  } else if (VARIABLES.has(name.args) || TYPE_NAMES.has(name.args) || bound.includes(name.args)) {
    refuse(admission, name, { message: `\`${name.args}\` already has a meaning`, hint: 'choose another name' });
  } else if (inside.length > CONDITION_LIMITS.comprehensionDepth) {
    refuse(admission, node, { message: 'comprehensions are nested too deeply', hint: 'nest at most one in another' });
  }
  visit(receiver, admission, bound);
  for (const body of bodies) visit(body, admission, inside);
}

function isPath(node: ASTNode): boolean {
  if (node.op === 'id') return true;
  if (node.op === 'list') return node.args.every((item) => item.op === 'value' || isPath(item));
  if (node.op === '.') return isPath(node.args[0]);
  if (node.op === '[]') return isPath(node.args[0]) && node.args[1].op === 'value';
  return false;
}
