import type { Snapshot } from '../../broker/snapshot.ts';
import type { FailureMode } from '../../domain/failure-mode.ts';
import type { Principal } from '../../domain/principal.ts';
import { formatProblem, type Problem, ProblemError, readOrCollect } from '../../domain/problem.ts';
import type { AgentLookup } from '../../identity/principal.ts';
import type { Digest } from '../../lib/digest.ts';
import { errorMessage } from '../../lib/text/error-message.ts';
import type { Clock } from '../../lib/time.ts';
import { couldAllow, principalSubjects } from '../../policy/authorize.ts';
import { runSuite } from '../../policy/suite.ts';
import { couldReachThroughTemplate, isUsableTarget } from '../../policy/usable-target.ts';
import { buildCatalog, type Catalog, type ServerDiscovery, serverTarget } from '../../registry/catalog.ts';
import { type Registry, readRegistry } from '../../registry/load.ts';
import type { Lock } from '../../registry/pins/lock.ts';
import { type NewPin, type Pins, withPins } from '../../registry/pins/pin.ts';
import { isSameServer } from '../../registry/servers/settings.ts';
import type { Log } from '../../telemetry/log.ts';
import { admitTool } from '../../validation/input.ts';
import { type ControlLists, type ControlState, controlLists } from '../control-lists.ts';
import type { Settings } from '../settings.ts';
import { loadPolicyBundle, missingFiles, type PolicyBundle, readPolicyTexts } from './policy-bundle.ts';
import { registryFacts } from './registry-facts.ts';
import type { SystemEvents } from './system-events.ts';
import { ToolAlerts } from './tool-alerts.ts';

export const loadFailureModes: readonly FailureMode<'policy.rejected' | 'registry.rejected'>[] = [
  {
    control: 'policy load',
    trigger: 'a file of `policies/` does not load or disappears, or a policy test fails',
    result: 'policy.rejected',
    means: 'the active policy set stays in force; at startup the broker does not start',
    override: null,
  },
  {
    control: 'registry load',
    trigger: 'a file of `registry/` does not load',
    result: 'registry.rejected',
    means: 'the active registry stays in force; at startup the broker does not start',
    override: null,
  },
];

export interface SnapshotStoreDeps {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
  readonly controlState: ControlState;
  readonly systemEvents: SystemEvents;
  /** Saves the texts of a revision for replay. MUST NOT resolve before they are durable. */
  savePolicyTexts(revision: Digest, texts: Readonly<Record<string, string>>): Promise<void>;
  /** Saves first-seen pins. MUST NOT resolve before they are durable. */
  savePins(pins: readonly NewPin[]): Promise<void>;
}

/** Content of `registry/` and `policies/`; immutable, replaced as a whole. */
interface Files {
  readonly registry: Registry;
  readonly lock: Lock;
  readonly rules: PolicyBundle;
  readonly controls: ControlLists;
}

/**
 * Owns the active snapshot. Every change is built beside the active one, tested, persisted, then swapped; a change that
 * fails leaves the active one in force.
 */
export class SnapshotStore {
  readonly #deps: SnapshotStoreDeps;
  readonly #discovered = new Map<string, ServerDiscovery>();
  readonly #alerts: ToolAlerts;
  #files: Files;
  #pins: Pins;
  #catalog: Catalog;
  #snapshot: Snapshot;
  #onSnapshot: (snapshot: Snapshot) => void = () => {};
  /** True from a reload that failed until the next one that succeeds, which is logged as the recovery. */
  #isRejected = false;
  #lastChange: Promise<void> = Promise.resolve();

  private constructor(deps: SnapshotStoreDeps, files: Files, pins: Pins) {
    this.#deps = deps;
    this.#files = files;
    this.#pins = pins;
    this.#alerts = new ToolAlerts(deps);
    this.#catalog = buildCatalog(this.#catalogInput(files, pins));
    this.#snapshot = snapshotOf(files, this.#catalog);
  }

  /** Opens a store with its first snapshot. @throws ProblemError with every problem of every file. */
  static async open(deps: SnapshotStoreDeps, pins: Pins): Promise<SnapshotStore> {
    const files = readFiles(deps, pins);
    const store = new SnapshotStore(deps, files, pins);
    store.#logWarnings(files);
    await deps.savePolicyTexts(files.rules.revision, files.rules.texts);
    await store.#activate(files);
    return store;
  }

  /** The active snapshot. */
  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Calls `listener` with each later snapshot, before any call is decided by it. Replaces the listener before. */
  subscribe(listener: (snapshot: Snapshot) => void): void {
    this.#onSnapshot = listener;
  }

  get registry(): Registry {
    return this.#files.registry;
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  get rules(): PolicyBundle {
    return this.#files.rules;
  }

  /** Active pins: those of the lock, and those that `pin: auto` made. */
  get pins(): { readonly lock: Pins; readonly auto: Pins } {
    return { lock: this.#files.lock.pins, auto: this.#pins };
  }

  readonly agentOf: AgentLookup = (name) => this.#files.registry.agents.get(name);

  /** Features that a server last listed, or why it listed none. */
  discoveredOf(server: string): ServerDiscovery {
    return this.#discovered.get(server) ?? { status: 'not-started' };
  }

  /** Records the features that a server listed. Resolves when the snapshot with them is active. */
  recordDiscovery(server: string, discovered: ServerDiscovery): Promise<void> {
    return this.#enqueue(async () => {
      if (!this.#files.registry.servers.has(server)) return;
      const previous = this.#discovered.get(server);
      const sinceMs = (previous?.status === 'failed' ? previous.sinceMs : undefined) ?? this.#deps.clock.wallMs();
      this.#discovered.set(server, discovered.status === 'failed' ? { ...discovered, sinceMs } : discovered);
      await this.#activate(this.#files);
    });
  }

  /** Replaces the first-seen pins, after a person pinned tools in the lock or removed pins. */
  replacePins(pins: Pins): Promise<void> {
    return this.#enqueue(async () => {
      this.#pins = pins;
      await this.#activate(this.#files);
    });
  }

  /** Reads all files again. Never rejects: a problem is logged and recorded, and changes nothing. */
  reload(): Promise<void> {
    return this.#enqueue(async () => {
      let files: Files;
      try {
        files = readFiles(this.#deps, this.#pins, this.#files);
      } catch (error) {
        await this.#rejectFiles(error);
        return;
      }
      if (this.#isRejected) this.#deps.log.info('reload.recovered', { revision: files.rules.revision });
      this.#isRejected = false;
      const previous = this.#files;
      if (files.rules.revision === previous.rules.revision && files.registry.digest === previous.registry.digest)
        return;
      this.#logWarnings(files);
      await this.#deps.savePolicyTexts(files.rules.revision, files.rules.texts);
      this.#files = files;
      for (const name of this.#discovered.keys())
        if (!isSameServer(previous.registry.servers.get(name), files.registry.servers.get(name)))
          this.#discovered.delete(name);
      await this.#activate(files);
      await this.#recordApplied(previous, files);
    });
  }

  #logWarnings({ registry, lock }: Files): void {
    for (const problem of [...registry.warnings, ...lock.warnings]) {
      this.#deps.log.warn('registry.warning', { problem: formatProblem(problem) });
    }
  }

  async #recordApplied(previous: Files, now: Files): Promise<void> {
    const { systemEvents, log } = this.#deps;
    if (previous.rules.revision !== now.rules.revision) {
      log.info('policy.applied', { revision: now.rules.revision });
      await systemEvents.record({ kind: 'policy.applied', from: previous.rules.revision, to: now.rules.revision });
    }
    if (previous.registry.digest !== now.registry.digest) {
      log.info('registry.applied', { registry: now.registry.digest });
      await systemEvents.record({ kind: 'registry.applied', from: previous.registry.digest, to: now.registry.digest });
    }
  }

  async #rejectFiles(error: unknown): Promise<void> {
    this.#isRejected = true;
    const problems: readonly Problem[] =
      error instanceof ProblemError ? error.problems : [unreadableFiles(this.#deps.settings.policies)];
    for (const problem of problems) this.#deps.log.error('reload.refused', { problem: formatProblem(problem) });
    const inRegistry = problems.some(({ at }) => at.startsWith(this.#deps.settings.registry));
    await this.#deps.systemEvents.record({
      kind: inRegistry ? 'registry.rejected' : 'policy.rejected',
      problems: problems.slice(0, 20).map(({ code, at }) => ({ code, at })),
    });
  }

  /** Builds catalog and snapshot from `files` and the discovered features, saves new pins, and swaps. */
  async #activate(files: Files): Promise<void> {
    const catalog = buildCatalog({ ...this.#catalogInput(files, this.#pins), previous: this.#catalog });
    if (catalog.newPins.length > 0) {
      await this.#deps.savePins(catalog.newPins);
      this.#pins = withPins(this.#pins, catalog.newPins);
    }
    this.#catalog = catalog;
    // Compiled before the swap, so that the first call of a tool costs no more than the second.
    const { schemas } = this.#deps.controlState;
    for (const { inputSchema, outputSchema } of catalog.targets) {
      schemas.compile(inputSchema);
      if (outputSchema) schemas.compile(outputSchema);
    }
    for (const { inputSchema } of catalog.prompts) schemas.compile(inputSchema);
    this.#snapshot = snapshotOf(files, catalog);
    this.#onSnapshot(this.#snapshot);
    await this.#alerts.update(catalog);
  }

  #catalogInput(files: Files, pins: Pins): Parameters<typeof buildCatalog>[0] {
    return {
      registry: files.registry,
      lock: files.lock.pins,
      pins,
      discovered: this.#discovered,
      admit: admitTool,
      assumePinned: true,
    };
  }

  /** Runs changes one after the other: of two built in parallel, each would lack the other's half. */
  #enqueue(change: () => Promise<void>): Promise<void> {
    const done = this.#lastChange.then(change);
    this.#lastChange = done.catch((error: unknown) => {
      this.#deps.log.error('change.failed', { error: errorMessage(error) });
    });
    return this.#lastChange;
  }
}

function readFiles({ settings, clock, controlState }: SnapshotStoreDeps, pins: Pins, previous?: Files): Files {
  const problems: Problem[] = [];
  const found = readOrCollect(problems, () => readRegistry(settings.registry));
  const texts = readOrCollect(problems, () => readPolicyTexts(settings.policies));
  const rules = texts && readOrCollect(problems, () => loadPolicyBundle(texts, settings.policies));
  if (texts && previous) problems.push(...missingFiles(texts, previous.rules, settings.policies));
  if (!found || !rules || problems.length > 0) throw new ProblemError(problems);
  const known = registryFacts(found.registry, [found.lock.pins, pins]);
  const { failures } = runSuite(rules.policySet, rules.suites, { ...known, nowMs: clock.wallMs() });
  if (failures.length > 0) throw new ProblemError(failures);
  const same = previous?.rules.revision === rules.revision ? previous : undefined;
  return { ...found, rules: same?.rules ?? rules, controls: same?.controls ?? controlLists(rules, controlState) };
}

function snapshotOf({ registry, rules, controls }: Files, catalog: Catalog): Snapshot {
  const { policySet } = rules;
  const subjects = new WeakMap<Principal, readonly string[]>();
  return {
    revision: rules.revision,
    registry: registry.digest,
    ...controls,
    features: {
      tool: catalog.targets,
      prompt: catalog.prompts,
      resource: catalog.resources,
      template: catalog.templates,
    },
    isComplete: [...catalog.servers.values()].every((status) => status === 'listed'),
    resolve: catalog.resolve,
    viewOf: catalog.viewOf,
    serverOf: (name) => serverTarget(registry, name),
    // An agent removed from the registry has no subjects, even with a valid key.
    subjectsOf: (principal) => {
      let known = subjects.get(principal);
      if (known === undefined) {
        const isDeclared = registry.agents.has(principal.id.slice('agent:'.length));
        known = Object.freeze(isDeclared ? principalSubjects(policySet, principal) : []);
        subjects.set(principal, known);
      }
      return known;
    },
    isVisible: (who, target) => isUsableTarget(policySet, who, target),
    couldBeAllowed: (who, target, action) =>
      target.kind === 'template' && action !== 'complete'
        ? couldReachThroughTemplate(policySet, who, { template: target, action })
        : couldAllow(policySet, who, { target, action }),
  };
}

function unreadableFiles(at: string): Problem {
  return {
    code: 'config-unreadable',
    at,
    message: 'the files could not be read again',
    hint: 'run `seneschal policy check`',
  };
}
