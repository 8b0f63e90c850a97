import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import { replaceFileAtomically } from '../../lib/atomic-file.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { loadRegistry, readRegistryFiles } from '../../registry/load.ts';
import { renderServerYaml } from '../../registry/servers/server-yaml.ts';
import type { HomeDirectories, ProbeOptions } from '../port.ts';
import { type ProbeResult, probeDrafts } from './probe-drafts.ts';
import type { ServerDraft } from './server-draft.ts';
import { pinsDigest, proposeServer, type ServerProposal } from './server-proposal.ts';

/**
 * Looks at a server that may be added: its name beside those there are, how it is reached, and, started once, its
 * tools. Writes nothing.
 * @throws ProblemError for a name that is taken or looks like another, a secret in clear text, a server that cannot be
 * asked.
 */
export async function previewServer(
  draft: ServerDraft,
  { registry: dir }: Pick<HomeDirectories, 'registry'>,
  options: ProbeOptions,
): Promise<ServerProposal> {
  rejectUnusable(draft, dir);
  const registry = loadRegistry(registryTexts(draft), { dir });
  const [result] = await probeDrafts([draft], registry, options);
  if (result === undefined || 'error' in result) throw new ProblemError([unreachableServer(draft, result)]);
  return proposeServer(draft, result.listed, registry);
}

/**
 * Adds a server that a person agreed to: writes its file, and pins its tools through the broker that runs or by itself.
 * When the pin fails the file is taken back.
 * @throws ProblemError as a pin does, and `files-unwritable` where the file cannot be written.
 */
export async function addServer(
  { draft, text, pins }: ServerProposal,
  { registry: dir }: Pick<HomeDirectories, 'registry'>,
  { port, env: baseEnv, signal }: ProbeOptions,
): Promise<JsonValue> {
  // The registry may have changed while the person was deciding.
  rejectUnusable(draft, dir);
  const file = join(dir, serverFilePath(draft.name));
  const env: Record<string, string | undefined> = { ...baseEnv };
  for (const [name, secret] of draft.secrets) env[name] = secret.reveal();
  try {
    mkdirSync(join(dir, 'servers'), { recursive: true });
    replaceFileAtomically(file, text);
    return await port.pinServer({ name: draft.name, agreed: pinsDigest(pins) }, { env, signal });
  } catch (error) {
    rmSync(file, { force: true });
    throw error instanceof Error && 'syscall' in error ? new ProblemError([unwritable(file, error)]) : error;
  }
}

/** Path of a server's file within the registry. */
export function serverFilePath(server: string): string {
  return `servers/${server}.yaml`;
}

/** A registry of nothing but drafts, as texts by path. */
export function registryTexts(...drafts: readonly ServerDraft[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    drafts.map((draft) => [serverFilePath(draft.name), renderServerYaml({ ...draft, tools: [] })]),
  );
}

/** The problem of a server that did not answer, with the last line that it wrote. */
export function unreachableServer(draft: ServerDraft, result?: ProbeResult): Problem {
  const { error, lastLine } = result !== undefined && 'error' in result ? result : { error: 'no answer' };
  // What is wrong with a setting is said as a problem of its own, at its place in a file that is not written yet.
  const [, reason = error, specificHint] =
    /^(?:\S+:\d+:\d+: )?(.*?)(?: {2}\([a-z-]+\))?(?:\nhint: (.*))?$/m.exec(error) ?? [];
  const stderrText = lastLine === undefined ? '' : `; it wrote last: ${lastLine}`;
  const genericHint =
    draft.transport.type === 'stdio'
      ? 'run the command by hand to see it start'
      : 'ask the url by hand, as with `curl`';
  const message = `\`${draft.name}\` cannot be asked: ${reason}${stderrText}`;
  return { code: 'registry-server-unanswered', at: draft.source, message, hint: specificHint ?? genericHint };
}

function rejectUnusable(draft: ServerDraft, dir: string): void {
  const files = readRegistryFiles(dir);
  const isTaken = serverFilePath(draft.name) in files || loadRegistry(files, { dir }).servers.has(draft.name);
  if (isTaken) throw new ProblemError([nameTaken(draft, dir)]);
  try {
    loadRegistry({ ...files, ...registryTexts(draft) }, { dir });
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const unwrittenFile = `${dir}/${serverFilePath(draft.name)}`;
    // The place that a person can mend is where the server was named or found, not a file that was never written.
    const isUnwrittenFile = ({ at }: Problem): boolean => at === unwrittenFile || at.startsWith(`${unwrittenFile}:`);
    throw new ProblemError(
      error.problems.map((each) => (isUnwrittenFile(each) ? { ...each, at: draft.source } : each)),
    );
  }
}

function nameTaken({ name, source: from }: ServerDraft, dir: string): Problem {
  const message = `the name \`${name}\` is taken by \`${dir}/${serverFilePath(name)}\``;
  const hint =
    '`registry add` gives it another one by `--name`; `registry import` leaves it out by `--only` of the others';
  return { code: 'registry-duplicate-name', at: from, message, hint };
}

function unwritable(file: string, error: Error & { syscall?: unknown; code?: unknown }): Problem {
  const message = `this cannot be written: the system says \`${String(error.code)}\``;
  return {
    code: 'files-unwritable',
    at: file,
    message,
    hint: 'make room, or mend the permissions; nothing was changed',
  };
}
