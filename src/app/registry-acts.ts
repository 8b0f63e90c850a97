import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Problem, ProblemError } from '../domain/problem.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import { definitionDiff } from '../registry/diff.ts';
import { LOCK_FILE, writeLock } from '../registry/lock.ts';
import { type NewPin, withoutPin, withPins } from '../registry/pin.ts';
import { pinnedId, readPinKey } from '../registry/pinned-kind.ts';
import { forgetPins, loadPins } from '../registry/pins-table.ts';
import type { ToolState } from '../registry/tool-state.ts';
import type { BrokerCore } from './compose.ts';

/** Which tools an act is about: all, those of a server, or one. */
interface Selection {
  readonly server?: string | undefined;
  readonly tool?: string | undefined;
}

/** Every server and tool as it stands, after each server was asked. */
export async function registryStatus(core: BrokerCore): Promise<JsonValue> {
  await core.observer.askAll();
  const { catalog, registry } = core.standing;
  return {
    servers: [...registry.servers.values()].map(({ name, transport }) => {
      const seen = core.standing.observedOf(name);
      const upstream = core.upstreams.status().find((status) => status.name === name);
      return {
        name,
        transport: transport.type,
        status: seen.status,
        ...(seen.status === 'failed' ? { error: seen.error } : {}),
        ...(upstream?.era === undefined ? {} : { era: upstream.era }),
        ...(upstream?.protocolVersion === undefined ? {} : { protocolVersion: upstream.protocolVersion }),
      };
    }),
    tools: catalog.states.map((state) => {
      const settings = registry.servers.get(state.server);
      const spoken = state.kind === 'tool' ? settings?.tools.get(state.tool) : undefined;
      const { risk, costNanoUsd } = spoken ?? settings?.unlisted ?? { risk: 'destructive', costNanoUsd: 0 };
      return { id: state.id, status: state.status, risk, costNanoUsd, ...reasonOf(state) };
    }),
    findings: catalog.findings.map(({ server, message }) => ({ server, message })),
  };
}

/** What was agreed and what is, of every selected tool that differs; and the servers that could not be asked. */
export async function registryDifferences(core: BrokerCore, which: Selection): Promise<JsonValue> {
  await askSelected(core, which);
  const servers = which.server === undefined ? [...core.standing.registry.servers.keys()] : [which.server];
  return {
    failed: servers.flatMap((server) => {
      const seen = core.standing.observedOf(server);
      return seen.status === 'failed' ? [{ server, error: seen.error }] : [];
    }),
    tools: selected(core, which)
      .filter(differs)
      .map((state) => ({
        id: state.id,
        status: state.status,
        ...reasonOf(state),
        changes: definitionDiff(state.agreed ?? {}, state.observed ?? {}).map((change) => ({ ...change })),
      })),
  };
}

/** Writes the definitions that servers have now into `registry.lock`, and takes what is gone out of it. */
export async function pinTools(core: BrokerCore, which: Selection & { readonly by: string }): Promise<JsonValue> {
  await askSelected(core, which);
  const states = selected(core, which);
  const { lock } = core.standing.pins;
  const added: NewPin[] = states.flatMap(({ server, key, status, observed, observedDigest }) =>
    status === 'quarantined' || observed === undefined || observedDigest === undefined
      ? []
      : [{ server, tool: key, digest: observedDigest, definition: observed }],
  );
  const gone = states.filter(
    ({ server, status }) => status === 'missing' && core.standing.observedOf(server).status === 'listed',
  );
  let pins = withPins(lock, added);
  for (const { server, key } of gone) pins = withoutPin(pins, server, key);
  const text = writeLock(pins);
  const changed = states.filter(
    (state) => state.status !== 'active' || lock.get(state.server)?.get(state.key) === undefined,
  );
  for (const { id, agreedDigest, observedDigest } of [...changed].filter(({ status }) => status !== 'quarantined')) {
    await core.journal.require({
      kind: 'tool.pinned',
      by: which.by,
      tool: id,
      ...(agreedDigest === undefined ? {} : { from: agreedDigest }),
      ...(observedDigest === undefined ? {} : { to: observedDigest }),
    });
  }
  const path = join(core.settings.registry, LOCK_FILE);
  // Written beside and renamed, so that a reader never sees half a lock.
  const beside = join(core.settings.registry, `.${LOCK_FILE}.new`);
  writeFileSync(beside, text);
  renameSync(beside, path);
  for (const { server, tool } of added) await forgetPins(core.database, server, tool);
  for (const { server, key } of gone) await forgetPins(core.database, server, key);
  await core.standing.replacePins(loadPins(core.database));
  await core.standing.reload();
  return {
    pinned: added.map(({ server, tool }) => pinnedId(server, readPinKey(tool))),
    removed: gone.map(({ id }) => id),
    quarantined: states
      .filter(({ status }) => status === 'quarantined')
      .map((state): JsonObject => ({ id: state.id, ...reasonOf(state) })),
  };
}

async function askSelected(core: BrokerCore, { server }: Selection): Promise<void> {
  if (server === undefined) return core.observer.askAll();
  if (!core.standing.registry.servers.has(server)) throw new ProblemError([unknownServer(server, core)]);
  await core.observer.ask(server);
}

function selected({ standing }: BrokerCore, { server, tool }: Selection): readonly ToolState[] {
  return standing.catalog.states.filter(
    (state) =>
      (server === undefined || state.server === server) &&
      (tool === undefined || state.tool === tool || state.id === tool),
  );
}

/** A tool that was never admitted and never agreed to differs from nothing. */
function differs({ status, agreed }: ToolState): boolean {
  return status !== 'active' && (status !== 'quarantined' || agreed !== undefined);
}

function reasonOf({ reason }: ToolState): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}

function unknownServer(server: string, { standing }: BrokerCore): Problem {
  const hint = `write one of ${[...standing.registry.servers.keys()].join(', ')}`;
  return { code: 'registry-unknown-server', at: '', message: `no server is called \`${server}\``, hint };
}
