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

/** Members of a definition that a pin covers. */
const PINNED_MEMBERS = [
  'name',
  'title',
  'description',
  'inputSchema',
  'outputSchema',
  'annotations',
  'arguments',
  'uriTemplate',
  'mimeType',
] as const;
const ENVELOPE_BYTES = 64 * 1024;

/** Parameters that all sessions of one server share. */
export interface SessionConfig {
  readonly server: UpstreamServer;
  /** Connection pools of an HTTP server; undefined for a server over stdio. */
  readonly httpClient: HttpClient | undefined;
  readonly clock: Clock;
  readonly versionStore: VersionStore;
  readonly clientInfo: ClientInfo;
  /** The broker's environment, of which a child process inherits a few variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface FailedSession {
  readonly kind: 'failed';
  readonly message: string;
  /** Last output of the process on stderr, for an operator. */
  readonly stderrTail: string;
  /** Milliseconds until the next attempt, if it is delayed. */
  readonly retryAfterMs?: number;
  /** For operators only: the secret or setting that cannot be resolved, never its value. */
  readonly detail?: string;
}

/** An open session with a tool server: negotiated, features listed. */
export class Session {
  readonly kind = 'open';
  readonly transport: Transport;
  readonly negotiated: NegotiatedVersion;
  readonly openedAtMs: number;
  #features: DiscoveredFeatures;
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
    this.#features = options.features;
    this.#digest = digestOfFeatures(options.features);
    this.#byName = indexByName(options.features);
  }

  get features(): DiscoveredFeatures {
    return this.#features;
  }

  /** Digest of all lists; it differs if any list differs. */
  get digest(): Digest {
    return this.#digest;
  }

  /** True if the server lists a feature of that kind and name, whatever its definition. */
  lists(target: FeatureTarget): boolean {
    const key = keyOf(target);
    return key === undefined || this.#byName.has(key);
  }

  /** Replaces the lists with a later listing of the same session. */
  update(features: DiscoveredFeatures): void {
    this.#features = features;
    this.#digest = digestOfFeatures(features);
    this.#byName = indexByName(features);
    this.#matchesByDefinition = new WeakMap();
  }

  /** True if this session declares the target with the definition it was resolved with. Resources are not declared. */
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

/** Returns the pinned members as canonical JSON, independent of key order. */
function pinnedJson(definition: JsonObject): string {
  return canonicalJson(PINNED_MEMBERS.map((member) => definition[member] ?? null));
}

function digestOfFeatures({ tools, prompts, resources, templates }: DiscoveredFeatures): Digest {
  return digestOf(JSON.stringify([tools, prompts, resources, templates]));
}

/** Key of a target in `indexByName`. Tool names contain no space, so keys of different kinds differ. */
function keyOf(target: FeatureTarget): string | undefined {
  if (target.kind === 'tool') return target.tool;
  if (target.kind === 'prompt') return `prompt ${upstreamName(target)}`;
  // A resource of a template has the template's definition; a listed resource is not declared.
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

/** Opens a session within the server's start deadline: transport, negotiation, first listing. */
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
    // Some old servers exit on a request before `initialize`, so the next start skips discovery.
    if (!endedByDiscover || configuredEra !== 'auto' || rememberedEra === 'legacy' || options.signal.aborted)
      return failure;
    configuredEra = 'legacy';
  }
}

/** 2025-03-26 and later, "Backward compatibility": a server that refuses a POST with a 4xx may offer HTTP+SSE instead. */
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
  const { transport, negotiated } = open;
  const { server, clock, versionStore } = config;
  const limits = { ...open.deadline, timeoutMs: open.leftMs(), maxTools: server.maxTools };
  const listing = await listFeatures(transport, negotiated.capabilities, limits);
  if (listing.kind === 'failed') return listing;
  const { kind: _, ...lists } = listing;
  const atMs = clock.wallMs();
  const { era, protocolVersion } = negotiated;
  const remembered = versionStore.get(server.name);
  if (remembered?.era !== era || remembered.protocolVersion !== protocolVersion) {
    versionStore.set(server.name, { era, protocolVersion, atMs });
  }
  transport.openStandaloneStream();
  const features = { ...lists, era, protocolVersion, atMs };
  return new Session(transport, negotiated, { openedAtMs: clock.monotonicMs(), features });
}

/** Only a `ProblemError` is known to contain no secret value. It names the secret, which is for operators. */
function unresolvedSettings(error: unknown): FailedSession {
  const detail = error instanceof ProblemError ? { detail: error.message } : {};
  return { kind: 'failed', message: 'its settings or secrets cannot be resolved', stderrTail: '', ...detail };
}

function failedSessionOf(transport: Transport, failure: FailedNegotiation): FailedSession {
  return { kind: 'failed', message: failure.message, stderrTail: stderrTailOf(transport) };
}

/** Returns the last stderr output of the transport's process; empty for HTTP. */
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

/** The first retries are immediate, because a server that was restarted once is not a failing server. */
const IMMEDIATE_RETRIES = 2;
const FIRST_WAIT_MS = 250;
/** Starting a process is expensive; a refused connection is cheap and may succeed at any moment. */
const LAST_WAIT_MS = { process: 60_000, connection: 500 } as const;
/** After a session that lived this long, earlier failures are forgotten. */
const HEALTHY_SESSION_MS = 30_000;

/** Exponential back-off: counts failed starts and early ends in a row and sets the time of the next start. */
export class BackOff {
  readonly #clock: Clock;
  readonly #lastWaitMs: number;
  #failures = 0;
  #notBeforeMs = 0;

  constructor(clock: Clock, kind: keyof typeof LAST_WAIT_MS) {
    this.#clock = clock;
    this.#lastWaitMs = LAST_WAIT_MS[kind];
  }

  /** Milliseconds until the next start is allowed; 0 if it is allowed now. */
  get waitMs(): number {
    return Math.max(0, Math.ceil(this.#notBeforeMs - this.#clock.monotonicMs()));
  }

  get failures(): number {
    return this.#failures;
  }

  /** Records a failed start or an unexpected end. `livedMs` is 0 for a failed start. */
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
