import { isDeepStrictEqual } from 'node:util';
import type { PayloadRetention, Risk } from '../domain/target.ts';
import type { JsonObject } from '../lib/json.ts';

/** Names of tools by MCP 2025-11-25, "Tool Names": 1 to 128 of `A-Z a-z 0-9 _ - .`. */
export const TOOL_NAME: RegExp = /^[A-Za-z0-9_.-]{1,128}$/;

/** What the operator says of one tool. */
export interface ToolSettings {
  readonly risk: Risk;
  readonly costNanoUsd: number;
  readonly labels: readonly string[];
  /** Arguments that no header may repeat, by their path with dots. */
  readonly secretArguments: readonly string[];
  readonly output?: JsonObject;
  readonly maxResultBytes: number;
  readonly timeoutMs: number;
}

export interface StdioTransport {
  readonly type: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
  /** Texts with secret references in them. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface HttpTransport {
  readonly type: 'streamable-http' | 'sse';
  readonly url: string;
  /** Texts with secret references in them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One tool server, as its file declares it, with every default filled in. */
export interface ServerSettings {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly transport: StdioTransport | HttpTransport;
  readonly timeoutMs: number;
  readonly startTimeoutMs: number;
  readonly idleMs: number;
  readonly connectTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly refreshMs: number;
  readonly sharing: 'principal' | 'all';
  readonly pin: 'auto' | 'lock';
  readonly era: 'auto' | 'legacy' | 'modern';
  readonly payloads: PayloadRetention;
  readonly payloadMaxBytes: number;
  readonly maxResultBytes: number;
  readonly maxTools: number;
  /** Most progress and log messages of one call that are handed on, and, counted apart, of the server's requests that are answered. */
  readonly maxNotifications: number;
  readonly tools: ReadonlyMap<string, ToolSettings>;
  /** What holds for tools that `tools` does not name. */
  readonly unlisted: ToolSettings;
}

/** Whether what the one was seen to offer holds for the other: both are there, and are reached in the same way. */
export function isSameServer(one: ServerSettings | undefined, other: ServerSettings | undefined): boolean {
  return one !== undefined && other !== undefined && isDeepStrictEqual(one.transport, other.transport);
}
