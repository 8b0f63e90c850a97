import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import type { HomeDirectories, OnboardingPort } from '../port.ts';
import type { HomePlan } from './plan-home.ts';

/** What was written, and what was moved out of its way. */
export interface WrittenHome {
  readonly checked: number;
  readonly warnings: readonly Problem[];
  /** Where directories were moved that stood in the place of the new ones; empty without `force`. */
  readonly movedAside: readonly string[];
}

/** Says what of a home is there already; a directory without either is free, whatever else it holds. */
export function existingDirectories({ registry, policies }: HomeDirectories): readonly Problem[] {
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
  directories: HomeDirectories,
  { port, force }: { readonly port: OnboardingPort; readonly force: boolean },
): Promise<WrittenHome> {
  const existing = existingDirectories(directories);
  if (existing.length > 0 && !force) throw new ProblemError(existing);
  const staged = stage(plan, directories);
  try {
    const { checked, warnings } = verify(staged.directories, directories, port);
    const moved = moveIntoPlace(staged.directories, directories);
    try {
      await port.recordServers(plan.proposals.map(({ draft, pins }) => ({ name: draft.name, pins })));
    } catch (error) {
      moved.undo();
      throw error;
    }
    return { checked, warnings, movedAside: moved.aside };
  } finally {
    staged.remove();
  }
}

interface Staged {
  readonly directories: HomeDirectories;
  remove(): void;
}

/** Beside its place, so that a rename is all that is left to do: on the same disk, with room that is surely there. */
function stage(plan: HomePlan, target: HomeDirectories): Staged {
  const dirs: string[] = [];
  const remove = (): void => {
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
  };
  const writeBeside = (directory: string, texts: Readonly<Record<string, string>>): string => {
    const parent = dirname(resolve(directory));
    mkdirSync(parent, { recursive: true });
    const dir = mkdtempSync(join(parent, '.seneschal-init-'));
    dirs.push(dir);
    const inside = join(dir, 'new');
    for (const [path, text] of Object.entries(texts)) {
      mkdirSync(dirname(join(inside, path)), { recursive: true });
      writeFileSync(join(inside, path), text, { flush: true });
    }
    return inside;
  };
  try {
    const registry = writeBeside(target.registry, plan.registry);
    return { directories: { registry, policies: writeBeside(target.policies, plan.policies) }, remove };
  } catch (error) {
    remove();
    throw unwritable(error, target);
  }
}

function verify(
  staged: HomeDirectories,
  target: HomeDirectories,
  port: OnboardingPort,
): Pick<WrittenHome, 'checked' | 'warnings'> {
  const { checked, failures, warnings } = port.checkPolicies(staged);
  if (failures.length > 0) throw new ProblemError(failures.map((each) => atFinalPath(each, staged, target)));
  return { checked, warnings: warnings.map((each) => atFinalPath(each, staged, target)) };
}

/** The staged directories are gone when a person reads this, so that a place names where the file will stand. */
function atFinalPath(problem: Problem, staged: HomeDirectories, { registry, policies }: HomeDirectories): Problem {
  return { ...problem, at: problem.at.replace(staged.policies, policies).replace(staged.registry, registry) };
}

interface Moved {
  readonly aside: readonly string[];
  undo(): void;
}

/** No signal is handled between the two renames; what a power cut leaves between them is refused by `serve` and `init`. */
function moveIntoPlace(staged: HomeDirectories, target: HomeDirectories): Moved {
  const undoSteps: (() => void)[] = [];
  const aside: string[] = [];
  const undo = (): void => {
    for (const each of undoSteps.splice(0).reverse()) each();
  };
  const move = (from: string, to: string): void => {
    renameSync(from, to);
    undoSteps.push(() => renameSync(to, from));
  };
  try {
    for (const key of ['registry', 'policies'] as const) {
      const directory = resolve(target[key]);
      if (existsSync(directory)) {
        const asidePath = freeName(`${directory}.before-init`);
        move(directory, asidePath);
        aside.push(asidePath);
      }
      move(staged[key], directory);
    }
  } catch (error) {
    undo();
    throw unwritable(error, target);
  }
  return { aside, undo };
}

function freeName(wanted: string): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    if (!existsSync(name)) return name;
  }
}

function unwritable(error: unknown, { registry, policies }: HomeDirectories): unknown {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return error;
  const message = `the files of the home cannot be written: the system says \`${String(error.code)}\``;
  const hint = 'make room, or mend the permissions; nothing was changed';
  return new ProblemError([{ code: 'files-unwritable', at: `${registry}, ${policies}`, message, hint }]);
}
