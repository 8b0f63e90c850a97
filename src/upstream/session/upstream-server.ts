import type { Era } from '../../domain/mcp/era.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import type { ServerFeatures } from '../protocol/list-features.ts';

/** A tool server that is a child process of the broker, started without a shell in its own process group. */
export interface StdioServerParameters {
  readonly type: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
  /** Working directory. Default: the broker's. */
  readonly cwd?: string;
  /** Resolves the secrets of the declared variables. Called at every start; if it rejects, the server is not started. */
  resolveEnv(): Promise<Readonly<Record<string, string>>>;
}

/** A tool server behind one fixed URL. Redirects are never followed. */
export interface HttpServerParameters {
  /** `sse` is HTTP+SSE of 2024-11-05. With `streamable-http` it is tried if the server refuses a POST. */
  readonly type: 'streamable-http' | 'sse';
  readonly url: string;
  /** Resolves the secrets of the declared headers. Called whenever a session opens. Never an agent's own token. */
  resolveHeaders(): Promise<Readonly<Record<string, string>>>;
}

/** Parameters of one tool server. */
export interface UpstreamServer {
  readonly name: string;
  /** Differs after any change of the server's settings or secrets; sessions of another revision are ended. */
  readonly revision: string;
  readonly transport: StdioServerParameters | HttpServerParameters;
  /** Timeout in milliseconds of requests that are not calls, such as `tools/list`. A call has the timeout of its target. */
  readonly timeoutMs: number;
  /** Timeout in milliseconds of start, negotiation and first listing together. */
  readonly startTimeoutMs: number;
  /** Timeout in milliseconds of a connection to an HTTP server. */
  readonly connectTimeoutMs: number;
  /** Milliseconds without a byte after which a response of an HTTP server that has begun is abandoned. */
  readonly stallTimeoutMs: number;
  /** Limit of the tools that are listed. */
  readonly maxTools: number;
  /** Limit of the progress and log messages that are passed on per call. */
  readonly maxNotifications: number;
  /** Milliseconds without a call after which a session is closed. */
  readonly idleMs: number;
  /** One session per principal, or one for all. */
  readonly sharing: 'principal' | 'all';
  /** Limit of one message, in bytes. A tool's own limit may be lower. */
  readonly maxResultBytes: number;
  /**
   * Client capabilities for discovery, which is on behalf of no agent: everything that policy lets the server request of
   * any agent. Servers declare more features to clients with more capabilities.
   */
  readonly discoveryCapabilities: JsonObject;
  /** Protocol era of the server; `auto` detects and remembers it. */
  readonly era: Era | 'auto';
}

/** Features from the last discovery: each definition verbatim, by its upstream name, in the server's order. */
export interface DiscoveredFeatures extends ServerFeatures {
  readonly era: Era;
  readonly protocolVersion: string;
  /** Calendar time in milliseconds. */
  readonly atMs: number;
}
