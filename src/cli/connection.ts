import { agentToConnect } from '../app/host-questions.ts';
import type { Settings } from '../app/settings.ts';
import { agentNameOf } from '../domain/agent-name.ts';
import { ProblemError } from '../domain/problem.ts';
import type { Connection, Reach } from '../hosts/host-entry.ts';
import { ownCommand, shimCommand } from './shim-command.ts';

interface ConnectionFlags {
  readonly agent?: string;
  readonly http: boolean;
  readonly url?: string;
}

/** How a host is to reach the broker, by flags and settings. @throws ProblemError for an agent that is not declared. */
export function connectionOf(flags: ConnectionFlags, settings: Settings): Connection {
  const named = flags.agent === undefined ? undefined : agentNameOf(flags.agent);
  if (flags.http || flags.url !== undefined) {
    // Over HTTP the key says who the agent is, and the broker may be on another machine.
    const reach: Reach = { type: 'http', url: flags.url === undefined ? urlOf(settings) : checkedUrl(flags.url) };
    return named === undefined ? { reach } : { reach, agent: named };
  }
  const agent = agentToConnect(settings.registry, named);
  return { reach: { type: 'stdio', ...shimCommand(agent, ownCommand(), settings) }, agent };
}

function urlOf({ host, port }: Settings): string {
  const isAnywhere = host === '0.0.0.0' || host === '::';
  if (isAnywhere || port === 0) {
    const message = `${isAnywhere ? '`--host`' : '`--port`'} does not say where the broker is reached`;
    const hint = 'name the url, such as `--url https://tools.example.com/mcp`';
    throw new ProblemError([{ code: 'settings-invalid', at: '--http', message, hint }]);
  }
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/mcp`;
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isFit = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (isFit) return text;
  const message = 'this is no http url without user and password';
  const hint = 'write for example `https://tools.example.com/mcp`';
  throw new ProblemError([{ code: 'settings-invalid', at: '--url', message, hint }]);
}
