import type { IncomingMessage } from 'node:http';
import type { PostureRow } from '../domain/posture.ts';

export interface HostGuardOptions {
  /** Where the server listens. */
  readonly host: string;
  readonly port: number;
  /** Further values of `Host`, as `name` (any port) or `name:port`. */
  readonly allowedHosts: readonly string[];
  /** Further values of `Origin`, such as `https://console.example.org`. */
  readonly allowedOrigins: readonly string[];
}

export const hostPostures: readonly PostureRow<'HTTP 403'>[] = [
  {
    guard: 'host',
    when: '`Host` is neither loopback nor the bound address',
    yields: 'HTTP 403',
    opens: '`serve --allow-host <name>`',
  },
  {
    guard: 'origin',
    when: "there is an `Origin` that is not this server's own",
    yields: 'HTTP 403',
    opens: '`serve --allow-origin <origin>`',
  },
];

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/**
 * The guard against DNS rebinding (CVE-2025-66414; MCP streamable-http, "Security Warning"): false unless `Host` is
 * one of ours, and `Origin`, where there is one, too. Without configuration only loopback names and the bound
 * address pass, and only pages of this very server.
 */
export function hostGuard(options: HostGuardOptions): (request: IncomingMessage) => boolean {
  const { host, port } = options;
  const bound = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const hosts = new Set<string>();
  for (const name of [...LOOPBACK_NAMES, bound]) {
    hosts.add(`${name}:${port}`);
    if (port === 80) hosts.add(name);
  }
  const origins = new Set([...hosts].map((own) => `http://${own}`));
  const names = new Set<string>();
  for (const allowed of options.allowedHosts) {
    (/:\d+$/.test(allowed) ? hosts : names).add(allowed.toLowerCase());
  }
  for (const allowed of options.allowedOrigins) origins.add(allowed.toLowerCase());
  return ({ headers }) => {
    const asked = headers.host;
    if (asked === undefined || !(hosts.has(asked) || allowsHost(asked.toLowerCase(), hosts, names))) return false;
    return headers.origin === undefined || origins.has(headers.origin.toLowerCase());
  };
}

function allowsHost(asked: string, hosts: ReadonlySet<string>, names: ReadonlySet<string>): boolean {
  return hosts.has(asked) || (names.size > 0 && names.has(asked.replace(/:\d+$/, '')));
}
