import { ResourceSchema } from '@modelcontextprotocol/core';
import { withSafeIcons } from '../domain/safe-icons.ts';
import type { ResourceTarget, TemplateTarget } from '../domain/target.ts';
import type { Digest } from '../lib/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import { normalUri } from '../lib/uri.ts';
import { readUriTemplate, type UriTemplate } from '../lib/uri-template.ts';
import { definitionDigest } from './definition.ts';
import { OWN_SCHEME } from './pinned-kind.ts';
import type { ServerFinding } from './server-finding.ts';
import type { ServerSettings } from './server-settings.ts';
import { commonOf } from './target-of.ts';

/** What one server lists of resources, and its templates that are active. */
export interface ServerResources {
  readonly server: ServerSettings;
  readonly resources: readonly JsonValue[];
  readonly templates: readonly TemplateTarget[];
}

/** The resources and templates of all servers under the URIs that agents see. */
export interface ResourceShelf {
  readonly resources: readonly ResourceTarget[];
  readonly templates: readonly TemplateTarget[];
  /** Server by server, so that a part of them can stand on a shelf of its own. */
  readonly offers: readonly ResourceOffer[];
  /** What a URI stands for: on one server alone, or on the one that it names. */
  resolve(exposed: string): ResourceTarget | undefined;
}

/** One server's part of a shelf. */
export interface ResourceOffer {
  readonly server: string;
  readonly byUri: ReadonlyMap<string, ResourceTarget>;
  readonly templates: readonly { readonly target: TemplateTarget; readonly template: UriTemplate }[];
}

/**
 * Puts resources side by side. A URI keeps its meaning and its text where one server alone claims it, by its list or by a
 * template; where several do, it names its server: `seneschal://<server>/<uri>`. See decision 0010.
 */
export function resourceShelf(
  listings: readonly ServerResources[],
  previous: readonly ResourceTarget[] = [],
): ResourceShelf & { readonly findings: readonly ServerFinding[] } {
  const findings: ServerFinding[] = [];
  const before = new Map(previous.map((target) => [target.id, target]));
  return { ...shelfOf(listings.map((listing) => offerOf(listing, { before, findings }))), findings };
}

/** Puts side by side what servers offer, or what a view holds of it. */
export function shelfOf(offers: readonly ResourceOffer[]): ResourceShelf {
  const resources = offers.flatMap(({ server, byUri }) =>
    [...byUri.values()].map((target) => {
      const isShared = offers.some((other) => other.server !== server && claims(other, target.uri));
      return isShared ? { ...target, exposedName: qualified(server, target.uri) } : target;
    }),
  );
  const templates = offers.flatMap((offer) => offer.templates.map(({ target }) => target));
  return {
    resources,
    templates: templates.map((target) => {
      const { server, uriTemplate } = target;
      const isShared = templates.some((other) => other.server !== server && other.uriTemplate === uriTemplate);
      return isShared ? { ...target, exposedName: qualified(server, uriTemplate) } : target;
    }),
    offers,
    resolve: (exposed) => resolve(offers, exposed),
  };
}

const QUALIFIED = /^seneschal:\/\/([a-z0-9-]+)\/(.+)$/;

function qualified(server: string, uri: string): string {
  return `${OWN_SCHEME}//${server}/${uri}`;
}

function resolve(offers: readonly ResourceOffer[], exposed: string): ResourceTarget | undefined {
  const [, server, rest] = QUALIFIED.exec(exposed) ?? [];
  const uri = normalUri(rest ?? exposed);
  if (uri === undefined) return undefined;
  const claiming = offers.filter((offer) => (server === undefined || offer.server === server) && claims(offer, uri));
  // What two servers offer under one URI is not told apart by whoever asks first.
  const [only, second] = claiming;
  return only === undefined || second !== undefined ? undefined : targetOn(only, uri);
}

function claims({ byUri, templates }: ResourceOffer, uri: string): boolean {
  return byUri.has(uri) || templates.some(({ template }) => template.matches(uri));
}

function targetOn({ byUri, templates }: ResourceOffer, uri: string): ResourceTarget | undefined {
  const listed = byUri.get(uri);
  if (listed !== undefined) return listed;
  const target = templates.find(({ template }) => template.matches(uri))?.target;
  if (target === undefined) return undefined;
  const { uriTemplate: _, admits: __, ...common } = target;
  return { ...common, kind: 'resource', id: `resource:${target.server}/${uri}`, uri, exposedName: uri };
}

function offerOf(
  { server, resources, templates }: ServerResources,
  context: { readonly before: ReadonlyMap<string, ResourceTarget>; readonly findings: ServerFinding[] },
): ResourceOffer {
  const byUri = new Map<string, ResourceTarget>();
  let refused = 0;
  for (const definition of resources.slice(0, server.maxTools)) {
    const fit = fitResource(definition);
    if (fit === undefined || byUri.has(fit.uri)) {
      refused += 1;
      continue;
    }
    byUri.set(fit.uri, resourceTarget(server, fit, context.before));
  }
  const find = (message: string): number => context.findings.push({ server: server.name, message });
  if (refused > 0) find(`${refused} resources are not shown: listed twice, or their URI is not in normal form`);
  if (resources.length > server.maxTools) {
    find(`the server lists ${resources.length} resources; the first ${server.maxTools} are read (\`maxTools\`)`);
  }
  const withoutIcons = [...byUri.values()].filter(({ definition }) => withSafeIcons(definition) !== definition).length;
  if (withoutIcons > 0) {
    find(
      `icons of ${withoutIcons} resources are neither at \`https:\` nor images in \`data:\`; agents are not shown them`,
    );
  }
  return {
    server: server.name,
    byUri,
    templates: templates.flatMap((target) => {
      const template = templateOf(target.uriTemplate);
      return template === undefined ? [] : [{ target, template }];
    }),
  };
}

function resourceTarget(
  server: ServerSettings,
  { uri, definition, digest }: FitResource,
  before: ReadonlyMap<string, ResourceTarget>,
): ResourceTarget {
  const id = `resource:${server.name}/${uri}` as const;
  const known = before.get(id);
  // An equal definition is the same object over time, so that lists share what is printed of it.
  const kept = known?.definitionDigest === digest ? known.definition : definition;
  return {
    ...commonOf(server),
    ...{ kind: 'resource', id, uri, exposedName: uri, definition: kept, definitionDigest: digest },
  };
}

interface FitResource {
  readonly uri: string;
  readonly definition: JsonObject;
  readonly digest: Digest;
}

/** Lists are looked at again whenever one server changes; each definition is judged once. */
const judged = new WeakMap<JsonObject, FitResource | 'unfit'>();

function fitResource(definition: JsonValue): FitResource | undefined {
  if (!isJsonObject(definition)) return undefined;
  let fit = judged.get(definition);
  if (fit === undefined) {
    fit = judge(definition) ?? 'unfit';
    judged.set(definition, fit);
  }
  return fit === 'unfit' ? undefined : fit;
}

function judge(definition: JsonObject): FitResource | undefined {
  const { uri } = definition;
  // What is shown is decided on and sent as it is shown: a URI with a second spelling could be granted in the one and
  // denied in the other.
  if (typeof uri !== 'string' || normalUri(uri) !== uri || uri.startsWith(OWN_SCHEME)) return undefined;
  const computed = definitionDigest(definition);
  if (!('digest' in computed) || !ResourceSchema.safeParse(definition).success) return undefined;
  return { uri, definition, digest: computed.digest };
}

const templates = new Map<string, UriTemplate | undefined>();
const TEMPLATES_KEPT = 10_000;

function templateOf(text: string): UriTemplate | undefined {
  if (!templates.has(text)) {
    if (templates.size >= TEMPLATES_KEPT) templates.clear();
    const read = readUriTemplate(text);
    templates.set(text, typeof read === 'string' ? undefined : read);
  }
  return templates.get(text);
}
