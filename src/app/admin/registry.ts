import { join } from 'node:path';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import type { FeatureKind } from '../../domain/target.ts';
import { replaceFileAtomically } from '../../lib/atomic-file.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import { pinsDigest } from '../../onboarding/import/server-proposal.ts';
import type { Catalog, ServerDiscovery } from '../../registry/catalog.ts';
import type { ServerWarning } from '../../registry/features/resource-index.ts';
import type { ToolState } from '../../registry/features/tool-status.ts';
import type { Registry } from '../../registry/load.ts';
import { definitionDiff } from '../../registry/pins/definition.ts';
import { LOCK_FILE, writeLock } from '../../registry/pins/lock.ts';
import { type NewPin, withoutPin, withPins } from '../../registry/pins/pin.ts';
import { pinnedId, readPinKey } from '../../registry/pins/pinned-kind.ts';
import { deleteStoredPins, loadStoredPins } from '../../registry/pins/stored-pins.ts';
import type { UpstreamStatus } from '../../upstream/upstream-status.ts';
import type { BrokerCore } from '../compose.ts';
import { serverHealth } from './daemon-summary.ts';

/** Tools that an operation applies to: all, those of a server, or one. */
interface ToolSelection {
  readonly server?: string | undefined;
  readonly tool?: string | undefined;
}

/** Discovers every server and returns the status of each server and tool. */
export async function registryStatus(core: BrokerCore): Promise<RegistryView> {
  await core.discovery.discoverAll();
  const { catalog, registry } = core.snapshots;
  const discoveredOf = (server: string): ServerDiscovery => core.snapshots.discoveredOf(server);
  return registryView({ catalog, registry, upstreams: core.upstreams.status(), discoveredOf });
}

/** Pinned and current definition of every selected tool that differs, and the servers that failed. */
export async function registryDifferences(core: BrokerCore, which: ToolSelection): Promise<JsonValue> {
  await discoverSelected(core, which);
  const servers = which.server === undefined ? [...core.snapshots.registry.servers.keys()] : [which.server];
  return {
    failed: servers.flatMap((server) => {
      const seen = core.snapshots.discoveredOf(server);
      return seen.status === 'failed' ? [{ server, error: seen.error }] : [];
    }),
    tools: selectedTools(core, which)
      .filter(isDifferent)
      .map((state) => ({
        id: state.id,
        status: state.status,
        ...reasonOf(state),
        changes: definitionDiff(state.agreed ?? {}, state.observed ?? {}).map((change) => ({ ...change })),
      })),
  };
}

/**
 * Writes the current definitions of servers to `registry.lock`, and removes the pins of definitions that are gone. With
 * `agreed` the server is new and a person has seen its definitions: different ones are not pinned.
 */
export async function pinTools(
  core: BrokerCore,
  which: ToolSelection & { readonly by: string; readonly agreed?: string | undefined },
  signal?: AbortSignal,
): Promise<JsonValue> {
  await discoverSelected(core, which);
  signal?.throwIfAborted();
  const states = selectedTools(core, which);
  const { lock } = core.snapshots.pins;
  const added: NewPin[] = states.flatMap(({ server, key, status, observed, observedDigest }) =>
    status === 'quarantined' || observed === undefined || observedDigest === undefined
      ? []
      : [{ server, tool: key, digest: observedDigest, definition: observed }],
  );
  if (which.server !== undefined && which.agreed !== undefined) {
    rejectChangedTools(core, which.server, pinsDigest(added) === which.agreed);
    await core.systemEvents.recordOrThrow({
      kind: 'server.added',
      by: which.by,
      server: which.server,
      tools: added.length,
    });
  }
  const removed = states.filter(
    ({ server, status }) => status === 'missing' && core.snapshots.discoveredOf(server).status === 'listed',
  );
  let pins = withPins(lock, added);
  for (const { server, key } of removed) pins = withoutPin(pins, server, key);
  const text = writeLock(pins);
  const changed = states.filter(
    (state) => state.status !== 'active' || lock.get(state.server)?.get(state.key) === undefined,
  );
  for (const { id, agreedDigest, observedDigest } of [...changed].filter(({ status }) => status !== 'quarantined')) {
    await core.systemEvents.recordOrThrow({
      kind: 'tool.pinned',
      by: which.by,
      tool: id,
      ...(agreedDigest === undefined ? {} : { from: agreedDigest }),
      ...(observedDigest === undefined ? {} : { to: observedDigest }),
    });
  }
  replaceFileAtomically(join(core.settings.registry, LOCK_FILE), text);
  for (const { server, tool } of added) await deleteStoredPins(core.database, server, tool);
  for (const { server, key } of removed) await deleteStoredPins(core.database, server, key);
  await core.snapshots.replacePins(loadStoredPins(core.database));
  await core.snapshots.reload();
  return {
    pinned: added.map(({ server, tool }) => pinnedId(server, readPinKey(tool))),
    removed: removed.map(({ id }) => id),
    quarantined: states
      .filter(({ status }) => status === 'quarantined')
      .map((state): JsonObject => ({ id: state.id, ...reasonOf(state) })),
  };
}

async function discoverSelected(core: BrokerCore, { server }: ToolSelection): Promise<void> {
  if (server === undefined) return core.discovery.discoverAll();
  // The file may be so new that the watch has not loaded it.
  if (!core.snapshots.registry.servers.has(server)) await core.snapshots.reload();
  if (!core.snapshots.registry.servers.has(server)) throw new ProblemError([unknownServer(server, core)]);
  await core.discovery.discover(server);
}

/** Rejects a new server that fails here, or that lists other tools than a person has seen. */
function rejectChangedTools(core: BrokerCore, server: string, matchesAgreement: boolean): void {
  const seen = core.snapshots.discoveredOf(server);
  const at = core.snapshots.registry.locationOf(server, ['transport']);
  if (seen.status === 'failed') {
    const hint = 'start the broker where the server can run, with the environment variables that it needs';
    const message = `the broker cannot list the tools of server \`${server}\`: ${seen.error}`;
    throw new ProblemError([{ code: 'registry-server-unanswered', at, message, hint }]);
  }
  if (matchesAgreement) return;
  const message = `the server \`${server}\` lists other tools than the ones that were shown`;
  throw new ProblemError([{ code: 'registry-tools-changed', at, message, hint: 'run the command again' }]);
}

function selectedTools({ snapshots }: BrokerCore, { server, tool }: ToolSelection): readonly ToolState[] {
  return snapshots.catalog.states.filter(
    (state) =>
      (server === undefined || state.server === server) &&
      (tool === undefined || state.tool === tool || state.id === tool),
  );
}

/** A quarantined tool without a pin has nothing to differ from. */
function isDifferent({ status, agreed }: ToolState): boolean {
  return status !== 'active' && (status !== 'quarantined' || agreed !== undefined);
}

function reasonOf({ reason }: ToolState): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}

function unknownServer(server: string, { snapshots }: BrokerCore): Problem {
  const hint = `write one of ${[...snapshots.registry.servers.keys()].join(', ')}`;
  return { code: 'registry-unknown-server', at: '', message: `there is no server \`${server}\``, hint };
}

/** Status of every server and tool, for people and programs. */
export type RegistryView = {
  readonly servers: readonly ServerView[];
  readonly tools: readonly {
    /** Id of a tool, prompt or resource template: `tool:<server>/<tool>`, `prompt:…` or `resource:…`. */
    readonly id: string;
    readonly status: string;
    readonly risk: string;
    readonly costNanoUsd: number;
    readonly reason?: string;
  }[];
  readonly virtual: readonly VirtualView[];
  readonly findings: readonly ServerWarning[];
};

/** One virtual server, with the number of features that an agent sees that may use everything. */
type VirtualView = {
  readonly name: string;
  readonly path: string;
  readonly tools: number;
  readonly prompts: number;
  readonly resources: number;
  readonly templates: number;
};

/** Status of one server. */
type ServerView = {
  readonly name: string;
  readonly transport: string;
  /** `failed`: it cannot list its tools, or its breaker is open. */
  readonly status: string;
  readonly error?: string;
  /** Time of the first failure, ISO 8601. */
  readonly since?: string;
  readonly era?: string;
  readonly protocolVersion?: string;
} & Partial<Counts>;

type Counts = Pick<UpstreamStatus, 'breaker' | 'sessions' | 'starts' | 'failures' | 'activeCalls' | 'droppedMessages'>;

/** Status of a registry, from the discovered features of its servers and the catalog built from them. */
export function registryView(sources: {
  readonly registry: Registry;
  readonly catalog: Catalog;
  readonly upstreams: readonly UpstreamStatus[];
  discoveredOf(server: string): ServerDiscovery;
}): RegistryView {
  const { registry, catalog, upstreams } = sources;
  return {
    servers: [...registry.servers.values()].map(({ name, transport }) => {
      const upstream = upstreams.find((status) => status.name === name);
      return { name, transport: transport.type, ...serverState(sources.discoveredOf(name), upstream) };
    }),
    tools: catalog.states.map(({ kind, server, tool, id, status, reason }) => {
      const settings = registry.servers.get(server);
      const configured = kind === 'tool' ? settings?.tools.get(tool) : undefined;
      const { risk, costNanoUsd } = configured ?? settings?.unlisted ?? { risk: 'destructive', costNanoUsd: 0 };
      return { id, status, risk, costNanoUsd, ...(reason === undefined ? {} : { reason }) };
    }),
    virtual: [...registry.virtual.keys()].map((name) => virtualServerView(catalog, name)),
    findings: catalog.findings.map((finding) => ({ ...finding })),
  };
}

function virtualServerView({ viewOf }: Catalog, name: string): VirtualView {
  const features = viewOf(`virtual:${name}`)?.features;
  const count = (kind: FeatureKind): number => features?.[kind].length ?? 0;
  return {
    name,
    path: `/v/${name}/mcp`,
    tools: count('tool'),
    prompts: count('prompt'),
    resources: count('resource'),
    templates: count('template'),
  };
}

function serverState(
  observed: ServerDiscovery,
  upstream: UpstreamStatus | undefined,
): Omit<ServerView, 'name' | 'transport'> {
  const { state, error, sinceMs } = serverHealth(observed, upstream);
  return {
    status: state === 'failed' ? 'failed' : observed.status,
    ...(error === undefined ? {} : { error }),
    ...(sinceMs === undefined ? {} : { since: new Date(sinceMs).toISOString() }),
    ...(upstream?.era === undefined ? {} : { era: upstream.era }),
    ...(upstream?.protocolVersion === undefined ? {} : { protocolVersion: upstream.protocolVersion }),
    ...(upstream === undefined ? {} : upstreamCounts(upstream)),
  };
}

function upstreamCounts({ breaker, sessions, starts, failures, activeCalls, droppedMessages }: UpstreamStatus): Counts {
  return { breaker, sessions, starts, failures, activeCalls, droppedMessages };
}
