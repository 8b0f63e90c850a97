import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import type { HomeDirectories, OnboardingPort } from '../port.ts';
import type { HomePlan } from './plan-home.ts';

/** Result of writing a home. */
export interface WrittenHome {
  /** Number of policy tests that passed. */
  readonly checked: number;
  readonly warnings: readonly Problem[];
  /** New paths of the directories that were moved to make room; empty without `force`. */
  readonly movedAside: readonly string[];
}

/** One problem per directory of the home that exists already. */
export function existingDirectories({ registry, policies }: HomeDirectories): readonly Problem[] {
  return [registry, policies]
    .filter((dir) => existsSync(dir))
    .map((dir) => {
      const hint = 'add servers to it with `seneschal registry add`, or add `--force` to move it aside and start anew';
      return { code: 'init-home-exists', at: dir, message: 'the directory exists already; nothing was changed', hint };
    });
}

/**
 * Writes a home completely or not at all: stages it in temporary directories, runs its policy tests there, renames the
 * directories into place, and records in the ledger who agreed to what. A failure in any step undoes the others.
 * @throws ProblemError for `init-home-exists`, `files-unwritable`, failing policy tests, or a data directory in use.
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

/** Writes the files next to their final place, on the same file system, so that only renames are left. */
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

/** Replaces staged paths by final ones: the staged directories are gone when a person reads the problem. */
function atFinalPath(problem: Problem, staged: HomeDirectories, { registry, policies }: HomeDirectories): Problem {
  return { ...problem, at: problem.at.replace(staged.policies, policies).replace(staged.registry, registry) };
}

interface Moved {
  readonly aside: readonly string[];
  undo(): void;
}

/**
 * Renames both directories. No signal is handled between the renames. After a power failure between them `serve` and
 * `init` refuse the half home.
 */
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

function freeName(preferred: string): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? preferred : `${preferred}-${number}`;
    if (!existsSync(name)) return name;
  }
}

function unwritable(error: unknown, { registry, policies }: HomeDirectories): unknown {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return error;
  const message = `the files cannot be written: error \`${String(error.code)}\` of the operating system`;
  const hint = 'free disk space or fix the permissions, and run the command again; nothing was changed';
  return new ProblemError([{ code: 'files-unwritable', at: `${registry}, ${policies}`, message, hint }]);
}
