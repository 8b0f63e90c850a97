import type { SseStreams } from '../sse-streams.ts';
import type { HttpExchange } from './http-exchange.ts';
import type { LegacySessions } from './legacy-sessions.ts';
import type { OpenCalls } from './open-calls.ts';
import type { McpServices } from './services.ts';
import type { UnreadRoom } from './unread-room.ts';

/** What the routes of `/mcp` share. */
export interface HttpState {
  readonly services: McpServices;
  readonly sessions: LegacySessions;
  readonly streams: SseStreams;
  readonly openCalls: OpenCalls;
  readonly unread: UnreadRoom;
  /** Open subscriptions of each principal. */
  readonly subscriptionsOf: Map<string, number>;
  /** True while the headers of a long exchange still prove the same principal. */
  provesSame(exchange: HttpExchange): boolean;
}
