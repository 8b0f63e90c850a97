import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import type { Answer, Channel, RequestOptions } from './channel.ts';

const MAX_PAGES = 200;
const MAX_OFFERS = 10_000;
/** Largest page in bytes that is read. */
export const MAX_PAGE_BYTES: number = 16 * 1024 * 1024;
const MAX_CURSOR_LENGTH = 64 * 1024;
const METHOD_NOT_FOUND = -32601;

/** Everything that a server declares, every definition verbatim, in its own order. */
export interface Offers {
  readonly tools: readonly JsonObject[];
  readonly prompts: readonly JsonObject[];
  readonly resources: readonly JsonObject[];
  readonly templates: readonly JsonObject[];
  /** Lists beside the tools that could not be read, each with why. */
  readonly unlisted: readonly string[];
}

export type OfferListing =
  | ({ readonly kind: 'listed' } & Offers)
  /** `sessionLost`: the server no longer knows the session, which says nothing of what it offers. */
  | { readonly kind: 'failed'; readonly message: string; readonly sessionLost?: boolean };

type ListOptions = RequestOptions & { readonly maxTools: number };

/** What one list is asked with and what it holds. */
interface ListKind {
  readonly method: string;
  readonly member: string;
  /** Several of what is listed, for sentences. */
  readonly plural: string;
  /** True for what `maxTools` bounds, beyond which nothing is read; of the others too many are a failure. */
  readonly isCut: boolean;
  isDefinition(value: JsonObject): boolean;
}

const TOOLS: ListKind = {
  ...{ method: 'tools/list', member: 'tools', plural: 'tools', isCut: true },
  isDefinition: ({ name, inputSchema }) => typeof name === 'string' && isJsonObject(inputSchema),
};
const PROMPTS: ListKind = {
  ...{ method: 'prompts/list', member: 'prompts', plural: 'prompts', isCut: true },
  isDefinition: ({ name }) => typeof name === 'string',
};
const RESOURCES: ListKind = {
  ...{ method: 'resources/list', member: 'resources', plural: 'resources', isCut: false },
  isDefinition: ({ uri }) => typeof uri === 'string',
};
const TEMPLATES: ListKind = {
  ...{ method: 'resources/templates/list', member: 'resourceTemplates', plural: 'resource templates', isCut: true },
  isDefinition: ({ uriTemplate }) => typeof uriTemplate === 'string',
};

/**
 * All lists of a server that its capabilities speak of, and its tools in any case, unless it says that it has others and
 * no tools. A list of tools that cannot be read is a failure; any other one is empty and told of.
 */
export async function listOffers(
  channel: Channel,
  capabilities: JsonObject,
  options: ListOptions,
): Promise<OfferListing> {
  const has = (name: string): boolean => isJsonObject(capabilities[name]);
  const asksTools = has('tools') || !(has('prompts') || has('resources'));
  const ask = (kind: ListKind, isAsked: boolean): Promise<Listing> =>
    isAsked ? listAll(channel, kind, options) : Promise.resolve(NOTHING);
  const [tools, prompts, resources, templates] = await Promise.all([
    ask(TOOLS, asksTools),
    ask(PROMPTS, has('prompts')),
    ask(RESOURCES, has('resources')),
    ask(TEMPLATES, has('resources')),
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
    // A server may have resources and no templates, and then not know the method.
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

const NOTHING: Listing = { definitions: [] };

/**
 * All pages of one list, until there are more than `maxTools` of what that bounds: what is over is for the catalog to cut
 * and to tell of. A server that pages for ever or lists too much has no list.
 */
async function listAll(channel: Channel, kind: ListKind, options: ListOptions): Promise<Listing> {
  const { method, member, plural } = kind;
  const definitions: JsonObject[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await channel.request(method, cursor === undefined ? {} : { cursor }, options);
    if (answer.kind !== 'result') return refusedListing(method, answer);
    const listed: JsonValue | undefined = answer.result[member];
    if (!Array.isArray(listed)) return failed(`\`${method}\` holds something that is no list of ${plural}`);
    for (const each of listed) {
      if (!isJsonObject(each) || !kind.isDefinition(each)) {
        return failed(`\`${method}\` holds something that is no definition of ${plural}`);
      }
      definitions.push(each);
    }
    const isOver = kind.isCut && definitions.length > options.maxTools;
    if (isOver) return { definitions: definitions.slice(0, options.maxTools + 1) };
    if (definitions.length > MAX_OFFERS) return failed(`the server lists more than ${MAX_OFFERS} ${plural}`);
    const next: JsonValue | undefined = answer.result.nextCursor;
    if (next === undefined || next === null) return { definitions };
    if (typeof next !== 'string' || next.length > MAX_CURSOR_LENGTH || next === cursor) {
      return failed(`\`${method}\` answers with a cursor that leads nowhere`);
    }
    cursor = next;
  }
  return failed(`\`${method}\` has more than ${MAX_PAGES} pages`);
}

function refusedListing(method: string, answer: Exclude<Answer, { kind: 'result' }>): Listing {
  if (answer.kind === 'failed') {
    return { ...failed(`\`${method}\` failed: ${answer.message}`), sessionLost: answer.why === 'session-lost' };
  }
  const { code } = answer.error;
  return { ...failed(`the server answered \`${method}\` with error ${code}`), isUnknown: code === METHOD_NOT_FOUND };
}

function failed(problem: string): Listing {
  return { definitions: [], problem };
}
