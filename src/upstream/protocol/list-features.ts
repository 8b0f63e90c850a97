import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import type { RequestOptions, Response, Transport } from './transport.ts';

const MAX_PAGES = 200;
const MAX_FEATURES = 10_000;
/** Limit of one page, in bytes. */
export const MAX_PAGE_BYTES: number = 16 * 1024 * 1024;
const MAX_CURSOR_LENGTH = 64 * 1024;
const METHOD_NOT_FOUND = -32601;

/** Everything a server declares: each definition verbatim, in the server's order. */
export interface ServerFeatures {
  readonly tools: readonly JsonObject[];
  readonly prompts: readonly JsonObject[];
  readonly resources: readonly JsonObject[];
  readonly templates: readonly JsonObject[];
  /** One problem for each list that could not be read. Tools are not among them. */
  readonly unlisted: readonly string[];
}

export type FeatureListing =
  | ({ readonly kind: 'listed' } & ServerFeatures)
  /** `sessionLost`: the server no longer knows the session, so nothing is known about its features. */
  | { readonly kind: 'failed'; readonly message: string; readonly sessionLost?: boolean };

type ListOptions = RequestOptions & { readonly maxTools: number };

/** Method, member and limits of one list. */
interface ListKind {
  readonly method: string;
  readonly member: string;
  /** Plural noun for messages. */
  readonly plural: string;
  /** True if reading stops after `maxTools` items. Otherwise too many items are a failure. */
  readonly isTruncated: boolean;
  isDefinition(value: JsonObject): boolean;
}

const TOOLS: ListKind = {
  method: 'tools/list',
  member: 'tools',
  plural: 'tools',
  isTruncated: true,
  isDefinition: ({ name, inputSchema }) => typeof name === 'string' && isJsonObject(inputSchema),
};
const PROMPTS: ListKind = {
  method: 'prompts/list',
  member: 'prompts',
  plural: 'prompts',
  isTruncated: true,
  isDefinition: ({ name }) => typeof name === 'string',
};
const RESOURCES: ListKind = {
  method: 'resources/list',
  member: 'resources',
  plural: 'resources',
  isTruncated: false,
  isDefinition: ({ uri }) => typeof uri === 'string',
};
const TEMPLATES: ListKind = {
  method: 'resources/templates/list',
  member: 'resourceTemplates',
  plural: 'resource templates',
  isTruncated: true,
  isDefinition: ({ uriTemplate }) => typeof uriTemplate === 'string',
};

/**
 * Reads every list that a server's capabilities declare. Tools are also listed if the server declares none of tools,
 * prompts and resources. If the tools cannot be read, the listing fails; any other list is then empty and named in
 * `unlisted`.
 */
export async function listFeatures(
  transport: Transport,
  capabilities: JsonObject,
  options: ListOptions,
): Promise<FeatureListing> {
  const has = (name: string): boolean => isJsonObject(capabilities[name]);
  const listsTools = has('tools') || !(has('prompts') || has('resources'));
  const list = (kind: ListKind, isListed: boolean): Promise<Listing> =>
    isListed ? listAll(transport, kind, options) : Promise.resolve(EMPTY_LISTING);
  const [tools, prompts, resources, templates] = await Promise.all([
    list(TOOLS, listsTools),
    list(PROMPTS, has('prompts')),
    list(RESOURCES, has('resources')),
    list(TEMPLATES, has('resources')),
  ]);
  const fatal = [tools, prompts, resources, templates].find(({ sessionLost }) => sessionLost === true) ?? tools;
  if (fatal.problem !== undefined) {
    return { kind: 'failed', message: fatal.problem, sessionLost: fatal.sessionLost === true };
  }
  return {
    kind: 'listed',
    tools: tools.definitions,
    prompts: prompts.definitions,
    resources: resources.definitions,
    templates: templates.definitions,
    // A server with resources and no templates may not know the method.
    unlisted: [prompts, resources, templates].flatMap(({ problem, isUnknown }) =>
      problem === undefined || isUnknown === true ? [] : [problem],
    ),
  };
}

interface Listing {
  readonly definitions: readonly JsonObject[];
  readonly problem?: string;
  readonly isUnknown?: boolean;
  readonly sessionLost?: boolean;
}

const EMPTY_LISTING: Listing = { definitions: [] };

/**
 * Reads all pages of one list. Stops at one item more than `maxTools`, by which the catalog sees that it has to cut and
 * to warn. Too many pages or items are a problem, and the list is then empty.
 */
async function listAll(transport: Transport, kind: ListKind, options: ListOptions): Promise<Listing> {
  const { method, member, plural } = kind;
  const definitions: JsonObject[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const response = await transport.request(method, cursor === undefined ? {} : { cursor }, options);
    if (response.kind !== 'result') return listingFor(method, response);
    const listed: JsonValue | undefined = response.result[member];
    if (!Array.isArray(listed)) return failedListing(`the result of \`${method}\` has no list of ${plural}`);
    for (const each of listed) {
      if (!isJsonObject(each) || !kind.isDefinition(each)) {
        return failedListing(`the result of \`${method}\` has an item that is not a definition`);
      }
      definitions.push(each);
    }
    const isOverLimit = kind.isTruncated && definitions.length > options.maxTools;
    if (isOverLimit) return { definitions: definitions.slice(0, options.maxTools + 1) };
    if (definitions.length > MAX_FEATURES) return failedListing(`the server lists more than ${MAX_FEATURES} ${plural}`);
    const next: JsonValue | undefined = response.result.nextCursor;
    if (next === undefined || next === null) return { definitions };
    if (typeof next !== 'string' || next.length > MAX_CURSOR_LENGTH || next === cursor) {
      return failedListing(`the result of \`${method}\` has an invalid or repeated cursor`);
    }
    cursor = next;
  }
  return failedListing(`\`${method}\` has more than ${MAX_PAGES} pages`);
}

function listingFor(method: string, response: Exclude<Response, { kind: 'result' }>): Listing {
  if (response.kind === 'failed') {
    return {
      ...failedListing(`\`${method}\` failed: ${response.message}`),
      sessionLost: response.failure === 'session-lost',
    };
  }
  const { code } = response.error;
  return {
    ...failedListing(`the server responded to \`${method}\` with error ${code}`),
    isUnknown: code === METHOD_NOT_FOUND,
  };
}

function failedListing(problem: string): Listing {
  return { definitions: [], problem };
}
