import type { Catalog, ListedServer } from '../registry/catalog.ts';
import type { Registry } from '../registry/load.ts';
import { isSameServer, type ServerSettings } from '../registry/server-settings.ts';
import type { Log } from '../telemetry/log.ts';
import type { UpstreamPool } from '../upstream/upstream-pool.ts';
import type { Observed } from '../upstream/upstream-server.ts';
import type { Standing } from './standing.ts';

/** How many servers are asked for their tools at one time. */
const AT_ONCE = 4;
const LOOK_EVERY_MS = 500;
/** A server that could not be asked is asked again after this long. */
const ASK_FAILED_AGAIN_MS = 10_000;

/** Asks servers what they offer, so that drift is found before a call finds it. */
export class Observer {
  readonly #parts: {
    readonly standing: Standing;
    readonly upstreams: UpstreamPool;
    readonly log: Log;
    readonly nowMs: () => number;
  };
  readonly #askedAtMs = new Map<string, number>();
  readonly #asking = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: {
    readonly standing: Standing;
    readonly upstreams: UpstreamPool;
    readonly log: Log;
    readonly nowMs: () => number;
  }) {
    this.#parts = parts;
  }

  /** Asks every server now, and from now on each again when its `refresh` time is over. */
  start(): void {
    this.#askDue();
    this.#timer = setInterval(() => this.#askDue(), LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Asks one server, or waits for the answer that is on its way. */
  ask(server: string): Promise<void> {
    const underWay = this.#asking.get(server);
    if (underWay) return underWay;
    this.#askedAtMs.set(server, this.#parts.nowMs());
    const asking = this.#ask(server).finally(() => this.#asking.delete(server));
    this.#asking.set(server, asking);
    return asking;
  }

  /** Asks every server of the registry. */
  async askAll(): Promise<void> {
    const names = [...this.#parts.standing.registry.servers.keys()];
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let name = names.shift(); name !== undefined; name = names.shift()) await this.ask(name);
      }),
    );
  }

  #askDue(): void {
    for (const server of this.#parts.standing.registry.servers.values()) {
      if (this.#isDue(server) && this.#hasTurn(server.name)) void this.ask(server.name);
    }
  }

  /** Servers that cannot be asked take turns among themselves: those that hang must not hold up the lists of others. */
  #hasTurn(server: string): boolean {
    const { standing } = this.#parts;
    const isFailed = (name: string): boolean => standing.observedOf(name).status === 'failed';
    const alike = [...this.#asking.keys()].filter((name) => isFailed(name) === isFailed(server));
    return alike.length < AT_ONCE;
  }

  #isDue({ name, transport, refreshMs }: ServerSettings): boolean {
    const askedAtMs = this.#askedAtMs.get(name);
    const { status } = this.#parts.standing.observedOf(name);
    // Nothing is known of one that was declared anew, whenever it was asked under its old declaration.
    if (askedAtMs === undefined || status === 'not-started') return true;
    const sinceMs = this.#parts.nowMs() - askedAtMs;
    if (status === 'failed') return sinceMs >= ASK_FAILED_AGAIN_MS;
    // A child process tells of changes and lists its tools at every start; asking it again would only start it.
    return transport.type !== 'stdio' && sinceMs >= refreshMs;
  }

  async #ask(server: string): Promise<void> {
    const { standing, upstreams, log } = this.#parts;
    const declared = standing.registry.servers.get(server);
    const seen = await upstreams.observe(server);
    const now = standing.registry.servers.get(server);
    if (now === undefined) return;
    // What an old declaration listed, or why it could not, says nothing of the one that has taken its place.
    if (now !== declared && ('error' in seen || !isSameServer(declared, now))) return this.#ask(server);
    if ('error' in seen) log.warn('server.unavailable', { server, error: seen.error });
    await standing.observe(server, 'error' in seen ? { status: 'failed', error: seen.error } : listedServer(seen));
  }
}

/** What a server declared, as the registry reads it. */
export function listedServer({ tools, prompts, resources, templates, unlisted }: Observed): ListedServer {
  return { status: 'listed', tools, prompts, resources, templates, unlisted };
}

/** Servers of which nothing is known yet: neither a pin nor a list. A list that is asked for now would lack their tools. */
export function unknownServers(registry: Registry, catalog: Catalog): readonly string[] {
  const known = new Set(catalog.states.map(({ server }) => server));
  return [...registry.servers.keys()].filter((name) => catalog.servers.get(name) === 'not-started' && !known.has(name));
}
