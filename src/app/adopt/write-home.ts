import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import { pinnedId, readPinKey } from '../../registry/pinned-kind.ts';
import { type CoreOptions, openCore } from '../compose.ts';
import { checkRules, testRules } from '../policy-questions.ts';
import type { Settings } from '../settings.ts';
import type { HomePlan } from './plan-home.ts';

/** What was written, and what was moved out of its way. */
export interface WrittenHome {
  readonly checked: number;
  readonly warnings: readonly Problem[];
  /** Where directories were moved that stood in the place of the new ones; empty without `force`. */
  readonly movedAside: readonly string[];
}

type Places = Pick<Settings, 'registry' | 'policies'>;

/** Says what of a home is there already; a directory without either is free, whatever else it holds. */
export function takenPlaces({ registry, policies }: Places): readonly Problem[] {
  return [registry, policies]
    .filter((dir) => existsSync(dir))
    .map((dir) => {
      const hint = 'add to it with `seneschal registry add`, or move it aside and make a new one with `--force`';
      return { code: 'init-home-exists', at: dir, message: 'this is there already; nothing was changed', hint };
    });
}

/**
 * Writes a home as a whole or not at all: into directories beside, where its policy tests are run, then by two renames
 * into place; then it is recorded in the ledger who agreed to what. What fails takes everything back.
 * @throws ProblemError: `init-home-exists`, `files-unwritable`, policy tests that fail, a data directory in use.
 */
export async function writeHome(
  plan: HomePlan,
  settings: Settings,
  options: CoreOptions & { readonly force: boolean },
): Promise<WrittenHome> {
  const taken = takenPlaces(settings);
  if (taken.length > 0 && !options.force) throw new ProblemError(taken);
  const staged = stage(plan, settings);
  try {
    const verified = verify(staged.places, settings);
    const moved = moveIntoPlace(staged.places, settings);
    try {
      await record(plan, settings, options);
    } catch (error) {
      moved.undo();
      throw error;
    }
    return { ...verified, movedAside: moved.aside };
  } finally {
    staged.remove();
  }
}

interface Staged {
  readonly places: Places;
  remove(): void;
}

/** Beside its place, so that a rename is all that is left to do: on the same disk, with room that is surely there. */
function stage(plan: HomePlan, settings: Settings): Staged {
  const dirs: string[] = [];
  const remove = (): void => {
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
  };
  const beside = (place: string, texts: Readonly<Record<string, string>>): string => {
    const above = dirname(resolve(place));
    mkdirSync(above, { recursive: true });
    const dir = mkdtempSync(join(above, '.seneschal-init-'));
    dirs.push(dir);
    const inside = join(dir, 'new');
    for (const [path, text] of Object.entries(texts)) {
      mkdirSync(dirname(join(inside, path)), { recursive: true });
      writeFileSync(join(inside, path), text, { flush: true });
    }
    return inside;
  };
  try {
    const registry = beside(settings.registry, plan.registry);
    return { places: { registry, policies: beside(settings.policies, plan.policies) }, remove };
  } catch (error) {
    remove();
    throw unwritable(error, settings);
  }
}

function verify(staged: Places, places: Places): Pick<WrittenHome, 'checked' | 'warnings'> {
  const settings: Settings = { ...staged, data: join(staged.registry, '.none'), port: 0, host: '127.0.0.1' };
  const { checked, failures } = testRules(settings);
  if (failures.length > 0) throw new ProblemError(failures.map((each) => inPlace(each, staged, places)));
  return { checked, warnings: checkRules(settings).map((each) => inPlace(each, staged, places)) };
}

/** The staged directories are gone when a person reads this, so that a place names where the file will stand. */
function inPlace(problem: Problem, staged: Places, { registry, policies }: Places): Problem {
  return { ...problem, at: problem.at.replace(staged.policies, policies).replace(staged.registry, registry) };
}

interface Moved {
  readonly aside: readonly string[];
  undo(): void;
}

/** No signal is handled between the two renames; what a power cut leaves between them is refused by `serve` and `init`. */
function moveIntoPlace(staged: Places, settings: Settings): Moved {
  const undoing: (() => void)[] = [];
  const aside: string[] = [];
  const undo = (): void => {
    for (const each of undoing.splice(0).reverse()) each();
  };
  const move = (from: string, to: string): void => {
    renameSync(from, to);
    undoing.push(() => renameSync(to, from));
  };
  try {
    for (const key of ['registry', 'policies'] as const) {
      const place = resolve(settings[key]);
      if (existsSync(place)) {
        const free = freeName(`${place}.before-init`);
        move(place, free);
        aside.push(free);
      }
      move(staged[key], place);
    }
  } catch (error) {
    undo();
    throw unwritable(error, settings);
  }
  return { aside, undo };
}

function freeName(wanted: string): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    if (!existsSync(name)) return name;
  }
}

/** Opens the new home as the broker does, which is the last proof that it can be opened, and records the agreement. */
async function record({ proposals }: HomePlan, settings: Settings, options: CoreOptions): Promise<void> {
  const by = `os-user:${process.getuid?.() ?? 0}`;
  const core = await openCore(settings, options);
  try {
    for (const { draft, pins } of proposals) {
      await core.journal.require({ kind: 'server.added', by, server: draft.name, tools: pins.length });
      for (const { server, tool, digest } of pins)
        await core.journal.require({ kind: 'tool.pinned', by, tool: pinnedId(server, readPinKey(tool)), to: digest });
    }
  } finally {
    await core.close('after init');
  }
}

function unwritable(error: unknown, { registry, policies }: Places): unknown {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return error;
  const message = `the files of the home cannot be written: the system says \`${String(error.code)}\``;
  const hint = 'make room, or mend the permissions; nothing was changed';
  return new ProblemError([{ code: 'files-unwritable', at: `${registry}, ${policies}`, message, hint }]);
}
