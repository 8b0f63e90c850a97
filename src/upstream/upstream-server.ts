import type { Era } from '../domain/mcp/era.ts';
import type { JsonObject } from '../lib/json/json.ts';
import type { ServerFeatures } from './protocol/list-features.ts';

/** Tool server that runs as a child process, started without a shell in a process group of its own. */
export interface StdioServerParameters {
  readonly type: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
  /** Working directory. Default: that of the broker. */
  readonly cwd?: string;
  /** Resolves the declared variables and their secrets. Called at every start; the server does not start if it rejects. */
  resolveEnv(): Promise<Readonly<Record<string, string>>>;
}

/** Tool server at one fixed URL. Redirects are never followed. */
export interface HttpServerParameters {
  /** `sse` is the transport of 2024-11-05. With `streamable-http` it is tried if the server refuses a POST. */
  readonly type: 'streamable-http' | 'sse';
  readonly url: string;
  /** Resolves the declared headers and their secrets. Called whenever a session opens. Never an agent's own token. */
  resolveHeaders(): Promise<Readonly<Record<string, string>>>;
}

/** Settings of one tool server, with secrets still to resolve. */
export interface UpstreamServer {
  readonly name: string;
  /** Changes with every setting and secret of the server. A session of another revision is ended. */
  readonly revision: string;
  readonly transport: StdioServerParameters | HttpServerParameters;
  /** Deadline in milliseconds of requests that are not calls, such as `tools/list`. A call has that of its target. */
  readonly timeoutMs: number;
  /** Milliseconds that start, handshake and first listing may take together. */
  readonly startTimeoutMs: number;
  /** Milliseconds until connecting to an HTTP server fails. */
  readonly connectTimeoutMs: number;
  /** Milliseconds without a byte after which an HTTP response that has begun fails. */
  readonly stallTimeoutMs: number;
  /** Most tools that are read. */
  readonly maxTools: number;
  /** Most progress and log messages of one call that are forwarded. */
  readonly maxNotifications: number;
  /** Milliseconds without a call after which a session is ended. */
  readonly idleMs: number;
  /** One session for each principal, or one for all. */
  readonly sharing: 'principal' | 'all';
  /** Largest message in bytes that is read; a tool's own limit may be lower. */
  readonly maxResultBytes: number;
  /**
   * Client capabilities that discovery declares: all input that policy lets the server request of any agent. A server
   * may list more features to a client with more capabilities.
   */
  readonly discoveryCapabilities: JsonObject;
  /** Protocol era of the server. `auto` negotiates it once and remembers it. */
  readonly era: Era | 'auto';
}

/** Features of a server at its last listing: every definition verbatim, under its upstream name, in the server's order. */
export interface DiscoveredFeatures extends ServerFeatures {
  readonly era: Era;
  readonly protocolVersion: string;
  /** Calendar time in milliseconds. */
  readonly atMs: number;
}
