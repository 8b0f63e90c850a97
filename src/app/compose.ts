import { CallPipeline } from '../broker/pipeline.ts';
import type { Recorder } from '../broker/recorder.ts';
import type { Snapshot } from '../broker/snapshot.ts';
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
import type { FeaturesChangedListener, ResourceUpdatedListener } from '../upstream/server-runtime.ts';
import type { UpstreamServer } from '../upstream/session/upstream-server.ts';
import { UpstreamPool } from '../upstream/upstream-pool.ts';
import { versionStore } from '../upstream/version-store.ts';
import { SchemaCompiler } from '../validation/json-schema/compile.ts';
import type { ControlState } from './control-lists.ts';
import { MIGRATIONS } from './migrations.ts';
import { DiscoveryScheduler, toListedServer } from './runtime/discovery-scheduler.ts';
import { SnapshotStore, type SnapshotStoreDeps } from './runtime/snapshot-store.ts';
import { openSystemEvents, type SystemEvents } from './runtime/system-events.ts';
import { allowedClientCapabilities, upstreamServers } from './runtime/upstream-servers.ts';
import { homeOf, type Settings } from './settings.ts';
import { systemClock, systemIds } from './system.ts';

export interface CoreOptions {
  readonly log: Log;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Lifetime and number of suspended calls. Default of each member: `DEFAULT_SUSPENDED_CALL_LIMITS`. */
  readonly inputRequestLimits?: Partial<SuspendedCallLimits>;
  /** Calls that may be in progress at one time. Default: 1,024. */
  readonly maxCalls?: number | undefined;
}

/** Everything but the listeners. Owns the data directory until it is closed. */
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
  /** Counters of the limits. */
  readonly counters: Pick<ControlState, 'rates' | 'concurrency' | 'budgets'>;
  /** Exposed names of the tools that a declared agent may call. */
  toolsOf(agent: string): readonly string[];
  /** Waits for the calls in progress, records the stop, and releases everything. */
  close(reason: string): Promise<void>;
}

/** The stores of a data directory. */
interface Stores {
  readonly directory: DataDirectory;
  readonly database: Database;
  readonly ledger: Ledger;
  readonly callRecord: CallRecord;
  readonly checkpoint: RecoveryCheckpoint;
  readonly ids: Ids;
}

/** The next start reads the ledger from the checkpoint on: at most this much of it, and the open calls. */
const CHECKPOINT_INTERVAL_MS = 1_000;

/**
 * Opens the broker: stores, then the first snapshot, then upstreams and pipeline. The one place that picks drivers.
 * @throws ProblemError for what a person has to fix: files, settings, a data directory that is in use.
 */
export async function composeCore(settings: Settings, options: CoreOptions): Promise<BrokerCore> {
  const stores = await openStores(settings, options.log);
  try {
    return await openCore(settings, options, stores);
  } catch (error) {
    await stores.database.close();
    stores.directory.close();
    throw error;
  }
}

async function openStores(settings: Settings, log: Log): Promise<Stores> {
  const ids = systemIds();
  const directory = openDataDirectory(settings.data);
  try {
    const database = await openSqlite({
      path: directory.databasePath,
      migrations: MIGRATIONS,
      onDefect: (error) => log.error('storage.defect', { error: error.message }),
    });
    const ledger = new Ledger(database, { ids });
    const checkpoint = new RecoveryCheckpoint(database);
    const callRecord = new CallRecord(ledger, { clock: systemClock, mark: checkpoint });
    return { directory, database, ledger, checkpoint, callRecord, ids };
  } catch (error) {
    directory.close();
    throw error;
  }
}

async function openCore(settings: Settings, options: CoreOptions, stores: Stores): Promise<BrokerCore> {
  const { log, version, env } = options;
  const { database, ledger, ids } = stores;
  const clock = systemClock;
  const inDoubt = await recover(database, ledger, { clock });
  for (const { callId, target } of inDoubt) log.warn('call.in-doubt', { callId, target });

  const systemEvents = openSystemEvents({ ledger, clock, log });
  const counters = openControlState({ database, systemEvents, log, clock });
  const snapshots = await openSnapshots(settings, stores, { clock, log, systemEvents, controlState: counters });
  systemEvents.useDigestsOf(snapshots);

  const events = new UpstreamEvents();
  const upstreams = openUpstreams(snapshots, events, { settings, options, stores });
  const broker = openPipeline(snapshots.snapshot, upstreams, { options, stores });
  events.connect(snapshots, broker);
  snapshots.subscribe((snapshot) => {
    upstreams.applyServers(serversOf(snapshots, settings, options));
    broker.applySnapshot(snapshot);
  });

  await systemEvents.recordOrThrow({ kind: 'broker.started', version, pid: process.pid });
  const discovery = new DiscoveryScheduler({ snapshots, upstreams, log, nowMs: () => clock.monotonicMs() });
  const checkpointTimer = setInterval(() => stores.checkpoint.move(), CHECKPOINT_INTERVAL_MS).unref();
  return {
    settings,
    version,
    env,
    clock,
    ids,
    log,
    database,
    systemEvents,
    snapshots,
    upstreams,
    broker,
    counters,
    discovery,
    keys: new KeyStore(database, { clock, ids }),
    toolsOf: (agent) => toolsOf({ snapshots, broker }, agent),
    close: (reason) => {
      clearInterval(checkpointTimer);
      return closeCore({ broker, discovery, upstreams, systemEvents }, stores, reason);
    },
  };
}

function openSnapshots(
  settings: Settings,
  { database }: Stores,
  deps: Pick<SnapshotStoreDeps, 'clock' | 'log' | 'systemEvents' | 'controlState'>,
): Promise<SnapshotStore> {
  return SnapshotStore.open(
    {
      settings,
      clock: deps.clock,
      log: deps.log,
      systemEvents: deps.systemEvents,
      controlState: deps.controlState,
      savePolicyTexts: (revision, texts) => archivePolicy(database, revision, texts),
      savePins: (pins) => storePins(database, pins, deps.clock.wallMs()),
    },
    loadStoredPins(database),
  );
}

interface OpenOptions {
  readonly settings: Settings;
  readonly options: CoreOptions;
  readonly stores: Stores;
}

function openUpstreams(
  snapshots: SnapshotStore,
  events: UpstreamEvents,
  { settings, options, stores }: OpenOptions,
): UpstreamPool {
  return new UpstreamPool(serversOf(snapshots, settings, options), {
    clock: systemClock,
    ids: stores.ids,
    log: options.log,
    versionStore: versionStore(stores.database),
    clientInfo: { name: 'seneschal', version: options.version },
    environment: options.env,
    onFeaturesChanged: events.featuresChanged,
    onResourceUpdated: events.resourceUpdated,
  });
}

/** Upstream servers of the active registry, each with the client capabilities that the active policy allows it. */
function serversOf(
  { registry, rules }: SnapshotStore,
  settings: Settings,
  { env, log }: CoreOptions,
): readonly UpstreamServer[] {
  return upstreamServers(registry, {
    registryDir: settings.registry,
    home: homeOf(settings),
    env,
    log,
    clientCapabilitiesOf: (server) => allowedClientCapabilities(registry, rules.policySet, server),
  });
}

function openPipeline(
  snapshot: Snapshot,
  upstreams: UpstreamPool,
  { options, stores }: Pick<OpenOptions, 'options' | 'stores'>,
): CallPipeline {
  const { log, maxCalls, inputRequestLimits } = options;
  return new CallPipeline(snapshot, {
    recorder: loggingRecorder(stores.callRecord, log),
    upstreams,
    clock: systemClock,
    ids: stores.ids,
    log,
    suspendedCallLimits: inputRequestLimits,
    maxCalls,
  });
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
  // Draining ends suspended calls at once, and closing the upstreams ends the calls of a tool server that hangs.
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

/** Wraps a recorder: logs one line for each call when its record is durable. */
function loggingRecorder(recorder: Recorder, log: Log): Recorder {
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

/** Receiver of resource updates: the pipeline. */
interface ResourceUpdates {
  resourceUpdated: ResourceUpdatedListener;
}

/**
 * Hands the events of tool servers on. It exists before the upstream pool, which needs its listeners, and before the
 * pipeline, which needs the pool. No session is open before `connect`, so that no event is lost.
 */
class UpstreamEvents {
  #snapshots: SnapshotStore | undefined;
  #updates: ResourceUpdates | undefined;

  /** Names the receivers. To be called once, before the first session opens. */
  connect(snapshots: SnapshotStore, updates: ResourceUpdates): void {
    this.#snapshots = snapshots;
    this.#updates = updates;
  }

  /** A session listed other features than were known, or could list none. */
  readonly featuresChanged: FeaturesChangedListener = (server, change) =>
    void this.#snapshots?.recordDiscovery(
      server,
      'error' in change ? { status: 'failed', error: change.error } : toListedServer(change),
    );

  /** A resource changed that principals are subscribed to. */
  readonly resourceUpdated: ResourceUpdatedListener = (server, uri, principalIds) =>
    this.#updates?.resourceUpdated(server, uri, principalIds);
}
