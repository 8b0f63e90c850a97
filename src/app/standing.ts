import type { World } from '../broker/world.ts';
import type { PostureRow } from '../domain/posture.ts';
import type { Principal } from '../domain/principal.ts';
import { formatProblem, type Problem, ProblemError, readOrCollect } from '../domain/problem.ts';
import type { AgentLookup } from '../identity/mint-principal.ts';
import type { Clock } from '../lib/clock.ts';
import type { Digest } from '../lib/digest.ts';
import { thrownText } from '../lib/thrown-text.ts';
import { mayEverReach, principalSubjects } from '../policy/authorize.ts';
import { mayEverReachBy, mayEverUse } from '../policy/may-ever-use.ts';
import { runSuite } from '../policy/suite.ts';
import { buildCatalog, type Catalog, type ObservedServer } from '../registry/catalog.ts';
import type { Registry } from '../registry/load.ts';
import type { Lock } from '../registry/lock.ts';
import { type NewPin, type Pins, withPins } from '../registry/pin.ts';
import { isSameServer } from '../registry/server-settings.ts';
import { serverTarget } from '../registry/server-target.ts';
import type { Log } from '../telemetry/log.ts';
import { admitTool } from '../validation/tool-schemas.ts';
import { type Chain, type ChainState, chainOf } from './chain.ts';
import type { Journal } from './journal.ts';
import { knownOf, readRegistry } from './known-registry.ts';
import { goneFiles, loadRules, type Rules, readRuleTexts } from './rules.ts';
import type { Settings } from './settings.ts';
import { ToolAlarms } from './tool-alarms.ts';

export const loadPostures: readonly PostureRow<'policy.rejected' | 'registry.rejected'>[] = [
  {
    guard: 'policy load',
    when: 'a file of `policies/` does not load, vanishes alone, or a policy test fails',
    yields: 'policy.rejected',
    means: 'the set before stays in force; at a start the broker does not start',
    opens: null,
  },
  {
    guard: 'registry load',
    when: 'a file of `registry/` does not load',
    yields: 'registry.rejected',
    means: 'the set before stays in force; at a start the broker does not start',
    opens: null,
  },
];

/** What the standing needs from the rooms. */
export interface StandingParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
  readonly chainState: ChainState;
  readonly journal: Journal;
  /** Keeps the texts of a revision for replay; MUST NOT resolve before they are durable. */
  keepTexts(revision: Digest, texts: Readonly<Record<string, string>>): Promise<void>;
  /** Makes first-seen pins durable. */
  savePins(pins: readonly NewPin[]): Promise<void>;
  /** Told of each world before any call is judged by it. */
  onWorld(world: World, registry: Registry, rules: Rules): void;
}

/** What was read from files; immutable, replaced as a whole. */
interface Files {
  readonly registry: Registry;
  readonly lock: Lock;
  readonly rules: Rules;
  readonly chain: Chain;
}

/**
 * What holds now: the world that calls are judged by, and the only way to replace it. Every change is built beside the
 * old one, tested, made durable, and then swapped; one that fails leaves the old one in force.
 */
export class Standing {
  readonly #parts: StandingParts;
  readonly #observed = new Map<string, ObservedServer>();
  readonly #alarms: ToolAlarms;
  #files: Files;
  #pins: Pins;
  #catalog: Catalog;
  /** Whether the files as they lie there now were refused, so that an operator waits for the all-clear. */
  #isRefused = false;
  #changes: Promise<void> = Promise.resolve();

  private constructor(parts: StandingParts, files: Files, pins: Pins) {
    this.#parts = parts;
    this.#files = files;
    this.#pins = pins;
    this.#alarms = new ToolAlarms(parts);
    this.#catalog = buildCatalog(this.#catalogInput(files, pins));
  }

  /** Reads and tests everything. @throws ProblemError with every problem of every file. */
  static async open(parts: StandingParts, pins: Pins): Promise<Standing> {
    const files = readFiles(parts, pins);
    const standing = new Standing(parts, files, pins);
    standing.#warnOf(files);
    await parts.keepTexts(files.rules.revision, files.rules.texts);
    await standing.#putInForce(files);
    return standing;
  }

  get registry(): Registry {
    return this.#files.registry;
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  get rules(): Rules {
    return this.#files.rules;
  }

  /** Pins in force: those of the lock, and those that `pin: auto` made. */
  get pins(): { readonly lock: Pins; readonly auto: Pins } {
    return { lock: this.#files.lock.pins, auto: this.#pins };
  }

  readonly agentOf: AgentLookup = (name) => this.#files.registry.agents.get(name);

  /** What each server was last seen to offer, or why it offers nothing. */
  observedOf(server: string): ObservedServer {
    return this.#observed.get(server) ?? { status: 'not-started' };
  }

  /** Takes note of what a server offers now. Resolves when the world that follows from it is in force. */
  observe(server: string, seen: ObservedServer): Promise<void> {
    return this.#change(async () => {
      if (!this.#files.registry.servers.has(server)) return;
      const before = this.#observed.get(server);
      const sinceMs = (before?.status === 'failed' ? before.sinceMs : undefined) ?? this.#parts.clock.wallMs();
      this.#observed.set(server, seen.status === 'failed' ? { ...seen, sinceMs } : seen);
      await this.#putInForce(this.#files);
    });
  }

  /** Forgets the first-seen pins of tools that a person has pinned by the lock or wants to see anew. */
  replacePins(pins: Pins): Promise<void> {
    return this.#change(async () => {
      this.#pins = pins;
      await this.#putInForce(this.#files);
    });
  }

  /** Reads all files again. Never rejects: what is wrong is said, recorded, and changes nothing. */
  reload(): Promise<void> {
    return this.#change(async () => {
      let files: Files;
      try {
        files = readFiles(this.#parts, this.#pins, this.#files);
      } catch (error) {
        await this.#refuseFiles(error);
        return;
      }
      if (this.#isRefused) this.#parts.log.info('reload.mended', { revision: files.rules.revision });
      this.#isRefused = false;
      const before = this.#files;
      if (files.rules.revision === before.rules.revision && files.registry.digest === before.registry.digest) return;
      this.#warnOf(files);
      await this.#parts.keepTexts(files.rules.revision, files.rules.texts);
      this.#files = files;
      const [old, now] = [before.registry.servers, files.registry.servers];
      for (const name of this.#observed.keys())
        if (!isSameServer(old.get(name), now.get(name))) this.#observed.delete(name);
      await this.#putInForce(files);
      await this.#noteApplied(before, files);
    });
  }

  #warnOf({ registry, lock }: Files): void {
    for (const problem of [...registry.warnings, ...lock.warnings]) {
      this.#parts.log.warn('registry.warning', { problem: formatProblem(problem) });
    }
  }

  async #noteApplied(before: Files, now: Files): Promise<void> {
    const { journal, log } = this.#parts;
    if (before.rules.revision !== now.rules.revision) {
      log.info('policy.applied', { revision: now.rules.revision });
      await journal.note({ kind: 'policy.applied', from: before.rules.revision, to: now.rules.revision });
    }
    if (before.registry.digest !== now.registry.digest) {
      log.info('registry.applied', { registry: now.registry.digest });
      await journal.note({ kind: 'registry.applied', from: before.registry.digest, to: now.registry.digest });
    }
  }

  async #refuseFiles(error: unknown): Promise<void> {
    this.#isRefused = true;
    const problems: readonly Problem[] =
      error instanceof ProblemError ? error.problems : [unexpected(this.#parts.settings.policies)];
    for (const problem of problems) this.#parts.log.error('reload.refused', { problem: formatProblem(problem) });
    const inRegistry = problems.some(({ at }) => at.startsWith(this.#parts.settings.registry));
    await this.#parts.journal.note({
      kind: inRegistry ? 'registry.rejected' : 'policy.rejected',
      problems: problems.slice(0, 20).map(({ code, at }) => ({ code, at })),
    });
  }

  /** Builds catalog and world of `files` and what was observed, makes new pins durable, and swaps. */
  async #putInForce(files: Files): Promise<void> {
    const catalog = buildCatalog({ ...this.#catalogInput(files, this.#pins), previous: this.#catalog });
    if (catalog.newPins.length > 0) {
      await this.#parts.savePins(catalog.newPins);
      this.#pins = withPins(this.#pins, catalog.newPins);
    }
    this.#catalog = catalog;
    // What a call is judged by is compiled now: the first call of a tool costs no more than the second.
    const { schemas } = this.#parts.chainState;
    for (const { inputSchema, outputSchema } of catalog.targets) {
      schemas.compile(inputSchema);
      if (outputSchema) schemas.compile(outputSchema);
    }
    for (const { inputSchema } of catalog.prompts) schemas.compile(inputSchema);
    this.#parts.onWorld(worldOf(files, catalog), files.registry, files.rules);
    await this.#alarms.tell(catalog);
  }

  #catalogInput(files: Files, pins: Pins): Parameters<typeof buildCatalog>[0] {
    return {
      registry: files.registry,
      lock: files.lock.pins,
      pins,
      observed: this.#observed,
      admit: admitTool,
      assumePinned: true,
    };
  }

  /** One change after the other: two that build beside each other would each miss the other's half. */
  #change(act: () => Promise<void>): Promise<void> {
    const done = this.#changes.then(act);
    this.#changes = done.catch((error: unknown) => {
      this.#parts.log.error('change.failed', { error: thrownText(error) });
    });
    return this.#changes;
  }
}

function readFiles({ settings, clock, chainState }: StandingParts, pins: Pins, before?: Files): Files {
  const problems: Problem[] = [];
  const found = readOrCollect(problems, () => readRegistry(settings.registry));
  const texts = readOrCollect(problems, () => readRuleTexts(settings.policies));
  const rules = texts && readOrCollect(problems, () => loadRules(texts, settings.policies));
  if (texts && before) problems.push(...goneFiles(texts, before.rules, settings.policies));
  if (!found || !rules || problems.length > 0) throw new ProblemError(problems);
  const known = knownOf(found.registry, [found.lock.pins, pins]);
  const { failures } = runSuite(rules.policySet, rules.suites, { ...known, nowMs: clock.wallMs() });
  if (failures.length > 0) throw new ProblemError(failures);
  const same = before?.rules.revision === rules.revision ? before : undefined;
  return { ...found, rules: same?.rules ?? rules, chain: same?.chain ?? chainOf(rules, chainState) };
}

function worldOf({ registry, rules, chain }: Files, catalog: Catalog): World {
  const { policySet } = rules;
  const subjects = new WeakMap<Principal, readonly string[]>();
  return {
    revision: rules.revision,
    registry: registry.digest,
    ...chain,
    offers: {
      ...{ tool: catalog.targets, prompt: catalog.prompts, resource: catalog.resources, template: catalog.templates },
    },
    isComplete: [...catalog.servers.values()].every((status) => status === 'listed'),
    resolve: catalog.resolve,
    viewOf: catalog.viewOf,
    serverOf: (name) => serverTarget(registry, name),
    // An agent that no file declares any more is nobody, however it was proved before.
    subjectsOf: (principal) => {
      let known = subjects.get(principal);
      if (known === undefined) {
        const isDeclared = registry.agents.has(principal.id.slice('agent:'.length));
        known = Object.freeze(isDeclared ? principalSubjects(policySet, principal) : []);
        subjects.set(principal, known);
      }
      return known;
    },
    maySee: (who, target) => mayEverUse(policySet, who, target),
    mayEver: (who, target, action) =>
      target.kind === 'template' && action !== 'complete'
        ? mayEverReachBy(policySet, who, { template: target, action })
        : mayEverReach(policySet, who, { target, action }),
  };
}

function unexpected(at: string): Problem {
  return {
    code: 'config-unreadable',
    at,
    message: 'the files could not be read again',
    hint: 'run `seneschal policy check`',
  };
}
