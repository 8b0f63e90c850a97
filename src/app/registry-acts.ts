import { join } from 'node:path';
import { type Problem, ProblemError } from '../domain/problem.ts';
import { replaceFile } from '../lib/durable-file.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import type { ObservedServer } from '../registry/catalog.ts';
import { definitionDiff } from '../registry/diff.ts';
import { LOCK_FILE, writeLock } from '../registry/lock.ts';
import { type NewPin, withoutPin, withPins } from '../registry/pin.ts';
import { pinnedId, readPinKey } from '../registry/pinned-kind.ts';
import { forgetPins, loadPins } from '../registry/pins-table.ts';
import type { ToolState } from '../registry/tool-state.ts';
import { digestOfPins } from './adopt/proposal.ts';
import type { BrokerCore } from './compose.ts';
import { type RegistryView, registryView } from './registry-view.ts';

/** Which tools an act is about: all, those of a server, or one. */
interface Selection {
  readonly server?: string | undefined;
  readonly tool?: string | undefined;
}

/** Every server and tool as it stands, after each server was asked. */
export async function registryStatus(core: BrokerCore): Promise<RegistryView> {
  await core.observer.askAll();
  const { catalog, registry } = core.standing;
  const observedOf = (server: string): ObservedServer => core.standing.observedOf(server);
  return registryView({ catalog, registry, upstreams: core.upstreams.status(), observedOf });
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

/**
 * Writes the definitions that servers have now into `registry.lock`, and takes what is gone out of it. With `agreed` the
 * server is a new one whose definitions a person has seen: others than those are not pinned.
 */
export async function pinTools(
  core: BrokerCore,
  which: Selection & { readonly by: string; readonly agreed?: string | undefined },
  signal?: AbortSignal,
): Promise<JsonValue> {
  await askSelected(core, which);
  signal?.throwIfAborted();
  const states = selected(core, which);
  const { lock } = core.standing.pins;
  const added: NewPin[] = states.flatMap(({ server, key, status, observed, observedDigest }) =>
    status === 'quarantined' || observed === undefined || observedDigest === undefined
      ? []
      : [{ server, tool: key, digest: observedDigest, definition: observed }],
  );
  if (which.server !== undefined && which.agreed !== undefined) {
    refuseOthers(core, which.server, digestOfPins(added) === which.agreed);
    await core.journal.require({ kind: 'server.added', by: which.by, server: which.server, tools: added.length });
  }
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
  replaceFile(join(core.settings.registry, LOCK_FILE), text);
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
  // A file that was written a moment ago may not have been seen yet.
  if (!core.standing.registry.servers.has(server)) await core.standing.reload();
  if (!core.standing.registry.servers.has(server)) throw new ProblemError([unknownServer(server, core)]);
  await core.observer.ask(server);
}

/** Refuses to pin a new server that cannot be asked here, or that lists other tools than a person has seen. */
function refuseOthers(core: BrokerCore, server: string, isAgreed: boolean): void {
  const seen = core.standing.observedOf(server);
  const at = core.standing.registry.placeOf(server, ['transport']);
  if (seen.status === 'failed') {
    const hint = 'start the broker where the server can run, with the variables that it needs';
    const message = `the broker cannot ask the server \`${server}\`: ${seen.error}`;
    throw new ProblemError([{ code: 'registry-server-unanswered', at, message, hint }]);
  }
  if (isAgreed) return;
  const message = `the server \`${server}\` lists other tools than it did a moment ago`;
  throw new ProblemError([{ code: 'registry-tools-changed', at, message, hint: 'look at its tools once more' }]);
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
