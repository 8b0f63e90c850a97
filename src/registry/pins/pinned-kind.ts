import { PromptSchema, ResourceTemplateSchema, ToolSchema } from '@modelcontextprotocol/core';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { parseUriTemplate } from '../../lib/uri/uri-template.ts';
import { toolNameProblem } from '../servers/exposed-name.ts';

/** What is declared by servers and agreed to by pins. Resources are not: they are data, which comes and goes. */
export type PinnedKind = 'tool' | 'prompt' | 'template';

/** How a URI begins that names its server, where the URI alone does not tell: `seneschal://<server>/<uri>`. */
export const OWN_SCHEME = 'seneschal:';

/** What one kind of definition is called, and when it is one. */
export interface PinnedKindRules {
  readonly kind: PinnedKind;
  /** Several of it, for sentences. */
  readonly plural: string;
  /** The member of a definition that names it. */
  readonly nameMember: 'name' | 'uriTemplate';
  /** Why it may not be called so; undefined when it may. */
  nameProblem(server: string, name: string): string | undefined;
  /** What keeps a definition from being one of the specification's; undefined when nothing. */
  shapeProblem(definition: JsonObject): string | undefined;
}

export const PINNED_KINDS: Readonly<Record<PinnedKind, PinnedKindRules>> = {
  tool: {
    kind: 'tool',
    plural: 'tools',
    nameMember: 'name',
    nameProblem: toolNameProblem,
    shapeProblem: toolShapeProblem,
  },
  prompt: {
    ...{ kind: 'prompt', plural: 'prompts', nameMember: 'name', nameProblem: toolNameProblem },
    shapeProblem: (definition) => describeIssuePath('MCP prompt', PromptSchema.safeParse(definition)),
  },
  template: {
    ...{ kind: 'template', plural: 'resource templates', nameMember: 'uriTemplate' },
    nameProblem: uriTemplateProblem,
    shapeProblem: (definition) =>
      describeIssuePath('MCP resource template', ResourceTemplateSchema.safeParse(definition)),
  },
};

/** What a definition calls itself; empty where it does not. */
export function declaredName({ nameMember }: PinnedKindRules, definition: JsonValue): string {
  const name = isJsonObject(definition) ? definition[nameMember] : undefined;
  return typeof name === 'string' ? name : '';
}

/** Under what a definition is pinned. No tool has a `:` in its name, so that kinds cannot be taken for each other. */
export function pinKey(kind: PinnedKind, name: string): string {
  return kind === 'tool' ? name : `${kind}:${name}`;
}

/** What is pinned under a key. */
export function readPinKey(key: string): { readonly kind: PinnedKind; readonly name: string } {
  for (const kind of ['prompt', 'template'] as const) {
    if (key.startsWith(`${kind}:`)) return { kind, name: key.slice(kind.length + 1) };
  }
  return { kind: 'tool', name: key };
}

/** The id by which policies and people speak of what is pinned. */
export function pinnedId(server: string, { kind, name }: { readonly kind: PinnedKind; readonly name: string }): string {
  return `${kind === 'template' ? 'resource' : kind}:${server}/${name}`;
}

function uriTemplateProblem(_server: string, template: string): string | undefined {
  const read = parseUriTemplate(template);
  if (typeof read === 'string') return `its template is refused: ${read}`;
  return template.startsWith(OWN_SCHEME) ? 'its scheme is the one by which the broker names servers' : undefined;
}

function toolShapeProblem(definition: JsonObject): string | undefined {
  const parsed = ToolSchema.safeParse(definition);
  if (parsed.success && parsed.data.execution?.taskSupport === 'required') {
    return 'it can be called as a task only, and tasks are not governed';
  }
  return describeIssuePath('MCP tool', parsed);
}

interface ParseResult {
  readonly success: boolean;
  readonly error?: { readonly issues: readonly { readonly path: readonly PropertyKey[] }[] };
}

function describeIssuePath(subject: string, { success, error }: ParseResult): string | undefined {
  if (success) return undefined;
  const place = error?.issues[0]?.path.map(String).join('.') ?? '';
  return `its definition is not that of an ${subject} (\`${place.replace(/[^\x20-\x7e]/g, '?').slice(0, 128)}\`)`;
}
