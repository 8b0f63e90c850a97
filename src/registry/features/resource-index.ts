import { ResourceSchema } from '@modelcontextprotocol/core';
import { withSafeIcons } from '../../domain/mcp/safe-icons.ts';
import type { ResourceTarget, TemplateTarget } from '../../domain/target.ts';
import type { Digest } from '../../lib/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { normalizeUri } from '../../lib/uri/uri.ts';
import { parseUriTemplate, type UriTemplate } from '../../lib/uri/uri-template.ts';
import { definitionDigest } from '../pins/definition-digest.ts';
import { OWN_SCHEME } from '../pins/pinned-kind.ts';
import type { ServerSettings } from '../servers/settings.ts';
import { targetSettings } from './target.ts';

/** What one server lists of resources, and its templates that are active. */
export interface ServerResources {
  readonly server: ServerSettings;
  readonly resources: readonly JsonValue[];
  readonly templates: readonly TemplateTarget[];
}

/** The resources and templates of all servers under the URIs that agents see. */
export interface ResourceIndex {
  readonly resources: readonly ResourceTarget[];
  readonly templates: readonly TemplateTarget[];
  /** Server by server, so that a part of them can stand on a shelf of its own. */
  readonly lists: readonly ServerResourceIndex[];
  /** What a URI stands for: on one server alone, or on the one that it names. */
  resolve(exposed: string): ResourceTarget | undefined;
}

/** One server's part of a shelf. */
export interface ServerResourceIndex {
  readonly server: string;
  readonly byUri: ReadonlyMap<string, ResourceTarget>;
  readonly templates: readonly { readonly target: TemplateTarget; readonly template: UriTemplate }[];
}

/**
 * Puts resources side by side. A URI keeps its meaning and its text where one server alone claims it, by its list or by a
 * template; where several do, it names its server: `seneschal://<server>/<uri>`. See decision 0010.
 */
export function indexResources(
  listings: readonly ServerResources[],
  previous: readonly ResourceTarget[] = [],
): ResourceIndex & { readonly findings: readonly ServerWarning[] } {
  const findings: ServerWarning[] = [];
  const before = new Map(previous.map((target) => [target.id, target]));
  return {
    ...mergeResourceIndexes(listings.map((listing) => indexServerResources(listing, { before, findings }))),
    findings,
  };
}

/** Puts side by side what servers offer, or what a view holds of it. */
export function mergeResourceIndexes(lists: readonly ServerResourceIndex[]): ResourceIndex {
  const resources = lists.flatMap(({ server, byUri }) =>
    [...byUri.values()].map((target) => {
      const isShared = lists.some((other) => other.server !== server && coversUri(other, target.uri));
      return isShared ? { ...target, exposedName: qualifiedName(server, target.uri) } : target;
    }),
  );
  const templates = lists.flatMap((list) => list.templates.map(({ target }) => target));
  return {
    resources,
    templates: templates.map((target) => {
      const { server, uriTemplate } = target;
      const isShared = templates.some((other) => other.server !== server && other.uriTemplate === uriTemplate);
      return isShared ? { ...target, exposedName: qualifiedName(server, uriTemplate) } : target;
    }),
    lists,
    resolve: (exposed) => resolve(lists, exposed),
  };
}

const QUALIFIED_NAME = /^seneschal:\/\/([a-z0-9-]+)\/(.+)$/;

function qualifiedName(server: string, uri: string): string {
  return `${OWN_SCHEME}//${server}/${uri}`;
}

function resolve(lists: readonly ServerResourceIndex[], exposed: string): ResourceTarget | undefined {
  const [, server, rest] = QUALIFIED_NAME.exec(exposed) ?? [];
  const uri = normalizeUri(rest ?? exposed);
  if (uri === undefined) return undefined;
  const matching = lists.filter((list) => (server === undefined || list.server === server) && coversUri(list, uri));
  // What two servers offer under one URI is not told apart by whoever asks first.
  const [only, second] = matching;
  return only === undefined || second !== undefined ? undefined : resolveOnServer(only, uri);
}

function coversUri({ byUri, templates }: ServerResourceIndex, uri: string): boolean {
  return byUri.has(uri) || templates.some(({ template }) => template.matches(uri));
}

function resolveOnServer({ byUri, templates }: ServerResourceIndex, uri: string): ResourceTarget | undefined {
  const listed = byUri.get(uri);
  if (listed !== undefined) return listed;
  const target = templates.find(({ template }) => template.matches(uri))?.target;
  if (target === undefined) return undefined;
  const { uriTemplate: _first, accepts: __, ...common } = target;
  return { ...common, kind: 'resource', id: `resource:${target.server}/${uri}`, uri, exposedName: uri };
}

function indexServerResources(
  { server, resources, templates }: ServerResources,
  context: { readonly before: ReadonlyMap<string, ResourceTarget>; readonly findings: ServerWarning[] },
): ServerResourceIndex {
  const byUri = new Map<string, ResourceTarget>();
  let rejected = 0;
  for (const definition of resources.slice(0, server.maxTools)) {
    const valid = validateResource(definition);
    if (valid === undefined || byUri.has(valid.uri)) {
      rejected += 1;
      continue;
    }
    byUri.set(valid.uri, resourceTarget(server, valid, context.before));
  }
  const report = (message: string): number => context.findings.push({ server: server.name, message });
  if (rejected > 0) report(`${rejected} resources are not shown: listed twice, or their URI is not in normal form`);
  if (resources.length > server.maxTools) {
    report(`the server lists ${resources.length} resources; the first ${server.maxTools} are read (\`maxTools\`)`);
  }
  const withoutIcons = [...byUri.values()].filter(({ definition }) => withSafeIcons(definition) !== definition).length;
  if (withoutIcons > 0) {
    report(
      `icons of ${withoutIcons} resources are neither at \`https:\` nor images in \`data:\`; agents are not shown them`,
    );
  }
  return {
    server: server.name,
    byUri,
    templates: templates.flatMap((target) => {
      const template = parsedTemplate(target.uriTemplate);
      return template === undefined ? [] : [{ target, template }];
    }),
  };
}

function resourceTarget(
  server: ServerSettings,
  { uri, definition, digest }: ValidResource,
  before: ReadonlyMap<string, ResourceTarget>,
): ResourceTarget {
  const id = `resource:${server.name}/${uri}` as const;
  const previous = before.get(id);
  // An equal definition is the same object over time, so that lists share what is printed of it.
  const reusable = previous?.definitionDigest === digest ? previous.definition : definition;
  return {
    ...targetSettings(server),
    ...{ kind: 'resource', id, uri, exposedName: uri, definition: reusable, definitionDigest: digest },
  };
}

interface ValidResource {
  readonly uri: string;
  readonly definition: JsonObject;
  readonly digest: Digest;
}

/** Lists are looked at again whenever one server changes; each definition is judged once. */
const checkedResources = new WeakMap<JsonObject, ValidResource | 'unfit'>();

function validateResource(definition: JsonValue): ValidResource | undefined {
  if (!isJsonObject(definition)) return undefined;
  let result = checkedResources.get(definition);
  if (result === undefined) {
    result = checkResource(definition) ?? 'unfit';
    checkedResources.set(definition, result);
  }
  return result === 'unfit' ? undefined : result;
}

function checkResource(definition: JsonObject): ValidResource | undefined {
  const { uri } = definition;
  // What is shown is decided on and sent as it is shown: a URI with a second spelling could be granted in the one and
  // denied in the other.
  if (typeof uri !== 'string' || normalizeUri(uri) !== uri || uri.startsWith(OWN_SCHEME)) return undefined;
  const computed = definitionDigest(definition);
  if (!('digest' in computed) || !ResourceSchema.safeParse(definition).success) return undefined;
  return { uri, definition, digest: computed.digest };
}

const templates = new Map<string, UriTemplate | undefined>();
const TEMPLATE_CACHE_SIZE = 10_000;

function parsedTemplate(text: string): UriTemplate | undefined {
  if (!templates.has(text)) {
    if (templates.size >= TEMPLATE_CACHE_SIZE) templates.clear();
    const read = parseUriTemplate(text);
    templates.set(text, typeof read === 'string' ? undefined : read);
  }
  return templates.get(text);
}

/** Something about a server or virtual server that a person should know. */
export type ServerWarning = {
  /** Name of the server or virtual server. */
  readonly server: string;
  readonly message: string;
  /** `file:line:column`, where a file says what does not hold. */
  readonly at?: string;
  readonly hint?: string;
};
