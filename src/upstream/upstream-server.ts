import type { Era } from '../domain/mcp/era.ts';
import type { JsonObject } from '../lib/json/json.ts';
import type { ServerFeatures } from './protocol/list-features.ts';

/** A tool server that is a child process of the broker. Started without a shell, in a process group of its own. */
export interface StdioServerParameters {
  readonly type: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
  /** Working directory. Default: that of the broker. */
  readonly cwd?: string;
  /** The declared variables with their secrets resolved. Asked at every start; a rejection keeps the server down. */
  resolveEnv(): Promise<Readonly<Record<string, string>>>;
}

/** A tool server behind one fixed URL. Redirects are never followed. */
export interface HttpServerParameters {
  /** `sse` is the transport of 2024-11-05; with the other it is tried where a server refuses to be posted to. */
  readonly type: 'streamable-http' | 'sse';
  readonly url: string;
  /** The declared headers with their secrets resolved. Asked whenever a session opens; never an agent's own token. */
  resolveHeaders(): Promise<Readonly<Record<string, string>>>;
}

/** What the back door must know of one tool server. */
export interface UpstreamServer {
  readonly name: string;
  /** Changes whenever a setting or a secret of this server does: a running session of another revision is ended. */
  readonly revision: string;
  readonly transport: StdioServerParameters | HttpServerParameters;
  /** Deadline in milliseconds of what is not a call, such as `tools/list`; a call has that of its target. */
  readonly timeoutMs: number;
  /** Milliseconds that start, handshake and first listing may take together. */
  readonly startTimeoutMs: number;
  /** Milliseconds until a connection to an HTTP server is given up. */
  readonly connectTimeoutMs: number;
  /** Milliseconds without a byte after which an answer of an HTTP server that has begun is given up. */
  readonly stallTimeoutMs: number;
  /** Most tools that are read. */
  readonly maxTools: number;
  /** Most progress and log messages of one call that are handed on. */
  readonly maxNotifications: number;
  /** Milliseconds without a call after which a session is ended. */
  readonly idleMs: number;
  /** One session for each principal, or one for all. */
  readonly sharing: 'principal' | 'all';
  /** Largest message in bytes that is read; a tool's own limit may be lower. */
  readonly maxResultBytes: number;
  /**
   * What it is told when nobody in particular asks: whatever policy lets it ask of any agent, as capabilities of a client.
   * Servers offer more to clients that can do more.
   */
  readonly discoveryCapabilities: JsonObject;
  /** Which protocol era the server speaks; `auto` asks it once and remembers. */
  readonly era: Era | 'auto';
}

/** What a server declared when it was last asked: every definition verbatim, under its upstream name, in its own order. */
export interface DiscoveredFeatures extends ServerFeatures {
  readonly era: Era;
  readonly protocolVersion: string;
  /** Calendar time in milliseconds. */
  readonly atMs: number;
}
