import type { FailureMode } from '../domain/failure-mode.ts';
import { withSafeIcons } from '../domain/mcp/safe-icons.ts';
import type {
  FeatureKind,
  FeatureTarget,
  PromptTarget,
  ResourceTarget,
  ServerTarget,
  TemplateTarget,
  ToolTarget,
  ViewName,
} from '../domain/target.ts';
import type { View } from '../domain/view.ts';
import type { JsonValue } from '../lib/json/json.ts';
import { indexResources, type ServerResources, type ServerWarning } from './features/resource-index.ts';
import { buildTarget, targetSettings } from './features/target.ts';
import { type AdmitSchema, evaluateTools, type ToolState } from './features/tool-status.ts';
import type { Registry } from './load.ts';
import type { NewPin, Pin, Pins } from './pins/pin.ts';
import { PINNED_KINDS, type PinnedKind, pinKey, readPinKey } from './pins/pinned-kind.ts';
import { indexByExposedName, sortByExposedName } from './servers/exposed-name.ts';
import type { ServerSettings } from './servers/settings.ts';
import { buildViews } from './views.ts';

/** The lists of a server as it declared them. A list of a kind that it does not have is absent. */
export interface ListedServer {
  readonly status: 'listed';
  readonly tools: readonly JsonValue[];
  readonly prompts?: readonly JsonValue[];
  readonly resources?: readonly JsonValue[];
  readonly templates?: readonly JsonValue[];
  /** Messages about lists that could not be read. */
  readonly unlisted?: readonly string[];
}

/** The result of discovering a server: its lists, or the reason why there are none. */
export type ServerDiscovery =
  | ListedServer
  | { readonly status: 'not-started' }
  /** `sinceMs` is the calendar time of the first failure in a row. */
  | { readonly status: 'failed'; readonly error: string; readonly sinceMs?: number };

export const pinFailureMode: FailureMode<'unknown-tool'> = {
  control: 'pins',
  trigger: 'a definition is new, or differs from its pin',
  result: 'unknown-tool',
  means: 'the tool, prompt or resource template is hidden and cannot be used',
  override: "`pin: auto` in the server's file: new definitions, changed ones never",
};

export const schemaAdmissionFailureMode: FailureMode<'unknown-tool'> = {
  control: 'tool schemas',
  trigger: 'a schema cannot be checked within bounds',
  result: 'unknown-tool',
  means: 'the tool is hidden and cannot be called',
  override: null,
};

/** All features of all servers and their status. Immutable; rebuilt on every change. */
export interface Catalog {
  /** The active tools, by exposed name in UTF-16 order. */
  readonly targets: readonly ToolTarget[];
  /** The active features of the other kinds, in the same order. */
  readonly prompts: readonly PromptTarget[];
  readonly resources: readonly ResourceTarget[];
  readonly templates: readonly TemplateTarget[];
  /** Resolves an exposed name of a kind; default: tool. O(1), except for URIs that no server lists. */
  readonly resolve: (exposedName: string, kind?: FeatureKind) => FeatureTarget | undefined;
  /** The view of that name; undefined when there is none. Returns the same object for the life of the catalog. */
  readonly viewOf: (name: ViewName) => View | undefined;
  /** Every tool of every server, active or not, by server and then in the order of the server's list. */
  readonly tools: readonly ToolState[];
  /** Every tool, prompt and resource template. */
  readonly states: readonly ToolState[];
  readonly servers: ReadonlyMap<string, ServerDiscovery['status']>;
  /** First-seen definitions of servers with `pin: auto`. MUST be stored before this catalog serves. */
  readonly newPins: readonly NewPin[];
  readonly drifts: readonly ToolState[];
  readonly findings: readonly ServerWarning[];
}

export interface CatalogInput {
  readonly registry: Registry;
  /** Pins of `registry.lock`. They take precedence over `pins`. */
  readonly lock: Pins;
  /** Pins that `pin: auto` made on first sight. They count only for servers with `pin: auto`. */
  readonly pins: Pins;
  /** Results by server; an absent server counts as not started. */
  readonly discovered: ReadonlyMap<string, ServerDiscovery>;
  readonly admit: AdmitSchema;
  /** The previous catalog: an unchanged tool keeps its definition and schema objects, which key caches. */
  readonly previous?: Catalog;
  /** Serves the pinned definitions of servers that are not listed yet. Their lists will still detect drift. Default: false. */
  readonly assumePinned?: boolean;
}

/** Builds the catalog. Never throws on data of an upstream: an invalid definition is quarantined with its reason. */
export function buildCatalog(input: CatalogInput): Catalog {
  const { features, listings, servers } = collectServers(input);
  const { states, newPins, findings } = features;
  const serverFeatures = indexResources(listings, input.previous?.resources);
  findings.push(...serverFeatures.findings);
  const lists = {
    tool: sortByExposedName(features.tool),
    prompt: sortByExposedName(features.prompt),
    resource: sortByExposedName(serverFeatures.resources),
    template: sortByExposedName(serverFeatures.templates),
  };
  const views = buildViews(
    { targets: lists.tool, prompts: lists.prompt, resourceLists: serverFeatures.lists, servers, states },
    input.registry.virtual,
    input.previous?.viewOf,
  );
  findings.push(...views.findings);
  const byName = {
    tool: indexByExposedName(lists.tool),
    prompt: indexByExposedName(lists.prompt),
    template: indexByExposedName(lists.template),
  };
  return {
    targets: lists.tool,
    prompts: lists.prompt,
    resources: lists.resource,
    templates: lists.template,
    resolve: (exposed, kind = 'tool') =>
      kind === 'resource' ? serverFeatures.resolve(exposed) : byName[kind].get(exposed),
    viewOf: views.viewOf,
    tools: states.filter(({ kind }) => kind === 'tool'),
    states,
    servers,
    newPins,
    findings,
    drifts: states.filter(({ status }) => status === 'drifted' || status === 'pin-corrupt'),
  };
}

interface CollectedServers {
  readonly features: FeatureLists;
  readonly listings: readonly ServerResources[];
  readonly servers: ReadonlyMap<string, ServerDiscovery['status']>;
}

/** Evaluates what each server declares, in the order of their names. */
function collectServers(input: CatalogInput): CollectedServers {
  const features: FeatureLists = { states: [], newPins: [], findings: [], tool: [], prompt: [], template: [] };
  const listings: ServerResources[] = [];
  const servers = new Map<string, ServerDiscovery['status']>();
  for (const name of [...input.registry.servers.keys()].sort()) {
    const server = input.registry.servers.get(name);
    if (server === undefined) continue;
    const discovered = input.discovered.get(name) ?? { status: 'not-started' };
    servers.set(name, discovered.status);
    if (discovered.status === 'failed') features.findings.push({ server: name, message: discovered.error });
    const pins = pinsForServer(input, server);
    const declared = declaredFeatures(discovered, { pins, assume: input.assumePinned === true });
    if (declared === undefined) continue;
    for (const kind of ['tool', 'prompt', 'template'] as const) {
      collectFeatures(features, server, { kind, listed: declared[kind], pins, input });
    }
    const resources = discovered.status === 'listed' ? (discovered.resources ?? []) : [];
    listings.push({ server, resources, templates: features.template.filter((each) => each.server === name) });
    for (const message of (discovered.status === 'listed' && discovered.unlisted) || []) {
      features.findings.push({ server: name, message });
    }
  }
  return { features, listings, servers };
}

/** Lists that are filled server by server. */
interface FeatureLists {
  readonly states: ToolState[];
  readonly newPins: NewPin[];
  readonly findings: ServerWarning[];
  readonly tool: ToolTarget[];
  readonly prompt: PromptTarget[];
  readonly template: TemplateTarget[];
}

function collectFeatures(
  features: FeatureLists,
  server: ServerSettings,
  options: {
    readonly kind: PinnedKind;
    readonly listed: readonly JsonValue[];
    readonly pins: ReadonlyMap<string, Pin>;
    readonly input: CatalogInput;
  },
): void {
  const { kind, listed, pins, input } = options;
  const states = evaluateTools(server, listed, {
    kind,
    pinOf: (name) => pins.get(pinKey(kind, name)),
    pinned: pinnedKeysByKind(pins, kind),
    admit: input.admit,
  });
  features.states.push(...states);
  features.findings.push(...unusedSettings(server, listed, { kind, states }));
  for (const state of states) {
    const target = buildTarget(server, state, input.previous);
    if (target === undefined) continue;
    if (withSafeIcons(target.definition) !== target.definition) {
      features.findings.push({ server: server.name, message: omittedIconsMessage(kind, state.tool) });
    }
    if (target.kind === 'tool') {
      features.tool.push(target);
      if (target.advertised !== undefined) {
        features.findings.push({ server: server.name, message: secretParamHeaderMessage(target.tool) });
      }
    } else if (target.kind === 'prompt') features.prompt.push(target);
    else features.template.push(target);
    if (state.agreedDigest !== undefined) continue;
    const { definitionDigest: digest, definition } = target;
    features.newPins.push({ server: server.name, tool: state.key, digest, definition });
  }
}

function pinnedKeysByKind(pins: ReadonlyMap<string, Pin>, kind: PinnedKind): readonly string[] {
  return [...pins.keys()].flatMap((key) => {
    const read = readPinKey(key);
    return read.kind === kind ? [read.name] : [];
  });
}

function pinsForServer({ lock, pins }: CatalogInput, server: ServerSettings): ReadonlyMap<string, Pin> {
  const agreed = lock.get(server.name);
  if (server.pin === 'lock') return agreed ?? new Map();
  return new Map([...(pins.get(server.name) ?? []), ...(agreed ?? [])]);
}

/** The definitions that a server declares or, before its discovery, is assumed to declare: the pinned ones. */
function declaredFeatures(
  discovered: ServerDiscovery,
  { pins, assume }: { pins: ReadonlyMap<string, Pin>; assume: boolean },
): Readonly<Record<PinnedKind, readonly JsonValue[]>> | undefined {
  if (discovered.status === 'listed') {
    return { tool: discovered.tools, prompt: discovered.prompts ?? [], template: discovered.templates ?? [] };
  }
  if (!assume) return undefined;
  const agreed = (kind: PinnedKind): readonly JsonValue[] =>
    Array.from(pins).flatMap(([key, pin]) =>
      pin.kind === 'agreed' && readPinKey(key).kind === kind ? [pin.definition] : [],
    );
  return { tool: agreed('tool'), prompt: agreed('prompt'), template: agreed('template') };
}

function secretParamHeaderMessage(tool: string): string {
  return `the tool \`${tool}\` asks for a secret argument in an HTTP header; the header is not sent`;
}

function omittedIconsMessage(kind: PinnedKind, name: string): string {
  return `the ${kind} \`${name}\` has icons that are neither \`https:\` URLs nor \`data:\` images; they are not passed on to agents`;
}

function unusedSettings(
  server: ServerSettings,
  listed: readonly JsonValue[],
  { kind, states }: { readonly kind: PinnedKind; readonly states: readonly ToolState[] },
): ServerWarning[] {
  const findings: ServerWarning[] = [];
  if (listed.length > server.maxTools) {
    const { plural } = PINNED_KINDS[kind];
    const message = `the server lists more than ${server.maxTools} ${plural}; only the first ${server.maxTools} are read (\`maxTools\`)`;
    findings.push({ server: server.name, message });
  }
  if (kind !== 'tool') return findings;
  const known = new Set(states.filter(({ status }) => status !== 'missing').map(({ tool }) => tool));
  for (const tool of server.tools.keys()) {
    if (!known.has(tool))
      findings.push({ server: server.name, message: `\`tools\` names \`${tool}\`, which the server does not have` });
  }
  return findings;
}

const targetsByRegistry = new WeakMap<Registry, Map<string, ServerTarget>>();

/**
 * The target of input requests of a server. They have no definition and no cost. A server that was removed from the
 * registry while a call is in flight gets the strictest settings.
 */
export function serverTarget(registry: Registry, name: string): ServerTarget {
  let targets = targetsByRegistry.get(registry);
  if (targets === undefined) {
    targets = new Map();
    targetsByRegistry.set(registry, targets);
  }
  let target = targets.get(name);
  if (target === undefined) {
    target = Object.freeze({ kind: 'server', id: `server:${name}`, ...serverRules(registry, name), costNanoUsd: 0 });
    targets.set(name, target);
  }
  return target;
}

function serverRules(
  registry: Registry,
  name: string,
): Pick<ServerTarget, 'server' | 'risk' | 'labels' | 'payloads' | 'payloadMaxBytes'> {
  const server = registry.servers.get(name);
  if (server === undefined) return { server: name, risk: 'destructive', labels: [], payloads: 'digest' };
  const { risk, labels, payloads, payloadMaxBytes } = targetSettings(server);
  return { server: name, risk, labels, payloads, ...(payloadMaxBytes === undefined ? {} : { payloadMaxBytes }) };
}
