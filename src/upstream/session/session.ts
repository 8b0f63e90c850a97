import { ProblemError } from '../../domain/problem.ts';
import { type FeatureTarget, upstreamName } from '../../domain/target.ts';
import type { CancelSignal } from '../../lib/cancellation.ts';
import { type Digest, digestOf } from '../../lib/digest.ts';
import { canonicalJson } from '../../lib/json/canonical-json.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import type { Clock } from '../../lib/time.ts';
import type { ClientInfo } from '../protocol/encode-request.ts';
import { listFeatures, MAX_PAGE_BYTES } from '../protocol/list-features.ts';
import { type FailedNegotiation, type NegotiatedVersion, negotiateVersion } from '../protocol/negotiate-version.ts';
import type { Transport, TransportEvents } from '../protocol/transport.ts';
import type { VersionStore } from '../protocol/versions.ts';
import { childEnvironment } from '../transport/child-process.ts';
import type { HttpClient } from '../transport/http-client.ts';
import { SseTransport } from '../transport/sse.ts';
import { StdioTransport } from '../transport/stdio.ts';
import { StreamableHttpTransport } from '../transport/streamable-http.ts';
import type { DiscoveredFeatures, UpstreamServer } from './upstream-server.ts';

/** What the members of a definition are that a pin covers. */
const PINNED_MEMBERS = [
  ...(['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const),
  ...(['arguments', 'uriTemplate', 'mimeType'] as const),
] as const;
const ENVELOPE_BYTES = 64 * 1024;

/** What every session of one server is opened with. */
export interface SessionConfig {
  readonly server: UpstreamServer;
  /** The sockets of an HTTP server, shared by its sessions. */
  readonly httpClient: HttpClient | undefined;
  readonly clock: Clock;
  readonly versionStore: VersionStore;
  readonly clientInfo: ClientInfo;
  /** The broker's own environment, of which a child gets the harmless part. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface FailedSession {
  readonly kind: 'failed';
  readonly message: string;
  /** What the process wrote to stderr last, for an operator. */
  readonly stderrTail: string;
  /** Milliseconds until the next start is tried, where it is put off. */
  readonly retryAfterMs?: number;
  /** More than an agent may read: which secret or setting it is that cannot be resolved, never its value. */
  readonly detail?: string;
}

/** One live session with a tool server: handshake done, offers listed. */
export class Session {
  readonly kind = 'open';
  readonly transport: Transport;
  readonly negotiated: NegotiatedVersion;
  readonly openedAtMs: number;
  #observed: DiscoveredFeatures;
  #digest: Digest;
  #byName: ReadonlyMap<string, JsonObject>;
  #matchesByDefinition = new WeakMap<JsonObject, boolean>();

  constructor(
    transport: Transport,
    negotiated: NegotiatedVersion,
    options: { openedAtMs: number; features: DiscoveredFeatures },
  ) {
    this.transport = transport;
    this.negotiated = negotiated;
    this.openedAtMs = options.openedAtMs;
    this.#observed = options.features;
    this.#digest = digestOfFeatures(options.features);
    this.#byName = indexByName(options.features);
  }

  get features(): DiscoveredFeatures {
    return this.#observed;
  }

  /** Digest of everything listed, by which two listings are told apart. */
  get digest(): Digest {
    return this.#digest;
  }

  /** True when the server lists a thing of that name, whatever it says of it. */
  lists(target: FeatureTarget): boolean {
    const key = keyOf(target);
    return key === undefined || this.#byName.has(key);
  }

  /** Takes a later listing of the same session. */
  update(features: DiscoveredFeatures): void {
    this.#observed = features;
    this.#digest = digestOfFeatures(features);
    this.#byName = indexByName(features);
    this.#matchesByDefinition = new WeakMap();
  }

  /** True when this very session declares the target as it was when it was resolved; resources are no declarations. */
  matchesPin(target: FeatureTarget): boolean {
    const key = keyOf(target);
    if (key === undefined) return true;
    const known = this.#matchesByDefinition.get(target.definition);
    if (known !== undefined) return known;
    const listed = this.#byName.get(key);
    const same = listed !== undefined && pinnedJson(listed) === pinnedJson(target.definition);
    this.#matchesByDefinition.set(target.definition, same);
    return same;
  }
}

/** What a pin covers, in a form that knows no order of keys. */
function pinnedJson(definition: JsonObject): string {
  return canonicalJson(PINNED_MEMBERS.map((member) => definition[member] ?? null));
}

function digestOfFeatures({ tools, prompts, resources, templates }: DiscoveredFeatures): Digest {
  return digestOf(JSON.stringify([tools, prompts, resources, templates]));
}

/** What a target is declared by: no tool, prompt or template has a name that another kind's key could be. */
function keyOf(target: FeatureTarget): string | undefined {
  if (target.kind === 'tool') return target.tool;
  if (target.kind === 'prompt') return `prompt ${upstreamName(target)}`;
  // A resource that a template makes has the template's definition; one that was listed is no declaration.
  const { uriTemplate } = target.definition;
  return typeof uriTemplate === 'string' ? `template ${uriTemplate}` : undefined;
}

function indexByName({ tools, prompts, templates }: DiscoveredFeatures): ReadonlyMap<string, JsonObject> {
  const definitions = new Map<string, JsonObject>();
  const add = (prefix: string, name: JsonValue | undefined, definition: JsonObject): void => {
    definitions.set(`${prefix}${typeof name === 'string' ? name : ''}`, definition);
  };
  for (const tool of tools) add('', tool.name, tool);
  for (const prompt of prompts) add('prompt ', prompt.name, prompt);
  for (const template of templates) add('template ', template.uriTemplate, template);
  return definitions;
}

/** Opens a session: process or sockets, era, first listing, all within the server's start deadline. */
export async function openSession(
  config: SessionConfig,
  options: { readonly signal: CancelSignal; readonly events: TransportEvents; readonly clientCapabilities: JsonObject },
): Promise<Session | FailedSession> {
  const { server, clock } = config;
  const startedAtMs = clock.monotonicMs();
  const deadline = { signal: options.signal, maxBytes: MAX_PAGE_BYTES };
  const leftMs = (): number => Math.max(1, server.startTimeoutMs - (clock.monotonicMs() - startedAtMs));
  let configuredEra = server.era;
  let useSse = server.transport.type === 'sse';
  for (;;) {
    let transport: Transport;
    try {
      transport = await openTransport(config, options.events, useSse);
    } catch (error) {
      return unresolvedSettings(error);
    }
    const rememberedEra = config.versionStore.get(server.name)?.era;
    const negotiated = await negotiateVersion(transport, {
      ...deadline,
      timeoutMs: leftMs(),
      clientInfo: config.clientInfo,
      clientCapabilities: options.clientCapabilities,
      configuredEra,
      ...(rememberedEra === undefined ? {} : { rememberedEra }),
    });
    const ready =
      negotiated.kind === 'agreed'
        ? await readySession(config, { transport, negotiated, deadline, leftMs })
        : negotiated;
    if (ready.kind === 'open') return ready;
    const endedByDiscover =
      negotiated.kind === 'failed' && transport.endReason !== undefined && transport.type === 'stdio';
    const failure = failedSessionOf(transport, ready);
    await transport.close();
    if (!useSse && configuredEra !== 'modern' && mayBeSse(transport, negotiated) && !options.signal.aborted) {
      useSse = true;
      continue;
    }
    // Some old servers end when asked something before `initialize`: started once more, they are not asked.
    if (!endedByDiscover || configuredEra !== 'auto' || rememberedEra === 'legacy' || options.signal.aborted)
      return failure;
    configuredEra = 'legacy';
  }
}

/** 2025-03-26 and later, "Backward compatibility": who refuses to be posted to by a 4xx may open an event stream instead. */
function mayBeSse(transport: Transport, negotiated: NegotiatedVersion | FailedNegotiation): boolean {
  if (transport.type !== 'streamable-http' || negotiated.kind !== 'failed') return false;
  return negotiated.status === 400 || negotiated.status === 404 || negotiated.status === 405;
}

async function readySession(
  config: SessionConfig,
  open: {
    transport: Transport;
    negotiated: NegotiatedVersion;
    deadline: { signal: CancelSignal; maxBytes: number };
    leftMs: () => number;
  },
): Promise<Session | FailedNegotiation> {
  const { transport: channel, negotiated } = open;
  const { server, clock, versionStore: eraMemory } = config;
  const limits = { ...open.deadline, timeoutMs: open.leftMs(), maxTools: server.maxTools };
  const listing = await listFeatures(channel, negotiated.capabilities, limits);
  if (listing.kind === 'failed') return listing;
  const { kind: _, ...lists } = listing;
  const atMs = clock.wallMs();
  const { era, protocolVersion } = negotiated;
  const rememberedEra = eraMemory.get(server.name);
  if (rememberedEra?.era !== era || rememberedEra.protocolVersion !== protocolVersion) {
    eraMemory.set(server.name, { era, protocolVersion, atMs });
  }
  channel.openStandaloneStream();
  const features = { ...lists, era, protocolVersion, atMs };
  return new Session(channel, negotiated, { openedAtMs: clock.monotonicMs(), features });
}

/** Only a `ProblemError` is known to speak of no secret's value; and its names are for operators. */
function unresolvedSettings(error: unknown): FailedSession {
  const detail = error instanceof ProblemError ? { detail: error.message } : {};
  return { kind: 'failed', message: 'its settings or secrets cannot be resolved', stderrTail: '', ...detail };
}

function failedSessionOf(transport: Transport, failure: FailedNegotiation): FailedSession {
  return { kind: 'failed', message: failure.message, stderrTail: stderrTailOf(transport) };
}

/** What the process behind a channel wrote to stderr last; nothing where there is none. */
export function stderrTailOf(transport: Transport): string {
  return transport instanceof StdioTransport ? transport.stderrTail : '';
}

async function openTransport(config: SessionConfig, events: TransportEvents, useSse: boolean): Promise<Transport> {
  const { server, httpClient, clientInfo } = config;
  const { transport } = server;
  const isShared = server.sharing === 'all';
  const maxMessageBytes = Math.max(server.maxResultBytes, MAX_PAGE_BYTES) + ENVELOPE_BYTES;
  if (transport.type === 'stdio') {
    const env = childEnvironment(config.environment, await transport.resolveEnv());
    return new StdioTransport({
      parameters: transport,
      env,
      clientInfo,
      isShared,
      maxLineBytes: maxMessageBytes,
      events,
    });
  }
  if (httpClient === undefined) throw new Error('an HTTP server has no HTTP client');
  const headers = await transport.resolveHeaders();
  const common = { httpClient, url: new URL(transport.url), headers, clientInfo, isShared, events };
  return useSse
    ? new SseTransport({ ...common, maxEventBytes: maxMessageBytes })
    : new StreamableHttpTransport({ ...common, stallTimeoutMs: server.stallTimeoutMs });
}

/** The first new starts are at once, then waits double: a server that was restarted is not one that keeps failing. */
const IMMEDIATE_RETRIES = 2;
const FIRST_WAIT_MS = 250;
/** A start of a process costs the machine; a connection that is refused costs next to nothing, and may work any moment. */
const LAST_WAIT_MS = { process: 60_000, connection: 500 } as const;
/** A session that lived this long was healthy: what went before it is forgotten. */
const HEALTHY_SESSION_MS = 30_000;

/** Counts failed starts and early ends in a row, and says when the next start may be. */
export class BackOff {
  readonly #clock: Clock;
  readonly #lastWaitMs: number;
  #failures = 0;
  #notBeforeMs = 0;

  constructor(clock: Clock, kind: keyof typeof LAST_WAIT_MS) {
    this.#clock = clock;
    this.#lastWaitMs = LAST_WAIT_MS[kind];
  }

  /** Milliseconds until the next start may be; 0 when it may be now. */
  get waitMs(): number {
    return Math.max(0, Math.ceil(this.#notBeforeMs - this.#clock.monotonicMs()));
  }

  get failures(): number {
    return this.#failures;
  }

  /** Notes an end that nobody asked for. `livedMs` is 0 for a start that failed. */
  recordFailure(livedMs: number): void {
    if (livedMs >= HEALTHY_SESSION_MS) this.#failures = 0;
    this.#failures += 1;
    const waitMs =
      this.#failures <= IMMEDIATE_RETRIES
        ? 0
        : Math.min(this.#lastWaitMs, FIRST_WAIT_MS * 2 ** Math.min(16, this.#failures - IMMEDIATE_RETRIES - 1));
    this.#notBeforeMs = this.#clock.monotonicMs() + waitMs;
  }
}
