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

/** What a server declared, list by list, as it came. What it does not offer at all is absent. */
export interface ListedServer {
  readonly status: 'listed';
  readonly tools: readonly JsonValue[];
  readonly prompts?: readonly JsonValue[];
  readonly resources?: readonly JsonValue[];
  readonly templates?: readonly JsonValue[];
  /** Lists that could not be read, each with why. */
  readonly unlisted?: readonly string[];
}

/** What is known of a server: what it declared, or why nothing is. */
export type ServerDiscovery =
  | ListedServer
  | { readonly status: 'not-started' }
  /** `sinceMs` is the calendar time since which it could not be asked. */
  | { readonly status: 'failed'; readonly error: string; readonly sinceMs?: number };

export const pinFailureMode: FailureMode<'unknown-tool'> = {
  control: 'pins',
  trigger: 'a definition is new, or is not the one that was agreed to',
  result: 'unknown-tool',
  means: 'the tool, prompt or resource template is hidden and cannot be used',
  override: "`pin: auto` in the server's file: new definitions, changed ones never",
};

export const schemaAdmissionFailureMode: FailureMode<'unknown-tool'> = {
  control: 'tool schemas',
  trigger: 'a schema is not one that can be checked within bounds',
  result: 'unknown-tool',
  means: 'the tool is hidden and cannot be called',
  override: null,
};

/** Everything that servers offer as it stands, and what of it can be used. Immutable; built anew when anything changes. */
export interface Catalog {
  /** The tools that can be called, by exposed name in UTF-16 order. */
  readonly targets: readonly ToolTarget[];
  /** What of the other kinds can be used, in the same order. */
  readonly prompts: readonly PromptTarget[];
  readonly resources: readonly ResourceTarget[];
  readonly templates: readonly TemplateTarget[];
  /** The target of an exposed name of a kind, a tool by default. O(1), but for URIs that no server lists. */
  readonly resolve: (exposedName: string, kind?: FeatureKind) => FeatureTarget | undefined;
  /** A part of it under names of its own; undefined where there is none. The same object for as long as the catalog. */
  readonly viewOf: (name: ViewName) => View | undefined;
  /** Every tool of every server, also those that cannot be called, by server and then as the server lists them. */
  readonly tools: readonly ToolState[];
  /** Those, and every prompt and resource template. */
  readonly states: readonly ToolState[];
  readonly servers: ReadonlyMap<string, ServerDiscovery['status']>;
  /** Tools of servers with `pin: auto` that were seen for the first time: to be made durable before this catalog serves. */
  readonly newPins: readonly NewPin[];
  readonly drifts: readonly ToolState[];
  readonly findings: readonly ServerWarning[];
}

export interface CatalogInput {
  readonly registry: Registry;
  /** Pins that a person agreed to. They go before `pins`. */
  readonly lock: Pins;
  /** Pins that `pin: auto` made on first sight. They count only for servers with `pin: auto`. */
  readonly pins: Pins;
  /** A server that is not in it counts as not started. */
  readonly discovered: ReadonlyMap<string, ServerDiscovery>;
  readonly admit: AdmitSchema;
  /** The catalog before: a tool that did not change keeps its very definition and schemas, so that they can key a cache. */
  readonly previous?: Catalog;
  /** Serve the agreed definitions of servers that were not listed yet. The lists that follow still find drift. Default: false. */
  readonly assumePinned?: boolean;
}

/** Builds the catalog. Never throws for what an upstream sent: what is not admitted is quarantined with its reason. */
export function buildCatalog(input: CatalogInput): Catalog {
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
    const discovery = contractFor(discovered, { pins, assume: input.assumePinned === true });
    if (discovery === undefined) continue;
    for (const kind of ['tool', 'prompt', 'template'] as const) {
      collectFeatures(features, server, { kind, listed: discovery[kind], pins, input });
    }
    const resources = discovered.status === 'listed' ? (discovered.resources ?? []) : [];
    listings.push({ server, resources, templates: features.template.filter((each) => each.server === name) });
    for (const message of (discovered.status === 'listed' && discovered.unlisted) || []) {
      features.findings.push({ server: name, message });
    }
  }
  const { states, newPins, findings } = features;
  const serverFeatures = indexResources(listings, input.previous?.resources);
  findings.push(...serverFeatures.findings);
  const lists = {
    ...{ tool: sortByExposedName(features.tool), prompt: sortByExposedName(features.prompt) },
    ...{ resource: sortByExposedName(serverFeatures.resources), template: sortByExposedName(serverFeatures.templates) },
  };
  const views = buildViews(
    { targets: lists.tool, prompts: lists.prompt, resourceLists: serverFeatures.lists, servers, states },
    input.registry.virtual,
    input.previous?.viewOf,
  );
  findings.push(...views.findings);
  const { tool, prompt, template } = lists;
  const byName = {
    ...{ tool: indexByExposedName(tool), prompt: indexByExposedName(prompt), template: indexByExposedName(template) },
  };
  return {
    ...{ targets: lists.tool, prompts: lists.prompt, resources: lists.resource, templates: lists.template },
    resolve: (exposed, kind = 'tool') =>
      kind === 'resource' ? serverFeatures.resolve(exposed) : byName[kind].get(exposed),
    viewOf: views.viewOf,
    tools: states.filter(({ kind }) => kind === 'tool'),
    ...{ states, servers, newPins, findings },
    drifts: states.filter(({ status }) => status === 'drifted' || status === 'pin-corrupt'),
  };
}

/** What is gathered, server by server. */
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
  plural: {
    readonly kind: PinnedKind;
    readonly listed: readonly JsonValue[];
    readonly pins: ReadonlyMap<string, Pin>;
    readonly input: CatalogInput;
  },
): void {
  const { kind, listed, pins, input } = plural;
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
        features.findings.push({ server: server.name, message: markSecretArguments(target.tool) });
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

/** What a server declares, or is assumed to declare while it was not asked: what was agreed to. */
function contractFor(
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

function markSecretArguments(tool: string): string {
  return `\`${tool}\` wants a secret argument in a header; it is put into none`;
}

function omittedIconsMessage(kind: PinnedKind, name: string): string {
  return `the ${kind} \`${name}\` has icons that are neither at \`https:\` nor images in \`data:\`; agents are not shown them`;
}

function unusedSettings(
  server: ServerSettings,
  listed: readonly JsonValue[],
  { kind, states }: { readonly kind: PinnedKind; readonly states: readonly ToolState[] },
): ServerWarning[] {
  const findings: ServerWarning[] = [];
  if (listed.length > server.maxTools) {
    const { plural } = PINNED_KINDS[kind];
    const message = `the server lists more than ${server.maxTools} ${plural}; the first ${server.maxTools} are read (\`maxTools\`)`;
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
 * A server as one that asks: to its question there is no definition and no cost. One that the registry has no more, while
 * a call of it is under way, is one of which nothing good is known.
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
