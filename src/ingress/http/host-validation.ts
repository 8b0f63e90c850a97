import type { IncomingMessage } from 'node:http';
import type { FailureMode } from '../../domain/failure-mode.ts';

export interface HostValidationOptions {
  /** Where the server listens. */
  readonly host: string;
  readonly port: number;
  /** Further values of `Host`, as `name` (any port) or `name:port`. */
  readonly allowedHosts: readonly string[];
  /** Further values of `Origin`, such as `https://console.example.org`. */
  readonly allowedOrigins: readonly string[];
}

export const hostFailureModes: readonly FailureMode<'HTTP 403'>[] = [
  {
    control: 'host',
    trigger: '`Host` is neither loopback nor the bound address',
    result: 'HTTP 403',
    override: '`serve --allow-host <name>`',
  },
  {
    control: 'origin',
    trigger: "there is an `Origin` that is not this server's own",
    result: 'HTTP 403',
    override: '`serve --allow-origin <origin>`',
  },
];

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/**
 * The guard against DNS rebinding (CVE-2025-66414; MCP streamable-http, "Security Warning"): false unless `Host` is
 * one of ours, and `Origin`, where there is one, too. Without configuration only loopback names and the bound
 * address pass, and only pages of this very server.
 */
export function createHostValidation(options: HostValidationOptions): (request: IncomingMessage) => boolean {
  const { host, port } = options;
  const boundHost = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const allowedHostSet = new Set<string>();
  for (const name of [...LOOPBACK_NAMES, boundHost]) {
    allowedHostSet.add(`${name}:${port}`);
    if (port === 80) allowedHostSet.add(name);
  }
  const origins = new Set([...allowedHostSet].map((allowedHost) => `http://${allowedHost}`));
  const names = new Set<string>();
  for (const allowed of options.allowedHosts) {
    (/:\d+$/.test(allowed) ? allowedHostSet : names).add(allowed.toLowerCase());
  }
  for (const allowed of options.allowedOrigins) origins.add(allowed.toLowerCase());
  return ({ headers }) => {
    const hostHeader = headers.host;
    if (
      hostHeader === undefined ||
      !(allowedHostSet.has(hostHeader) || isAllowedHost(hostHeader.toLowerCase(), allowedHostSet, names))
    )
      return false;
    return headers.origin === undefined || origins.has(headers.origin.toLowerCase());
  };
}

function isAllowedHost(hostHeader: string, allowedHostSet: ReadonlySet<string>, names: ReadonlySet<string>): boolean {
  return allowedHostSet.has(hostHeader) || (names.size > 0 && names.has(hostHeader.replace(/:\d+$/, '')));
}
