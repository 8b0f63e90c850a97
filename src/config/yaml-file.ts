import { type Document, isMap, isNode, isScalar, isSeq, type Node } from 'yaml';
import type { ZodType } from 'zod';
import { type Problem, ProblemError } from '../domain/problem.ts';
import { type SchemaProblem, toSchemaProblems } from './schema-problems.ts';
import { parseYamlDocument } from './yaml-document.ts';

/** Path of a node: keys of maps and indexes of lists. */
export type YamlPath = readonly (string | number)[];

/** A YAML file that was read and checked against a schema, with the place of every node. */
export interface YamlFile<T> {
  readonly file: string;
  readonly value: T;
  /** `file:line:column` of the node at `path`; of its nearest ancestor if the node is absent. */
  readonly at: (path: YamlPath) => string;
  /** `file:line:column` of the key of the node at `path`. */
  readonly keyAt: (path: YamlPath) => string;
  /** Creates a problem of the node at `path`. */
  readonly problem: (path: YamlPath, problem: Omit<Problem, 'at'>) => Problem;
}

/**
 * Reads one YAML 1.2 document (core schema; no anchors, aliases, tags, directives or merge keys; at most 1 MB) and
 * checks it with a strict schema. A `refine` or `superRefine` may have `params: { hint, code, isKey }`.
 * @throws ProblemError with all problems, each with its place and a hint; never with a value.
 */
export function readYaml<T>(file: string, text: string, schema: ZodType<T>): YamlFile<T> {
  const parsed = parseYamlDocument(file, text);
  if (Array.isArray(parsed)) throw new ProblemError(parsed);
  const { document, locationAt } = parsed;
  // A document that cannot be read as written is not checked against the schema.
  if (!parsed.isReadable) throw new ProblemError(sortProblems(parsed.problems));
  const locations = new Locations(document, locationAt);
  const input: unknown = document.toJS({ maxAliasCount: 0 });
  const result = schema.safeParse(input);
  const issues = result.success ? [] : result.error.issues;
  // Finding a place takes time linear in the map, so only the first hundred problems are reported.
  const findings = issues.flatMap((issue) => toSchemaProblems(issue, { schema, input })).slice(0, 100);
  const problems = [...parsed.problems, ...findings.map((finding) => withLocation(finding, locations))];
  if (problems.length > 0 || !result.success) throw new ProblemError(sortProblems(problems));
  return {
    file,
    value: result.data,
    at: (path) => locations.at(path),
    keyAt: (path) => locations.keyAt(path),
    problem: (path, problem) => ({ ...problem, at: locations.at(path) }),
  };
}

function withLocation({ path, isKey, code, message, hint }: SchemaProblem, locations: Locations): Problem {
  return { code, at: isKey ? locations.keyAt(path) : locations.at(path), message, hint };
}

function sortProblems(problems: readonly Problem[]): Problem[] {
  const order = (problem: Problem): number[] => problem.at.split(':').slice(-2).map(Number);
  return [...problems].sort((a, b) => {
    const [lineA = 0, columnA = 0] = order(a);
    const [lineB = 0, columnB = 0] = order(b);
    return lineA - lineB || columnA - columnB;
  });
}

/** Places of the nodes of a document. */
class Locations {
  readonly #root: Node | null;
  readonly #locationAt: (offset: number) => string;

  constructor(document: Document.Parsed, locationAt: (offset: number) => string) {
    this.#root = document.contents;
    this.#locationAt = locationAt;
  }

  at(path: YamlPath): string {
    return this.#locationAt(this.#find(path).value);
  }

  keyAt(path: YamlPath): string {
    return this.#locationAt(this.#find(path).key);
  }

  #find(path: YamlPath): { key: number; value: number } {
    let node: unknown = this.#root;
    let found = { key: offsetOf(node) ?? 0, value: offsetOf(node) ?? 0 };
    for (const step of path) {
      const next = child(node, step);
      if (next === undefined) break;
      const value = offsetOf(next.node) ?? found.value;
      found = { key: offsetOf(next.key) ?? value, value };
      node = next.node;
    }
    return found;
  }
}

function child(node: unknown, step: string | number): { key?: unknown; node: unknown } | undefined {
  if (isSeq(node) && typeof step === 'number') return { node: node.items[step] };
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
  return pair && { key: pair.key, node: pair.value };
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
