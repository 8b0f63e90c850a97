import type { SseStreams } from '../sse-streams.ts';
import type { HttpExchange } from './http-exchange.ts';
import type { LegacySessions } from './legacy-sessions.ts';
import type { InFlightCalls } from './open-calls.ts';
import type { McpServices } from './services.ts';
import type { SendBufferBudget } from './unread-room.ts';

/** What the routes of `/mcp` share. */
export interface EndpointState {
  readonly services: McpServices;
  readonly sessions: LegacySessions;
  readonly streams: SseStreams;
  readonly inFlightCalls: InFlightCalls;
  readonly sendBuffer: SendBufferBudget;
  /** Open subscriptions of each principal. */
  readonly subscriptionCounts: Map<string, number>;
  /** True while the headers of a long exchange still prove the same principal. */
  isStillAuthenticated(exchange: HttpExchange): boolean;
}
