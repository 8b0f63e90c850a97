import { ProblemError } from '../domain/problem.ts';
import { type OfferedTarget, upstreamName } from '../domain/target.ts';
import type { CancelSignal } from '../lib/cancellation.ts';
import { canonicalJson } from '../lib/canonical-json.ts';
import type { Clock } from '../lib/clock.ts';
import { type Digest, digestOf } from '../lib/digest.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import type { EraMemory } from './era.ts';
import type { Channel, ChannelEvents } from './mcp/channel.ts';
import { childEnvironment } from './mcp/child-environment.ts';
import { agreeOnEra } from './mcp/find-era.ts';
import type { FailedHandshake, Handshake } from './mcp/handshake.ts';
import { HttpChannel } from './mcp/http-channel.ts';
import type { HttpSockets } from './mcp/http-sockets.ts';
import { listOffers, MAX_PAGE_BYTES } from './mcp/list-offers.ts';
import type { ClientInfo } from './mcp/message-dress.ts';
import { SseChannel } from './mcp/sse-channel.ts';
import { StdioChannel } from './mcp/stdio-channel.ts';
import type { Observed, UpstreamServer } from './upstream-server.ts';

/** What the members of a definition are that a pin covers. */
const PINNED_MEMBERS = [
  ...(['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const),
  ...(['arguments', 'uriTemplate', 'mimeType'] as const),
] as const;
const ENVELOPE_BYTES = 64 * 1024;

/** What every session of one server is opened with. */
export interface SessionHost {
  readonly server: UpstreamServer;
  /** The sockets of an HTTP server, shared by its sessions. */
  readonly sockets: HttpSockets | undefined;
  readonly clock: Clock;
  readonly eraMemory: EraMemory;
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
  readonly channel: Channel;
  readonly hands: Handshake;
  readonly openedAtMs: number;
  #observed: Observed;
  #digest: Digest;
  #byName: ReadonlyMap<string, JsonObject>;
  #sameAsPinned = new WeakMap<JsonObject, boolean>();

  constructor(channel: Channel, hands: Handshake, options: { openedAtMs: number; observed: Observed }) {
    this.channel = channel;
    this.hands = hands;
    this.openedAtMs = options.openedAtMs;
    this.#observed = options.observed;
    this.#digest = digestOfOffers(options.observed);
    this.#byName = byName(options.observed);
  }

  get observed(): Observed {
    return this.#observed;
  }

  /** Digest of everything listed, by which two listings are told apart. */
  get digest(): Digest {
    return this.#digest;
  }

  /** True when the server lists a thing of that name, whatever it says of it. */
  lists(target: OfferedTarget): boolean {
    const key = keyOf(target);
    return key === undefined || this.#byName.has(key);
  }

  /** Takes a later listing of the same session. */
  see(observed: Observed): void {
    this.#observed = observed;
    this.#digest = digestOfOffers(observed);
    this.#byName = byName(observed);
    this.#sameAsPinned = new WeakMap();
  }

  /** True when this very session declares the target as it was when it was resolved; resources are no declarations. */
  declares(target: OfferedTarget): boolean {
    const key = keyOf(target);
    if (key === undefined) return true;
    const known = this.#sameAsPinned.get(target.definition);
    if (known !== undefined) return known;
    const listed = this.#byName.get(key);
    const same = listed !== undefined && pinnedText(listed) === pinnedText(target.definition);
    this.#sameAsPinned.set(target.definition, same);
    return same;
  }
}

/** What a pin covers, in a form that knows no order of keys. */
function pinnedText(definition: JsonObject): string {
  return canonicalJson(PINNED_MEMBERS.map((member) => definition[member] ?? null));
}

function digestOfOffers({ tools, prompts, resources, templates }: Observed): Digest {
  return digestOf(JSON.stringify([tools, prompts, resources, templates]));
}

/** What a target is declared by: no tool, prompt or template has a name that another kind's key could be. */
function keyOf(target: OfferedTarget): string | undefined {
  if (target.kind === 'tool') return target.tool;
  if (target.kind === 'prompt') return `prompt ${upstreamName(target)}`;
  // A resource that a template makes has the template's definition; one that was listed is no declaration.
  const { uriTemplate } = target.definition;
  return typeof uriTemplate === 'string' ? `template ${uriTemplate}` : undefined;
}

function byName({ tools, prompts, templates }: Observed): ReadonlyMap<string, JsonObject> {
  const named = new Map<string, JsonObject>();
  const put = (prefix: string, name: JsonValue | undefined, definition: JsonObject): void => {
    named.set(`${prefix}${typeof name === 'string' ? name : ''}`, definition);
  };
  for (const tool of tools) put('', tool.name, tool);
  for (const prompt of prompts) put('prompt ', prompt.name, prompt);
  for (const template of templates) put('template ', template.uriTemplate, template);
  return named;
}

/** Opens a session: process or sockets, era, first listing, all within the server's start deadline. */
export async function openSession(
  host: SessionHost,
  options: { readonly signal: CancelSignal; readonly events: ChannelEvents; readonly told: JsonObject },
): Promise<Session | FailedSession> {
  const { server, clock } = host;
  const startedAtMs = clock.monotonicMs();
  const deadline = { signal: options.signal, maxBytes: MAX_PAGE_BYTES };
  const leftMs = (): number => Math.max(1, server.startTimeoutMs - (clock.monotonicMs() - startedAtMs));
  let setting = server.era;
  let isOld = server.transport.type === 'sse';
  for (;;) {
    let channel: Channel;
    try {
      channel = await openChannel(host, options.events, isOld);
    } catch (error) {
      return unresolved(error);
    }
    const remembered = host.eraMemory.get(server.name)?.era;
    const hands = await agreeOnEra(channel, {
      ...deadline,
      timeoutMs: leftMs(),
      clientInfo: host.clientInfo,
      capabilities: options.told,
      setting,
      ...(remembered === undefined ? {} : { remembered }),
    });
    const ready = hands.kind === 'agreed' ? await readySession(host, { channel, hands, deadline, leftMs }) : hands;
    if (ready.kind === 'open') return ready;
    const endedByQuestion = hands.kind === 'failed' && channel.ended !== undefined && channel.transport === 'stdio';
    const failure = failureOf(channel, ready);
    await channel.close();
    if (!isOld && setting !== 'modern' && mayBeOld(channel, hands) && !options.signal.aborted) {
      isOld = true;
      continue;
    }
    // Some old servers end when asked something before `initialize`: started once more, they are not asked.
    if (!endedByQuestion || setting !== 'auto' || remembered === 'legacy' || options.signal.aborted) return failure;
    setting = 'legacy';
  }
}

/** 2025-03-26 and later, "Backward compatibility": who refuses to be posted to by a 4xx may open an event stream instead. */
function mayBeOld(channel: Channel, hands: Handshake | FailedHandshake): boolean {
  if (channel.transport !== 'streamable-http' || hands.kind !== 'failed') return false;
  return hands.status === 400 || hands.status === 404 || hands.status === 405;
}

async function readySession(
  host: SessionHost,
  open: {
    channel: Channel;
    hands: Handshake;
    deadline: { signal: CancelSignal; maxBytes: number };
    leftMs: () => number;
  },
): Promise<Session | FailedHandshake> {
  const { channel, hands } = open;
  const { server, clock, eraMemory } = host;
  const limits = { ...open.deadline, timeoutMs: open.leftMs(), maxTools: server.maxTools };
  const listing = await listOffers(channel, hands.capabilities, limits);
  if (listing.kind === 'failed') return listing;
  const { kind: _, ...offers } = listing;
  const atMs = clock.wallMs();
  const { era, protocolVersion } = hands;
  const remembered = eraMemory.get(server.name);
  if (remembered?.era !== era || remembered.protocolVersion !== protocolVersion) {
    eraMemory.set(server.name, { era, protocolVersion, atMs });
  }
  channel.listen();
  const observed = { ...offers, era, protocolVersion, atMs };
  return new Session(channel, hands, { openedAtMs: clock.monotonicMs(), observed });
}

/** Only a `ProblemError` is known to speak of no secret's value; and its names are for operators. */
function unresolved(error: unknown): FailedSession {
  const detail = error instanceof ProblemError ? { detail: error.message } : {};
  return { kind: 'failed', message: 'its settings or secrets cannot be resolved', stderrTail: '', ...detail };
}

function failureOf(channel: Channel, failure: FailedHandshake): FailedSession {
  return { kind: 'failed', message: failure.message, stderrTail: stderrTailOf(channel) };
}

/** What the process behind a channel wrote to stderr last; nothing where there is none. */
export function stderrTailOf(channel: Channel): string {
  return channel instanceof StdioChannel ? channel.stderrTail : '';
}

async function openChannel(host: SessionHost, events: ChannelEvents, isOld: boolean): Promise<Channel> {
  const { server, sockets, clientInfo } = host;
  const { transport } = server;
  const isShared = server.sharing === 'all';
  const maxMessageBytes = Math.max(server.maxResultBytes, MAX_PAGE_BYTES) + ENVELOPE_BYTES;
  if (transport.type === 'stdio') {
    const env = childEnvironment(host.environment, await transport.resolveEnv());
    return new StdioChannel({ transport, env, clientInfo, isShared, maxLineBytes: maxMessageBytes, events });
  }
  if (sockets === undefined) throw new Error('an HTTP server has no sockets');
  const headers = await transport.resolveHeaders();
  const common = { sockets, url: new URL(transport.url), headers, clientInfo, isShared, events };
  return isOld
    ? new SseChannel({ ...common, maxEventBytes: maxMessageBytes })
    : new HttpChannel({ ...common, stallTimeoutMs: server.stallTimeoutMs });
}
