import type { Era } from '../../domain/mcp/era.ts';

export const MODERN_VERSION = '2026-07-28';
/** Revision that the broker requests from a legacy server, which may offer an older one. */
export const LATEST_LEGACY_VERSION = '2025-11-25';
const LEGACY_VERSIONS: readonly string[] = [LATEST_LEGACY_VERSION, '2025-06-18', '2025-03-26'];

/** Transport of a server; `sse` is HTTP+SSE, the transport of 2024-11-05. */
export type TransportType = 'stdio' | 'streamable-http' | 'sse';

/** True for a legacy revision that the broker supports. 2024-11-05 has stdio and HTTP+SSE, but no streamable HTTP. */
export function supportsLegacyVersion(version: string, transport: TransportType): boolean {
  return LEGACY_VERSIONS.includes(version) || (transport !== 'streamable-http' && version === '2024-11-05');
}

/** Era and revision of a server, and the time they were detected. */
export interface ServerVersion {
  readonly era: Era;
  readonly protocolVersion: string;
  /** Calendar time in milliseconds. */
  readonly atMs: number;
}

/** Remembered eras by server name. The era is a property of the server, not of a connection (versioning, 2026-07-28). */
export interface VersionStore {
  get(server: string): ServerVersion | undefined;
  set(server: string, record: ServerVersion): void;
}

/** Creates a version store in memory, for the life of the process. */
export function inMemoryVersionStore(): VersionStore {
  const records = new Map<string, ServerVersion>();
  return { get: (server) => records.get(server), set: (server, record) => void records.set(server, record) };
}
