import { resolveAgent, serverPath } from '../app/host-questions.ts';
import type { Settings } from '../app/settings.ts';
import { parseAgentName } from '../domain/agent-name.ts';
import { type Problem, ProblemError } from '../domain/problem.ts';
import type { Connection, Endpoint } from '../hosts/host-entry.ts';
import { ownCommand, shimCommand } from './shim-command.ts';

interface ConnectionFlags {
  readonly agent?: string;
  readonly http: boolean;
  readonly url?: string;
  readonly server?: string;
}

/** How a host is to reach the broker, by flags and settings. @throws ProblemError for an agent or a server that is not declared. */
export function connectionOf(flags: ConnectionFlags, settings: Settings): Connection {
  const agentName = flags.agent === undefined ? undefined : parseAgentName(flags.agent);
  if (flags.http || flags.url !== undefined) {
    const { server, url } = flags;
    if (server !== undefined && url !== undefined) throw new ProblemError([CONFLICTING_PATHS]);
    const path = server === undefined ? '/mcp' : serverPath(settings.registry, server);
    // Over HTTP the key says who the agent is, and the broker may be on another machine.
    const endpoint: Endpoint = { type: 'http', url: url === undefined ? urlOf(settings, path) : validateUrl(url) };
    return agentName === undefined ? { endpoint } : { endpoint, agent: agentName };
  }
  const agent = resolveAgent(settings.registry, agentName);
  const { server } = flags;
  if (server !== undefined) serverPath(settings.registry, server);
  return { endpoint: { type: 'stdio', ...shimCommand({ agent, server }, ownCommand(), settings) }, agent };
}

const CONFLICTING_PATHS: Problem = {
  code: 'settings-invalid',
  at: '--server',
  message: '`--url` says which path it is',
  hint: 'write `/v/<name>/mcp` or `/servers/<name>/mcp` at the end of the url, and leave `--server` away',
};

function urlOf({ host, port }: Settings, path: string): string {
  const isAnywhere = host === '0.0.0.0' || host === '::';
  if (isAnywhere || port === 0) {
    const message = `${isAnywhere ? '`--host`' : '`--port`'} does not say where the broker is reached`;
    const hint = 'name the url, such as `--url https://tools.example.com/mcp`';
    throw new ProblemError([{ code: 'settings-invalid', at: '--http', message, hint }]);
  }
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
}

function validateUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isAllowed = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (isAllowed) return text;
  const message = 'this is no http url without user and password';
  const hint = 'write for example `https://tools.example.com/mcp`';
  throw new ProblemError([{ code: 'settings-invalid', at: '--url', message, hint }]);
}
