import { ResourceSchema } from '@modelcontextprotocol/core';
import { LRUCache } from 'lru-cache';
import { withSafeIcons } from '../../domain/mcp/safe-icons.ts';
import type { ResourceTarget, TemplateTarget } from '../../domain/target.ts';
import type { Digest } from '../../lib/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { normalizeUri } from '../../lib/uri/uri.ts';
import { parseUriTemplate, type UriTemplate } from '../../lib/uri/uri-template.ts';
import { definitionDigest } from '../pins/definition.ts';
import { OWN_SCHEME } from '../pins/pinned-kind.ts';
import type { ServerSettings } from '../servers/settings.ts';
import { targetSettings } from './target.ts';

/** The resource list of one server, and its active templates. */
export interface ServerResources {
  readonly server: ServerSettings;
  readonly resources: readonly JsonValue[];
  readonly templates: readonly TemplateTarget[];
}

/** The resources and templates of several servers under the URIs that agents see. */
export interface ResourceIndex {
  readonly resources: readonly ResourceTarget[];
  readonly templates: readonly TemplateTarget[];
  /** The indexes of the servers, from which views build their own. */
  readonly lists: readonly ServerResourceIndex[];
  /** Resolves a URI on the only server that has it, or on the server that it names. */
  resolve(exposed: string): ResourceTarget | undefined;
}

/** The resources of one server. */
export interface ServerResourceIndex {
  readonly server: string;
  readonly byUri: ReadonlyMap<string, ResourceTarget>;
  readonly templates: readonly { readonly target: TemplateTarget; readonly template: UriTemplate }[];
}

/**
 * Indexes the resources of all servers. A URI stays as it is when only one server has it, by its list or by a template;
 * when several do, it is qualified as `seneschal://<server>/<uri>`. See decision 0010.
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

/** Merges the indexes of several servers, or the parts of them that a view shows. */
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
  // A URI that two servers have is ambiguous and never resolved.
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
  const { uriTemplate: _, accepts: __, ...common } = target;
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
  if (rejected > 0)
    report(`${rejected} resources are not shown: listed twice, invalid, or their URI is not in normal form`);
  if (resources.length > server.maxTools) {
    report(`the server lists ${resources.length} resources; only the first ${server.maxTools} are read (\`maxTools\`)`);
  }
  const withoutIcons = [...byUri.values()].filter(({ definition }) => withSafeIcons(definition) !== definition).length;
  if (withoutIcons > 0) {
    report(
      `${withoutIcons} resources have icons that are neither \`https:\` URLs nor \`data:\` images; they are not passed on to agents`,
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
  return {
    ...targetSettings(server),
    kind: 'resource',
    id,
    uri,
    exposedName: uri,
    // An equal definition stays the same object, whose serialized form is cached.
    definition: previous?.definitionDigest === digest ? previous.definition : definition,
    definitionDigest: digest,
  };
}

interface ValidResource {
  readonly uri: string;
  readonly definition: JsonObject;
  readonly digest: Digest;
}

/** Results by definition: every change of a server checks all lists again. */
const checkedResources = new WeakMap<JsonObject, ValidResource | 'invalid'>();

function validateResource(definition: JsonValue): ValidResource | undefined {
  if (!isJsonObject(definition)) return undefined;
  let result = checkedResources.get(definition);
  if (result === undefined) {
    result = checkResource(definition) ?? 'invalid';
    checkedResources.set(definition, result);
  }
  return result === 'invalid' ? undefined : result;
}

function checkResource(definition: JsonObject): ValidResource | undefined {
  const { uri } = definition;
  // The URI that agents see is the one that is decided on and sent: with two spellings, one could be granted and the
  // other denied.
  if (typeof uri !== 'string' || normalizeUri(uri) !== uri || uri.startsWith(OWN_SCHEME)) return undefined;
  const computed = definitionDigest(definition);
  if (!('digest' in computed) || !ResourceSchema.safeParse(definition).success) return undefined;
  return { uri, definition, digest: computed.digest };
}

const templateCache = new LRUCache<string, UriTemplate>({ max: 10_000 });

function parsedTemplate(text: string): UriTemplate | undefined {
  const cached = templateCache.get(text);
  if (cached !== undefined) return cached;
  const parsed = parseUriTemplate(text);
  if (typeof parsed === 'string') return undefined;
  templateCache.set(text, parsed);
  return parsed;
}

/** A warning about a server or virtual server, for the operator. */
export type ServerWarning = {
  /** Name of the server or virtual server. */
  readonly server: string;
  readonly message: string;
  /** `file:line:column` of the setting that causes it, if there is one. */
  readonly at?: string;
  readonly hint?: string;
};
