import { CallPipeline } from '../broker/pipeline.ts';
import type { Recorder } from '../broker/recorder.ts';
import type { Call } from '../domain/call.ts';
import type { Outcome } from '../domain/outcome.ts';
import { KeyStore } from '../identity/api-keys.ts';
import { principalForOsUser } from '../identity/principal.ts';
import type { SuspendedCallLimits } from '../input-required/suspended-call-store.ts';
import { CallRecord } from '../ledger/call-record.ts';
import { Ledger } from '../ledger/ledger.ts';
import { archivePolicy } from '../ledger/policy-archive.ts';
import { recover } from '../ledger/recover.ts';
import { RecoveryCheckpoint } from '../ledger/recovery-checkpoint.ts';
import type { Ids } from '../lib/ids.ts';
import type { JsonObject } from '../lib/json/json.ts';
import type { Clock } from '../lib/time.ts';
import { createBudgetState } from '../limits/budget/state.ts';
import { createBudgetStore } from '../limits/budget/store.ts';
import { createConcurrencyState } from '../limits/concurrency.ts';
import { createRateState } from '../limits/rate.ts';
import { loadStoredPins, storePins } from '../registry/pins/stored-pins.ts';
import { type DataDirectory, openDataDirectory } from '../storage/data-directory.ts';
import type { Database } from '../storage/database.ts';
import { openSqlite } from '../storage/sqlite.ts';
import type { Log } from '../telemetry/log.ts';
import { UpstreamPool } from '../upstream/upstream-pool.ts';
import { versionStore } from '../upstream/version-store.ts';
import { SchemaCompiler } from '../validation/json-schema/compile.ts';
import type { ControlState } from './control-lists.ts';
import { MIGRATIONS } from './migrations.ts';
import { DiscoveryScheduler, toListedServer } from './runtime/discovery-scheduler.ts';
import { SnapshotStore } from './runtime/snapshot-store.ts';
import { openSystemEvents, type SystemEvents } from './runtime/system-events.ts';
import { allowedClientCapabilities, upstreamServers } from './runtime/upstream-servers.ts';
import { homeOf, type Settings } from './settings.ts';
import { systemClock, systemIds } from './system.ts';

/** What a core is opened with. */
export interface CoreOptions {
  readonly log: Log;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default: `DEFAULT_SUSPENSION_LIMITS`. */
  readonly inputRequestLimits?: Partial<SuspendedCallLimits>;
  /** Calls that may be under way at one time. Default: 1,024. */
  readonly maxCalls?: number | undefined;
}

/** Everything but the doors: what governs. Owns the data directory until it is closed. */
export interface BrokerCore extends CoreOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly systemEvents: SystemEvents;
  readonly keys: KeyStore;
  readonly snapshots: SnapshotStore;
  readonly upstreams: UpstreamPool;
  readonly discovery: DiscoveryScheduler;
  readonly broker: CallPipeline;
  /** What limits have counted. */
  readonly counters: Pick<ControlState, 'rates' | 'concurrency' | 'budgets'>;
  /** Exposed names of the tools that a declared agent may call. */
  toolsOf(agent: string): readonly string[];
  /** Waits for the calls under way, records the stop, and lets go of everything. */
  close(reason: string): Promise<void>;
}

/** The books and counters of a data directory. */
interface Stores {
  readonly directory: DataDirectory;
  readonly database: Database;
  readonly ledger: Ledger;
  readonly callRecord: CallRecord;
  readonly checkpoint: RecoveryCheckpoint;
}

/** How often the mark moves from which the next start reads the ledger: so much of it, and what is open, is read. */
const CHECKPOINT_INTERVAL_MS = 1_000;

/**
 * Opens the broker: data directory, ledger, files, back door, hall. The one place that picks drivers.
 * @throws ProblemError for what a person has to mend: files, settings, a data directory that is in use.
 */
export async function composeCore(settings: Settings, options: CoreOptions): Promise<BrokerCore> {
  const ids = systemIds();
  const stores = await openStores(settings, { ...options, ids });
  try {
    return await openPipeline(settings, options, { ...stores, ids });
  } catch (error) {
    await stores.database.close();
    stores.directory.close();
    throw error;
  }
}

async function openStores(settings: Settings, { log, ids }: CoreOptions & { readonly ids: Ids }): Promise<Stores> {
  const directory = openDataDirectory(settings.data);
  try {
    const database = await openSqlite({
      path: directory.databasePath,
      migrations: MIGRATIONS,
      onDefect: (error) => log.error('storage.defect', { error: error.message }),
    });
    const ledger = new Ledger(database, { ids });
    const checkpoint = new RecoveryCheckpoint(database);
    return {
      directory,
      database,
      ledger,
      checkpoint,
      callRecord: new CallRecord(ledger, { clock: systemClock, mark: checkpoint }),
    };
  } catch (error) {
    directory.close();
    throw error;
  }
}

async function openPipeline(
  settings: Settings,
  options: CoreOptions,
  stores: Stores & { readonly ids: Ids },
): Promise<BrokerCore> {
  const { log } = options;
  const { database, ledger, ids } = stores;
  const clock = systemClock;
  const inDoubt = await recover(database, ledger, { clock });
  for (const { callId, target } of inDoubt) log.warn('call.in-doubt', { callId, target });
  let snapshots: SnapshotStore | undefined;
  let broker: CallPipeline | undefined;
  const systemEvents = openSystemEvents({
    ...{ ledger, clock, log },
    activeDigests: () => ({
      revision: snapshots?.rules.revision ?? null,
      registry: snapshots?.registry.digest ?? null,
    }),
  });
  const upstreams = new UpstreamPool([], {
    ...{ clock, ids, log },
    versionStore: versionStore(database),
    clientInfo: { name: 'seneschal', version: options.version },
    environment: options.env,
    onFeaturesChanged: (server, change) =>
      void snapshots?.recordDiscovery(
        server,
        'error' in change ? { status: 'failed', error: change.error } : toListedServer(change),
      ),
    onResourceUpdated: (server, uri, principalIds) => broker?.resourceUpdated(server, uri, principalIds),
  });
  const recorder = loggingRecorder(stores.callRecord, log);
  const upstreamContext = { registryDir: settings.registry, home: homeOf(settings), env: options.env, log };
  const counters = openControlState({ database, systemEvents, log, clock });
  snapshots = await SnapshotStore.open(
    {
      ...{ settings, clock, log, systemEvents },
      controlState: counters,
      savePolicyTexts: (revision, texts) => archivePolicy(database, revision, texts),
      savePins: (pins) => storePins(database, pins, clock.wallMs()),
      onSnapshot: (snapshot, registry, { policySet }) => {
        const clientCapabilitiesOf = (server: string): JsonObject =>
          allowedClientCapabilities(registry, policySet, server);
        upstreams.applyServers(upstreamServers(registry, { ...upstreamContext, clientCapabilitiesOf }));
        if (broker) broker.applySnapshot(snapshot);
        else
          broker = new CallPipeline(snapshot, {
            recorder,
            upstreams,
            clock,
            ids,
            log,
            suspendedCallLimits: options.inputRequestLimits,
            maxCalls: options.maxCalls,
          });
      },
    },
    loadStoredPins(database),
  );
  if (!broker) throw new Error('no world was put in force');
  await systemEvents.recordOrThrow({ kind: 'broker.started', version: options.version, pid: process.pid });
  const { version, env } = options;
  const opened = {
    ...{ settings, version, env, clock, ids, log, database, systemEvents, snapshots, upstreams, broker, counters },
  };
  const discovery = new DiscoveryScheduler({ ...opened, nowMs: () => clock.monotonicMs() });
  const checkpointTimer = setInterval(() => stores.checkpoint.move(), CHECKPOINT_INTERVAL_MS).unref();
  return {
    ...opened,
    discovery,
    keys: new KeyStore(database, { clock, ids }),
    toolsOf: (agent) => toolsOf(opened, agent),
    close: (reason) => {
      clearInterval(checkpointTimer);
      return closeCore({ ...opened, discovery }, stores, reason);
    },
  };
}

function openControlState(deps: {
  readonly database: Database;
  readonly systemEvents: SystemEvents;
  readonly log: Log;
  readonly clock: Clock;
}): ControlState {
  const { database, systemEvents, log, clock } = deps;
  return {
    clock,
    rates: createRateState(),
    concurrency: createConcurrencyState(),
    budgets: createBudgetState({
      store: createBudgetStore(database),
      clock,
      onClockJump: ({ offsetMs }) => {
        log.warn('clock.jumped', { offsetMs });
        void systemEvents.record({ kind: 'clock.jumped', offsetMs });
      },
    }),
    schemas: new SchemaCompiler(),
    onSoftLimit: ({ rule, subject, window, usedCalls, usedNanoUsd, sharePercent }) => {
      const warning = { rule, subject, window, usedCalls, usedNanoUsd, sharePercent };
      log.warn('limit.warned', warning);
      void systemEvents.record({ kind: 'limit.warned', ...warning });
    },
  };
}

function toolsOf({ snapshots, broker }: Pick<BrokerCore, 'snapshots' | 'broker'>, agent: string): readonly string[] {
  const principal = principalForOsUser(agent, process.getuid?.() ?? 0, snapshots.agentOf);
  return principal
    ? broker.visibleLists
        .list(principal, 'tool')
        .definitions.flatMap(({ name }) => (typeof name === 'string' ? name : []))
    : [];
}

async function closeCore(
  {
    broker,
    discovery,
    upstreams,
    systemEvents,
  }: Pick<BrokerCore, 'broker' | 'discovery' | 'upstreams' | 'systemEvents'>,
  { database, directory, callRecord, checkpoint }: Stores,
  reason: string,
): Promise<void> {
  discovery.stop();
  // Ends what waits for answers at once. Losing a call's upstream is an outcome like another, so that draining ends even
  // when a tool server hangs.
  const drained = broker.drain();
  await upstreams.close();
  await drained;
  await callRecord.flush().catch(() => {});
  checkpoint.move();
  await systemEvents.record({ kind: 'broker.stopped', why: reason });
  try {
    await database.close();
  } finally {
    directory.close();
  }
}

/** The recorder, and one log line for each call when its record is durable: what an operator watches. */
export function loggingRecorder(recorder: Recorder, log: Log): Recorder {
  const logCall = (call: Call, outcome: Outcome, durationMs?: number): void => {
    log.info(`call.${outcome.kind}`, {
      principal: call.principal.id,
      target: call.target.id,
      ...('reason' in outcome ? { reason: outcome.reason } : {}),
      ...(outcome.kind === 'refused' && outcome.rule !== undefined ? { rule: outcome.rule } : {}),
      ...(durationMs === undefined ? {} : { durationMs }),
      callId: call.id,
    });
  };
  return {
    admitted: (decided) => recorder.admitted(decided),
    refused: async (decided, refusal) => {
      await recorder.refused(decided, refusal);
      logCall(decided.call, refusal);
    },
    closed: async (ended) => {
      await recorder.closed(ended);
      logCall(ended.call, ended.outcome, ended.durationMs);
    },
    malformed: (message) => recorder.malformed(message),
  };
}
