import { PromptSchema, ResourceTemplateSchema, ToolSchema } from '@modelcontextprotocol/core';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { parseUriTemplate } from '../../lib/uri/uri-template.ts';
import { toolNameProblem } from '../servers/exposed-name.ts';

/** The kinds of definitions that are pinned. Resources are not: they are data that changes all the time. */
export type PinnedKind = 'tool' | 'prompt' | 'template';

/** Scheme of URIs that are qualified by their server: `seneschal://<server>/<uri>`. */
export const OWN_SCHEME = 'seneschal:';

/** Names and checks of one kind of definition. */
export interface PinnedKindRules {
  readonly kind: PinnedKind;
  /** Plural noun for messages. */
  readonly plural: string;
  /** The member of a definition that holds its name. */
  readonly nameMember: 'name' | 'uriTemplate';
  /** The defect of a name; undefined when it is valid. */
  nameProblem(server: string, name: string): string | undefined;
  /** The deviation of a definition from the MCP specification; undefined when it conforms. */
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
    kind: 'prompt',
    plural: 'prompts',
    nameMember: 'name',
    nameProblem: toolNameProblem,
    shapeProblem: (definition) => describeIssuePath('MCP prompt', PromptSchema.safeParse(definition)),
  },
  template: {
    kind: 'template',
    plural: 'resource templates',
    nameMember: 'uriTemplate',
    nameProblem: uriTemplateProblem,
    shapeProblem: (definition) =>
      describeIssuePath('MCP resource template', ResourceTemplateSchema.safeParse(definition)),
  },
};

/** The name in a definition; empty when it has none. */
export function declaredName({ nameMember }: PinnedKindRules, definition: JsonValue): string {
  const name = isJsonObject(definition) ? definition[nameMember] : undefined;
  return typeof name === 'string' ? name : '';
}

/** The key of a pin. Tool names hold no `:`, so keys of different kinds never collide. */
export function pinKey(kind: PinnedKind, name: string): string {
  return kind === 'tool' ? name : `${kind}:${name}`;
}

/** Parses the key of a pin. */
export function readPinKey(key: string): { readonly kind: PinnedKind; readonly name: string } {
  for (const kind of ['prompt', 'template'] as const) {
    if (key.startsWith(`${kind}:`)) return { kind, name: key.slice(kind.length + 1) };
  }
  return { kind: 'tool', name: key };
}

/** The id of a pinned feature in policies and messages. */
export function pinnedId(server: string, { kind, name }: { readonly kind: PinnedKind; readonly name: string }): string {
  return `${kind === 'template' ? 'resource' : kind}:${server}/${name}`;
}

function uriTemplateProblem(_server: string, template: string): string | undefined {
  const read = parseUriTemplate(template);
  if (typeof read === 'string') return `its template is refused: ${read}`;
  return template.startsWith(OWN_SCHEME) ? `the scheme \`${OWN_SCHEME}\` is reserved for the broker` : undefined;
}

function toolShapeProblem(definition: JsonObject): string | undefined {
  const parsed = ToolSchema.safeParse(definition);
  if (parsed.success && parsed.data.execution?.taskSupport === 'required') {
    return 'it can only be called as a task, and tasks are not supported';
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
  return `its definition is not a valid ${subject} (\`${place.replace(/[^\x20-\x7e]/g, '?').slice(0, 128)}\`)`;
}
