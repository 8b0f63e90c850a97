import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import { replaceFile } from '../../lib/durable-file.ts';
import type { JsonValue } from '../../lib/json.ts';
import { loadRegistry } from '../../registry/load.ts';
import { readRegistryDirectory } from '../../registry/read-directory.ts';
import { serverText } from '../../registry/server-text.ts';
import type { Asking } from '../ask-servers.ts';
import type { CoreOptions } from '../compose.ts';
import { administer } from '../control.ts';
import { homeOf, type Settings } from '../settings.ts';
import { type Answered, askDrafts } from './ask-drafts.ts';
import type { ServerDraft } from './draft.ts';
import { digestOfPins, proposeServer, type ServerProposal } from './proposal.ts';

/** What a server is looked at with. */
export type Looking = Pick<Asking, 'env' | 'version' | 'signal'>;

/**
 * Looks at a server that may be added: its name beside those there are, how it is reached, and, started once, its
 * tools. Writes nothing.
 * @throws ProblemError for a name that is taken or looks like another, a secret in clear text, a server that cannot be
 * asked.
 */
export async function lookAtServer(draft: ServerDraft, settings: Settings, how: Looking): Promise<ServerProposal> {
  refuseUnfit(draft, settings.registry);
  const registry = loadRegistry(filesOf(draft), { dir: settings.registry });
  const asking = { registryDir: settings.registry, home: homeOf(settings), ...how };
  const [answered] = await askDrafts([draft], registry, asking);
  if (answered === undefined || 'error' in answered) throw new ProblemError([unanswered(draft, answered)]);
  return proposeServer(draft, answered.listed, registry);
}

/**
 * Adds a server that a person agreed to: writes its file, and pins its tools through the broker that runs or by itself.
 * When the pin fails the file is taken back.
 * @throws ProblemError as a pin does, and `files-unwritable` where the file cannot be written.
 */
export async function addServer(
  { draft, text, pins }: ServerProposal,
  settings: Settings,
  options: CoreOptions & { readonly signal: AbortSignal },
): Promise<JsonValue> {
  // Whoever was asked for a yes may have taken their time.
  refuseUnfit(draft, settings.registry);
  const file = join(settings.registry, fileOf(draft.name));
  const env: Record<string, string | undefined> = { ...options.env };
  for (const [name, secret] of draft.secrets) env[name] = secret.reveal();
  const params = { server: draft.name, agreed: digestOfPins(pins) };
  try {
    mkdirSync(join(settings.registry, 'servers'), { recursive: true });
    replaceFile(file, text);
    return await administer({ method: 'registry.pin', params, signal: options.signal }, settings, { ...options, env });
  } catch (error) {
    rmSync(file, { force: true });
    throw error instanceof Error && 'syscall' in error ? new ProblemError([unwritable(file, error)]) : error;
  }
}

/** Path of a server's file within the registry. */
export function fileOf(server: string): string {
  return `servers/${server}.yaml`;
}

/** A registry of nothing but drafts, as texts by path. */
export function filesOf(...drafts: readonly ServerDraft[]): Readonly<Record<string, string>> {
  return Object.fromEntries(drafts.map((draft) => [fileOf(draft.name), serverText({ ...draft, tools: [] })]));
}

/** The problem of a server that did not answer, with the last line that it wrote. */
export function unanswered(draft: ServerDraft, answered?: Answered): Problem {
  const { error, lastLine } = answered !== undefined && 'error' in answered ? answered : { error: 'no answer' };
  // What is wrong with a setting is said as a problem of its own, at its place in a file that is not written yet.
  const [, why = error, better] = /^(?:\S+:\d+:\d+: )?(.*?)(?: {2}\([a-z-]+\))?(?:\nhint: (.*))?$/m.exec(error) ?? [];
  const said = lastLine === undefined ? '' : `; it wrote last: ${lastLine}`;
  const byHand =
    draft.transport.type === 'stdio'
      ? 'run the command by hand to see it start'
      : 'ask the url by hand, as with `curl`';
  const message = `\`${draft.name}\` cannot be asked: ${why}${said}`;
  return { code: 'registry-server-unanswered', at: draft.from, message, hint: better ?? byHand };
}

function refuseUnfit(draft: ServerDraft, dir: string): void {
  const files = readRegistryDirectory(dir);
  const isTaken = fileOf(draft.name) in files || loadRegistry(files, { dir }).servers.has(draft.name);
  if (isTaken) throw new ProblemError([taken(draft, dir)]);
  try {
    loadRegistry({ ...files, ...filesOf(draft) }, { dir });
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const unwritten = `${dir}/${fileOf(draft.name)}`;
    // The place that a person can mend is where the server was named or found, not a file that was never written.
    const isThere = ({ at }: Problem): boolean => at === unwritten || at.startsWith(`${unwritten}:`);
    throw new ProblemError(error.problems.map((each) => (isThere(each) ? { ...each, at: draft.from } : each)));
  }
}

function taken({ name, from }: ServerDraft, dir: string): Problem {
  const message = `the name \`${name}\` is taken by \`${dir}/${fileOf(name)}\``;
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
