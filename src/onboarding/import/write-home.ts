import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type CoreOptions, composeCore } from '../../app/compose.ts';
import { checkPolicyFiles, runPolicyTests } from '../../app/queries/policy.ts';
import type { Settings } from '../../app/settings.ts';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import { pinnedId, readPinKey } from '../../registry/pins/pinned-kind.ts';
import type { HomePlan } from './plan-home.ts';

/** What was written, and what was moved out of its way. */
export interface WrittenHome {
  readonly checked: number;
  readonly warnings: readonly Problem[];
  /** Where directories were moved that stood in the place of the new ones; empty without `force`. */
  readonly movedAside: readonly string[];
}

type HomeDirectories = Pick<Settings, 'registry' | 'policies'>;

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
  settings: Settings,
  options: CoreOptions & { readonly force: boolean },
): Promise<WrittenHome> {
  const existing = existingDirectories(settings);
  if (existing.length > 0 && !options.force) throw new ProblemError(existing);
  const staged = stage(plan, settings);
  try {
    const verified = verify(staged.directories, settings);
    const moved = moveIntoPlace(staged.directories, settings);
    try {
      await recordServers(plan, settings, options);
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
  readonly directories: HomeDirectories;
  remove(): void;
}

/** Beside its place, so that a rename is all that is left to do: on the same disk, with room that is surely there. */
function stage(plan: HomePlan, settings: Settings): Staged {
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
    const registry = writeBeside(settings.registry, plan.registry);
    return { directories: { registry, policies: writeBeside(settings.policies, plan.policies) }, remove };
  } catch (error) {
    remove();
    throw unwritable(error, settings);
  }
}

function verify(staged: HomeDirectories, finalDirectories: HomeDirectories): Pick<WrittenHome, 'checked' | 'warnings'> {
  const settings: Settings = { ...staged, data: join(staged.registry, '.none'), port: 0, host: '127.0.0.1' };
  const { checked, failures } = runPolicyTests(settings);
  if (failures.length > 0) throw new ProblemError(failures.map((each) => atFinalPath(each, staged, finalDirectories)));
  return { checked, warnings: checkPolicyFiles(settings).map((each) => atFinalPath(each, staged, finalDirectories)) };
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
function moveIntoPlace(staged: HomeDirectories, settings: Settings): Moved {
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
      const target = resolve(settings[key]);
      if (existsSync(target)) {
        const asidePath = freeName(`${target}.before-init`);
        move(target, asidePath);
        aside.push(asidePath);
      }
      move(staged[key], target);
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
async function recordServers({ proposals }: HomePlan, settings: Settings, options: CoreOptions): Promise<void> {
  const by = `os-user:${process.getuid?.() ?? 0}`;
  const core = await composeCore(settings, options);
  try {
    for (const { draft, pins } of proposals) {
      await core.systemEvents.recordOrThrow({ kind: 'server.added', by, server: draft.name, tools: pins.length });
      for (const { server, tool, digest } of pins)
        await core.systemEvents.recordOrThrow({
          kind: 'tool.pinned',
          by,
          tool: pinnedId(server, readPinKey(tool)),
          to: digest,
        });
    }
  } finally {
    await core.close('after init');
  }
}

function unwritable(error: unknown, { registry, policies }: HomeDirectories): unknown {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return error;
  const message = `the files of the home cannot be written: the system says \`${String(error.code)}\``;
  const hint = 'make room, or mend the permissions; nothing was changed';
  return new ProblemError([{ code: 'files-unwritable', at: `${registry}, ${policies}`, message, hint }]);
}
