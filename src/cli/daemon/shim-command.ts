import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Settings } from '../../app/settings.ts';

/** Command that starts this program again. Paths are absolute, because agents start it in other directories. */
export function ownCommand(): readonly string[] {
  return [process.execPath, ...process.execArgv, mainPath()];
}

/** Command for the config of an agent: `stdio` for that agent, with `--server` for a single server, and absolute paths. */
export function shimCommand(
  { agent, server }: { readonly agent: string; readonly server?: string | undefined },
  program: readonly string[],
  { data, registry, policies }: Pick<Settings, 'data' | 'registry' | 'policies'>,
): { readonly command: string; readonly args: readonly string[] } {
  const [command = 'seneschal', ...programArgs] = program;
  const directoryFlags = ['--data', resolve(data), '--registry', resolve(registry), '--policies', resolve(policies)];
  const serverFlag = server === undefined ? [] : ['--server', server];
  return { command, args: [...programArgs, 'stdio', '--agent', agent, ...serverFlag, ...directoryFlags] };
}

/** Absolute path of the entry point, built or source. */
export function mainPath(): string {
  return fileURLToPath(new URL(`../main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
}
