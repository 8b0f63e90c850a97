import type { IncomingMessage } from 'node:http';
import type { FailureMode } from '../../domain/failure-mode.ts';

export interface HostValidationOptions {
  /** Bound address. */
  readonly host: string;
  readonly port: number;
  /** Additional values of `Host`, as `name` (any port) or `name:port`. */
  readonly allowedHosts: readonly string[];
  /** Additional values of `Origin`, such as `https://console.example.org`. */
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
    trigger: "`Origin` is present and is not this server's own",
    result: 'HTTP 403',
    override: '`serve --allow-origin <origin>`',
  },
];

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Makes the check against DNS rebinding (CVE-2025-66414; MCP streamable-http, "Security Warning"). It returns true if
 * `Host` is allowed and `Origin`, if present, is allowed too. By default it accepts loopback names and the bound address
 * as `Host`, and pages of this server as `Origin`.
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
