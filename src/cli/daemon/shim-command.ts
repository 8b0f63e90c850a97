import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Settings } from '../../app/settings.ts';

/** The program itself, as it is started again: absolute, since agents start it in directories of their own. */
export function ownCommand(): readonly string[] {
  return [process.execPath, ...process.execArgv, mainPath()];
}

/** The command that the config of an agent starts: `stdio` for that agent, and one server where it is to have one alone, with absolute paths. */
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

/** Path of the program itself, built or as source, by which it is started again. */
export function mainPath(): string {
  return fileURLToPath(new URL(`../main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
}
