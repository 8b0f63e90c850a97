import { join } from 'node:path';
import { type Problem, ProblemError } from '../domain/problem.ts';
import { replaceFileAtomically } from '../lib/durable-file.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import type { ServerDiscovery } from '../registry/catalog.ts';
import { definitionDiff } from '../registry/diff.ts';
import { LOCK_FILE, writeLock } from '../registry/lock.ts';
import { type NewPin, withoutPin, withPins } from '../registry/pin.ts';
import { pinnedId, readPinKey } from '../registry/pinned-kind.ts';
import { deleteStoredPins, loadStoredPins } from '../registry/pins-table.ts';
import type { ToolState } from '../registry/tool-state.ts';
import { pinsDigest } from './adopt/proposal.ts';
import type { BrokerCore } from './compose.ts';
import { type RegistryView, registryView } from './registry-view.ts';

/** Which tools an act is about: all, those of a server, or one. */
interface ToolSelection {
  readonly server?: string | undefined;
  readonly tool?: string | undefined;
}

/** Every server and tool as it stands, after each server was asked. */
export async function registryStatus(core: BrokerCore): Promise<RegistryView> {
  await core.discovery.discoverAll();
  const { catalog, registry } = core.snapshots;
  const discoveredOf = (server: string): ServerDiscovery => core.snapshots.discoveredOf(server);
  return registryView({ catalog, registry, upstreams: core.upstreams.status(), discoveredOf });
}

/** What was agreed and what is, of every selected tool that differs; and the servers that could not be asked. */
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
 * Writes the definitions that servers have now into `registry.lock`, and takes what is gone out of it. With `agreed` the
 * server is a new one whose definitions a person has seen: others than those are not pinned.
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
  // A file that was written a moment ago may not have been seen yet.
  if (!core.snapshots.registry.servers.has(server)) await core.snapshots.reload();
  if (!core.snapshots.registry.servers.has(server)) throw new ProblemError([unknownServer(server, core)]);
  await core.discovery.discover(server);
}

/** Refuses to pin a new server that cannot be asked here, or that lists other tools than a person has seen. */
function rejectChangedTools(core: BrokerCore, server: string, matchesAgreement: boolean): void {
  const seen = core.snapshots.discoveredOf(server);
  const at = core.snapshots.registry.locationOf(server, ['transport']);
  if (seen.status === 'failed') {
    const hint = 'start the broker where the server can run, with the variables that it needs';
    const message = `the broker cannot ask the server \`${server}\`: ${seen.error}`;
    throw new ProblemError([{ code: 'registry-server-unanswered', at, message, hint }]);
  }
  if (matchesAgreement) return;
  const message = `the server \`${server}\` lists other tools than it did a moment ago`;
  throw new ProblemError([{ code: 'registry-tools-changed', at, message, hint: 'look at its tools once more' }]);
}

function selectedTools({ snapshots }: BrokerCore, { server, tool }: ToolSelection): readonly ToolState[] {
  return snapshots.catalog.states.filter(
    (state) =>
      (server === undefined || state.server === server) &&
      (tool === undefined || state.tool === tool || state.id === tool),
  );
}

/** A tool that was never admitted and never agreed to differs from nothing. */
function isDifferent({ status, agreed }: ToolState): boolean {
  return status !== 'active' && (status !== 'quarantined' || agreed !== undefined);
}

function reasonOf({ reason }: ToolState): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}

function unknownServer(server: string, { snapshots }: BrokerCore): Problem {
  const hint = `write one of ${[...snapshots.registry.servers.keys()].join(', ')}`;
  return { code: 'registry-unknown-server', at: '', message: `no server is called \`${server}\``, hint };
}
