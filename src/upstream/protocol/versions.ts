import type { Era } from '../../domain/mcp/era.ts';

export const MODERN_VERSION = '2026-07-28';
/** What the broker asks a legacy server for; the server may offer an older one. */
export const LATEST_LEGACY_VERSION = '2025-11-25';
const LEGACY_VERSIONS: readonly string[] = [LATEST_LEGACY_VERSION, '2025-06-18', '2025-03-26'];

/** How messages travel to a server; `sse` is HTTP+SSE, the transport of 2024-11-05. */
export type TransportType = 'stdio' | 'streamable-http' | 'sse';

/** True for a legacy revision the broker speaks; 2024-11-05 has pipes and HTTP+SSE, and knows no streamable HTTP. */
export function supportsLegacyVersion(version: string, transport: TransportType): boolean {
  return LEGACY_VERSIONS.includes(version) || (transport !== 'streamable-http' && version === '2024-11-05');
}

/** The era of a server, and when it was found out. */
export interface ServerVersion {
  readonly era: Era;
  readonly protocolVersion: string;
  /** Calendar time in milliseconds. */
  readonly atMs: number;
}

/** Where eras are remembered by server name. Era is a property of the server, not of a connection (versioning, 2026-07-28). */
export interface VersionStore {
  get(server: string): ServerVersion | undefined;
  set(server: string, record: ServerVersion): void;
}

/** An era memory that lasts as long as the process. */
export function inMemoryVersionStore(): VersionStore {
  const records = new Map<string, ServerVersion>();
  return { get: (server) => records.get(server), set: (server, record) => void records.set(server, record) };
}
