import { withoutMarks } from '../domain/mirrored-arguments.ts';
import type { PostureRow } from '../domain/posture.ts';
import type { ToolTarget } from '../domain/target.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import type { Registry } from './load.ts';
import type { NewPin, Pin, Pins } from './pin.ts';
import type { ServerSettings } from './server-settings.ts';
import { exposedName } from './tool-name.ts';
import { type Admit, type ToolState, toolStates } from './tool-state.ts';

/** What is known of a server's tools: its list, as it came, or why there is none. */
export type ObservedServer =
  | { readonly status: 'listed'; readonly tools: readonly JsonValue[] }
  | { readonly status: 'not-started' }
  /** `sinceMs` is the calendar time since which it could not be asked. */
  | { readonly status: 'failed'; readonly error: string; readonly sinceMs?: number };

export const pinPosture: PostureRow<'unknown-tool'> = {
  guard: 'pins',
  when: 'a definition is new, or is not the one that was agreed to',
  yields: 'unknown-tool',
  means: 'the tool is hidden and cannot be called',
  opens: "`pin: auto` in the server's file: new tools, changed ones never",
};

export const schemaAdmissionPosture: PostureRow<'unknown-tool'> = {
  guard: 'tool schemas',
  when: 'a schema is not one that can be checked within bounds',
  yields: 'unknown-tool',
  means: 'the tool is hidden and cannot be called',
  opens: null,
};

/** Something about a server that a person should know. */
export interface ServerFinding {
  readonly server: string;
  readonly message: string;
}

/** Every tool as it stands, and the ones that can be called. Immutable; built anew when anything changes. */
export interface Catalog {
  /** The tools that can be called, by exposed name in UTF-16 order. */
  readonly targets: readonly ToolTarget[];
  /** The target of an exposed name. O(1). */
  readonly resolve: (exposedName: string) => ToolTarget | undefined;
  /** Every tool of every server, also those that cannot be called, by server and then as the server lists them. */
  readonly tools: readonly ToolState[];
  readonly servers: ReadonlyMap<string, ObservedServer['status']>;
  /** Tools of servers with `pin: auto` that were seen for the first time: to be made durable before this catalog serves. */
  readonly newPins: readonly NewPin[];
  readonly drifts: readonly ToolState[];
  readonly findings: readonly ServerFinding[];
}

export interface CatalogInput {
  readonly registry: Registry;
  /** Pins that a person agreed to. They go before `pins`. */
  readonly lock: Pins;
  /** Pins that `pin: auto` made on first sight. They count only for servers with `pin: auto`. */
  readonly pins: Pins;
  /** A server that is not in it counts as not started. */
  readonly observed: ReadonlyMap<string, ObservedServer>;
  readonly admit: Admit;
  /** The catalog before: a tool that did not change keeps its very definition and schemas, so that they can key a cache. */
  readonly previous?: Catalog;
  /** Serve the agreed definitions of servers that were not listed yet. The lists that follow still find drift. Default: false. */
  readonly assumePinned?: boolean;
}

/** Builds the catalog. Never throws for what an upstream sent: what is not admitted is quarantined with its reason. */
export function buildCatalog(input: CatalogInput): Catalog {
  const tools: ToolState[] = [];
  const targets: ToolTarget[] = [];
  const newPins: NewPin[] = [];
  const findings: ServerFinding[] = [];
  const servers = new Map<string, ObservedServer['status']>();
  for (const name of [...input.registry.servers.keys()].sort()) {
    const server = input.registry.servers.get(name);
    if (server === undefined) continue;
    const observed = input.observed.get(name) ?? { status: 'not-started' };
    servers.set(name, observed.status);
    const pins = pinsOf(input, server);
    const listed = listedTools(observed, { pins, assume: input.assumePinned === true });
    if (observed.status === 'failed') findings.push({ server: name, message: observed.error });
    if (listed === undefined) continue;
    const states = toolStates(server, listed, {
      pinOf: (tool) => pins.get(tool),
      pinned: [...pins.keys()],
      admit: input.admit,
    });
    tools.push(...states);
    findings.push(...settingsFindings(server, listed, states));
    for (const state of states) {
      const target = targetOf(server, state, input.previous);
      if (target === undefined) continue;
      if (target.shown !== undefined) findings.push({ server: name, message: secretMarked(state.tool) });
      targets.push(target);
      if (state.agreedDigest === undefined) {
        newPins.push({
          server: name,
          tool: state.tool,
          digest: target.definitionDigest,
          definition: target.definition,
        });
      }
    }
  }
  targets.sort((a, b) => (a.exposedName < b.exposedName ? -1 : 1));
  const byName = new Map(targets.map((target) => [target.exposedName, target]));
  return {
    targets,
    resolve: (exposed) => byName.get(exposed),
    tools,
    servers,
    newPins,
    drifts: tools.filter(({ status }) => status === 'drifted' || status === 'pin-corrupt'),
    findings,
  };
}

function pinsOf({ lock, pins }: CatalogInput, server: ServerSettings): ReadonlyMap<string, Pin> {
  const agreed = lock.get(server.name);
  if (server.pin === 'lock') return agreed ?? new Map();
  return new Map([...(pins.get(server.name) ?? []), ...(agreed ?? [])]);
}

function listedTools(
  observed: ObservedServer,
  { pins, assume }: { pins: ReadonlyMap<string, Pin>; assume: boolean },
): readonly JsonValue[] | undefined {
  if (observed.status === 'listed') return observed.tools;
  if (!assume) return undefined;
  return Array.from(pins.values()).flatMap((pin) => (pin.kind === 'agreed' ? [pin.definition] : []));
}

function secretMarked(tool: string): string {
  return `\`${tool}\` wants an argument of \`secretArguments\` in a header; it is put into none`;
}

function settingsFindings(
  server: ServerSettings,
  listed: readonly JsonValue[],
  states: readonly ToolState[],
): ServerFinding[] {
  const findings: ServerFinding[] = [];
  if (listed.length > server.maxTools) {
    const message = `the server lists more than ${server.maxTools} tools; the first ${server.maxTools} are read (\`maxTools\`)`;
    findings.push({ server: server.name, message });
  }
  const known = new Set(states.filter(({ status }) => status !== 'missing').map(({ tool }) => tool));
  for (const tool of server.tools.keys()) {
    if (!known.has(tool))
      findings.push({ server: server.name, message: `\`tools\` names \`${tool}\`, which the server does not have` });
  }
  return findings;
}

function targetOf(server: ServerSettings, state: ToolState, previous: Catalog | undefined): ToolTarget | undefined {
  const { tool, observed, observedDigest } = state;
  if (state.status !== 'active' || observed === undefined || observedDigest === undefined) return undefined;
  const settings = server.tools.get(tool) ?? server.unlisted;
  const exposed = exposedName(server.name, tool);
  const before = previous?.resolve(exposed);
  // Equal definitions are the same object over time: what is compiled for a schema is found by the schema itself.
  const definition = before?.definitionDigest === observedDigest ? before.definition : observed;
  const contract =
    before !== undefined && sameJson(before.outputSchema, settings.output) ? before.outputSchema : settings.output;
  const outputSchema = isJsonObject(definition.outputSchema) ? definition.outputSchema : contract;
  return {
    kind: 'tool',
    id: `tool:${server.name}/${tool}`,
    server: server.name,
    tool,
    exposedName: exposed,
    // The operator's word alone: `readOnlyHint` and its like are the upstream speaking of itself.
    risk: settings.risk,
    labels: settings.labels,
    costNanoUsd: settings.costNanoUsd,
    timeoutMs: settings.timeoutMs,
    maxResultBytes: settings.maxResultBytes,
    payloads: server.payloads,
    payloadMaxBytes: server.payloadMaxBytes,
    definitionDigest: observedDigest,
    definition,
    ...shownOf(definition, settings.secretArguments, before?.shown),
    inputSchema: isJsonObject(definition.inputSchema) ? definition.inputSchema : {},
    ...(outputSchema === undefined ? {} : { outputSchema }),
  };
}

/** The definition without the marks that would put a secret argument into a header, where there are such marks. */
function shownOf(
  definition: JsonObject,
  secretArguments: readonly string[],
  before: JsonObject | undefined,
): { readonly shown?: JsonObject } {
  if (secretArguments.length === 0 || !isJsonObject(definition.inputSchema)) return {};
  const inputSchema = withoutMarks(definition.inputSchema, secretArguments);
  if (inputSchema === undefined) return {};
  const shown = { ...definition, inputSchema };
  return { shown: before !== undefined && sameJson(before, shown) ? before : shown };
}

function sameJson(a: JsonObject | undefined, b: JsonObject | undefined): boolean {
  return a !== undefined && b !== undefined && JSON.stringify(a) === JSON.stringify(b);
}
