import { GovernedBroker } from '../broker/governed-broker.ts';
import { KeyStore } from '../identity/key-store.ts';
import { principalOfOsUser } from '../identity/os-user.ts';
import { Ledger } from '../ledger/append.ts';
import { CallRecord } from '../ledger/call-record.ts';
import { keepPolicy } from '../ledger/policy-archive.ts';
import { recover } from '../ledger/recover.ts';
import { RecoveryMark } from '../ledger/recovery-mark.ts';
import type { Clock } from '../lib/clock.ts';
import type { Ids } from '../lib/ids.ts';
import type { JsonObject } from '../lib/json.ts';
import { createBudgetState } from '../limits/budget-state.ts';
import { budgetTable } from '../limits/budget-table.ts';
import { createConcurrencyState } from '../limits/concurrency-state.ts';
import { createRateState } from '../limits/rate-state.ts';
import { DEFAULT_SUSPENSION_LIMITS, type SuspensionLimits, Suspensions } from '../questions/suspensions.ts';
import { loadPins, savePins } from '../registry/pins-table.ts';
import { type DataDirectory, openDataDirectory } from '../storage/data-directory.ts';
import type { Database } from '../storage/database.ts';
import { openSqlite } from '../storage/sqlite.ts';
import type { Log } from '../telemetry/log.ts';
import { UpstreamPool } from '../upstream/upstream-pool.ts';
import { SchemaCompiler } from '../validation/compile.ts';
import type { ChainState } from './chain.ts';
import { eraTable } from './era-table.ts';
import { type Journal, openJournal } from './journal.ts';
import { MIGRATIONS } from './migrations.ts';
import { listedServer, Observer } from './observer.ts';
import { serverAsks } from './server-asks.ts';
import { homeOf, type Settings } from './settings.ts';
import { Standing } from './standing.ts';
import { systemClock, systemIds } from './system.ts';
import { upstreamServers } from './upstream-servers.ts';
import { watchedRecorder } from './watched-recorder.ts';

/** What a core is opened with. */
export interface CoreOptions {
  readonly log: Log;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default: `DEFAULT_SUSPENSION_LIMITS`. */
  readonly questions?: Partial<SuspensionLimits>;
  /** Calls that may be under way at one time. Default: 1,024. */
  readonly maxCalls?: number | undefined;
}

/** Everything but the doors: what governs. Owns the data directory until it is closed. */
export interface BrokerCore extends CoreOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly journal: Journal;
  readonly keys: KeyStore;
  readonly standing: Standing;
  readonly upstreams: UpstreamPool;
  readonly observer: Observer;
  readonly broker: GovernedBroker;
  /** What limits have counted. */
  readonly counters: Pick<ChainState, 'rates' | 'concurrency' | 'budgets'>;
  /** Exposed names of the tools that a declared agent may call. */
  toolsOf(agent: string): readonly string[];
  /** Waits for the calls under way, records the stop, and lets go of everything. */
  close(why: string): Promise<void>;
}

/** The books and counters of a data directory. */
interface Shelves {
  readonly directory: DataDirectory;
  readonly database: Database;
  readonly ledger: Ledger;
  readonly record: CallRecord;
  readonly mark: RecoveryMark;
}

/** How often the mark moves from which the next start reads the ledger: so much of it, and what is open, is read. */
const MOVE_MARK_MS = 1_000;

/**
 * Opens the broker: data directory, ledger, files, back door, hall. The one place that picks drivers.
 * @throws ProblemError for what a person has to mend: files, settings, a data directory that is in use.
 */
export async function openCore(settings: Settings, options: CoreOptions): Promise<BrokerCore> {
  const ids = systemIds();
  const shelves = await openShelves(settings, { ...options, ids });
  try {
    return await openHall(settings, options, { ...shelves, ids });
  } catch (error) {
    await shelves.database.close();
    shelves.directory.close();
    throw error;
  }
}

async function openShelves(settings: Settings, { log, ids }: CoreOptions & { readonly ids: Ids }): Promise<Shelves> {
  const directory = openDataDirectory(settings.data);
  try {
    const database = await openSqlite({
      path: directory.databasePath,
      migrations: MIGRATIONS,
      onDefect: (error) => log.error('storage.defect', { error: error.message }),
    });
    const ledger = new Ledger(database, { ids });
    const mark = new RecoveryMark(database);
    return { directory, database, ledger, mark, record: new CallRecord(ledger, { clock: systemClock, mark }) };
  } catch (error) {
    directory.close();
    throw error;
  }
}

async function openHall(
  settings: Settings,
  options: CoreOptions,
  shelves: Shelves & { readonly ids: Ids },
): Promise<BrokerCore> {
  const { log } = options;
  const { database, ledger, ids } = shelves;
  const clock = systemClock;
  const inDoubt = await recover(database, ledger, { clock });
  for (const { callId, target } of inDoubt) log.warn('call.in-doubt', { callId, target });
  let standing: Standing | undefined;
  let broker: GovernedBroker | undefined;
  const journal = openJournal({
    ...{ ledger, clock, log },
    inForce: () => ({ revision: standing?.rules.revision ?? null, registry: standing?.registry.digest ?? null }),
  });
  const upstreams = new UpstreamPool([], {
    ...{ clock, ids, log },
    eraMemory: eraTable(database),
    clientInfo: { name: 'seneschal', version: options.version },
    environment: options.env,
    onToolsChanged: (server, change) =>
      void standing?.observe(
        server,
        'error' in change ? { status: 'failed', error: change.error } : listedServer(change),
      ),
    onResourceUpdated: (server, uri, principalIds) => broker?.resourceUpdated(server, uri, principalIds),
  });
  const recorder = watchedRecorder(shelves.record, log);
  const surroundings = { registryDir: settings.registry, home: homeOf(settings), env: options.env, log };
  const suspensions = new Suspensions({ clock, ids }, { ...DEFAULT_SUSPENSION_LIMITS, ...options.questions });
  const counters = chainState({ database, journal, log, clock });
  standing = await Standing.open(
    {
      ...{ settings, clock, log, journal },
      chainState: counters,
      keepTexts: (revision, texts) => keepPolicy(database, revision, texts),
      savePins: (pins) => savePins(database, pins, clock.wallMs()),
      onWorld: (world, registry, { policySet }) => {
        const asksOf = (server: string): JsonObject => serverAsks(registry, policySet, server);
        upstreams.applyServers(upstreamServers(registry, { ...surroundings, asksOf }));
        if (broker) broker.changeWorld(world);
        else
          broker = new GovernedBroker(world, {
            ...{ recorder, clock, ids, log, maxCalls: options.maxCalls },
            dispatch: (call, how) => upstreams.dispatch(call, how),
            suspensions,
            rootsChanged: (principalId, session) => upstreams.rootsChanged(principalId, session),
            unsubscribe: (principalId, target) => upstreams.unsubscribe(principalId, target),
          });
      },
    },
    loadPins(database),
  );
  if (!broker) throw new Error('no world was put in force');
  await journal.require({ kind: 'broker.started', version: options.version, pid: process.pid });
  const { version, env } = options;
  const opened = {
    ...{ settings, version, env, clock, ids, log, database, journal, standing, upstreams, broker, counters },
  };
  const observer = new Observer({ ...opened, nowMs: () => clock.monotonicMs() });
  const moving = setInterval(() => shelves.mark.move(), MOVE_MARK_MS).unref();
  return {
    ...opened,
    observer,
    keys: new KeyStore(database, { clock, ids }),
    toolsOf: (agent) => toolsOf(opened, agent),
    close: (why) => {
      clearInterval(moving);
      return closeCore({ ...opened, observer }, shelves, why);
    },
  };
}

function chainState(parts: {
  readonly database: Database;
  readonly journal: Journal;
  readonly log: Log;
  readonly clock: Clock;
}): ChainState {
  const { database, journal, log, clock } = parts;
  return {
    clock,
    rates: createRateState(),
    concurrency: createConcurrencyState(),
    budgets: createBudgetState({
      store: budgetTable(database),
      clock,
      onClockJump: ({ offsetMs }) => {
        log.warn('clock.jumped', { offsetMs });
        void journal.note({ kind: 'clock.jumped', offsetMs });
      },
    }),
    schemas: new SchemaCompiler(),
    onSoftLimit: ({ rule, subject, window, usedCalls, usedNanoUsd, sharePercent }) => {
      const told = { rule, subject, window, usedCalls, usedNanoUsd, sharePercent };
      log.warn('limit.warned', told);
      void journal.note({ kind: 'limit.warned', ...told });
    },
  };
}

function toolsOf({ standing, broker }: Pick<BrokerCore, 'standing' | 'broker'>, agent: string): readonly string[] {
  const principal = principalOfOsUser(agent, process.getuid?.() ?? 0, standing.agentOf);
  return principal
    ? broker.list(principal, 'tool').offers.flatMap(({ name }) => (typeof name === 'string' ? name : []))
    : [];
}

async function closeCore(
  { broker, observer, upstreams, journal }: Pick<BrokerCore, 'broker' | 'observer' | 'upstreams' | 'journal'>,
  { database, directory, record, mark }: Shelves,
  why: string,
): Promise<void> {
  observer.stop();
  // Ends what waits for answers at once. Losing a call's upstream is an outcome like another, so that draining ends even
  // when a tool server hangs.
  const drained = broker.drain();
  await upstreams.close();
  await drained;
  await record.flush().catch(() => {});
  mark.move();
  await journal.note({ kind: 'broker.stopped', why });
  try {
    await database.close();
  } finally {
    directory.close();
  }
}
