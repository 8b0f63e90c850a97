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
 * Checks a server before it is added: its name and transport, and, by starting it once, its tools. Writes nothing.
 * @throws ProblemError for a name that is taken or looks like another one, a secret in clear text, or a server that
 * does not start or respond.
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
 * Adds a server that a person agreed to: writes its file and pins its tools, through the running broker if there is one.
 * If pinning fails, the file is removed.
 * @throws ProblemError as `pinServer`; `files-unwritable` if the file cannot be written.
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

/** Path of a server's file in the registry. */
export function serverFilePath(server: string): string {
  return `servers/${server}.yaml`;
}

/** Files of a registry that holds only these drafts: text by path. */
export function registryTexts(...drafts: readonly ServerDraft[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    drafts.map((draft) => [serverFilePath(draft.name), renderServerYaml({ ...draft, tools: [] })]),
  );
}

/** The problem of a server that did not start or respond, with the last line of its stderr. */
export function unreachableServer(draft: ServerDraft, result?: ProbeResult): Problem {
  const { error, lastLine } = result !== undefined && 'error' in result ? result : { error: 'no response' };
  // The error can be a formatted problem with a position in a file that is not written yet: keep its message and hint.
  const [, reason = error, specificHint] =
    /^(?:\S+:\d+:\d+: )?(.*?)(?: {2}\([a-z-]+\))?(?:\nhint: (.*))?$/m.exec(error) ?? [];
  const stderrText = lastLine === undefined ? '' : `; last line of its stderr: ${lastLine}`;
  const genericHint =
    draft.transport.type === 'stdio'
      ? 'run the command in a terminal to see what it prints'
      : 'request the url by hand, for example with `curl -i`';
  const message = `cannot list the tools of \`${draft.name}\`: ${reason}${stderrText}`;
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
    // The person can fix the file or argument that the server came from, not a file that was never written.
    const isUnwrittenFile = ({ at }: Problem): boolean => at === unwrittenFile || at.startsWith(`${unwrittenFile}:`);
    throw new ProblemError(
      error.problems.map((each) => (isUnwrittenFile(each) ? { ...each, at: draft.source } : each)),
    );
  }
}

function nameTaken({ name, source }: ServerDraft, dir: string): Problem {
  const message = `the name \`${name}\` is taken by \`${dir}/${serverFilePath(name)}\``;
  const hint = 'choose another with `registry add --name <name>`, or import only the others with `--only <name>`';
  return { code: 'registry-duplicate-name', at: source, message, hint };
}

function unwritable(file: string, error: Error & { syscall?: unknown; code?: unknown }): Problem {
  const message = `the file cannot be written: error \`${String(error.code)}\` of the operating system`;
  const hint = 'free disk space or fix the permissions, and run the command again; nothing was changed';
  return { code: 'files-unwritable', at: file, message, hint };
}
