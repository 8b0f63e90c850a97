import type { Command } from 'commander';
import { administer } from '../../app/control.ts';
import { ProblemError } from '../../domain/problem.ts';
import { parseDurationMs } from '../../lib/duration.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import { coreOptions } from '../core-options.ts';
import { cellOf, printData, table } from '../output.ts';
import { type CommonFlags, outputFlag, settingsFlags, settingsOf } from '../settings-flags.ts';

const PLACES = ['registry', 'policies', 'data'] as const;

/** `keys create`, `keys list`, `keys revoke`: beside a running daemon through it, without one by themselves. */
export function registerKeys(program: Command): void {
  const keys = program.command('keys').description('the API keys that prove agents over HTTP');
  outputFlag(settingsFlags(keys.command('create'), PLACES))
    .description('make a key for a declared agent and print it, once')
    .argument('<agent>', 'the agent, such as `agent:demo`')
    .option('--expires <duration>', 'lifetime such as `90d`; without it the key does not expire')
    .action(async (agent: string, flags: CommonFlags & { expires?: string }) => {
      const lifetime = flags.expires === undefined ? {} : { expiresInMs: lifetimeMs(flags.expires) };
      const made = await act('keys.create', { agent: agent.replace(/^agent:/, ''), ...lifetime }, flags);
      printData(made, flags.output, (key) => (isJsonObject(key) ? cellOf(key.key) : ''));
    });
  outputFlag(settingsFlags(keys.command('list'), PLACES))
    .description('every key ever made, without its secret')
    .action(async (flags: CommonFlags) => {
      const listed = await act('keys.list', {}, flags);
      printData(listed, flags.output, (keys) => table([['ID', 'AGENT', 'STATE', 'CREATED', 'EXPIRES'], ...rows(keys)]));
    });
  outputFlag(settingsFlags(keys.command('revoke'), PLACES))
    .description('end a key; in force at once')
    .argument('<id>', 'the sixteen hex digits after `sen_`')
    .action(async (id: string, flags: CommonFlags) => {
      const revoked = await act('keys.revoke', { id }, flags);
      printData(revoked, flags.output, () => '');
    });
}

function act(method: string, params: JsonObject, flags: CommonFlags): Promise<JsonValue> {
  return administer({ method, params }, settingsOf(flags), coreOptions());
}

function rows(keys: JsonValue): readonly (readonly string[])[] {
  if (!Array.isArray(keys)) return [];
  return keys
    .filter(isJsonObject)
    .map(({ id, agent, state, createdAtMs, expiresAtMs }) => [
      cellOf(id),
      cellOf(agent),
      cellOf(state),
      time(createdAtMs),
      time(expiresAtMs),
    ]);
}

function time(ms: JsonValue | undefined): string {
  return typeof ms === 'number' ? new Date(ms).toISOString() : '-';
}

function lifetimeMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new ProblemError([
    {
      code: 'settings-invalid',
      at: '--expires',
      message: 'this is no duration',
      hint: 'write one such as `90d` or `12h`',
    },
  ]);
}
