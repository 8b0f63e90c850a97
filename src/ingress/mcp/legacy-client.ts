import type { LogLevel } from '../../domain/agent-link.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { ClientRequests } from './agent-questions.ts';
import { ResourceSubscriptions } from './held-resources.ts';

/** What a legacy client said of itself and asked to be told, for as long as its session lives. */
export interface LegacyClient {
  /** What it said at `initialize` that it can do. */
  readonly capabilities: JsonObject;
  /** What it set last; undefined until then. */
  logLevel: LogLevel | undefined;
  readonly subscriptions: ResourceSubscriptions;
  /** What it was asked; made with the first request that may lead to a question. */
  requests?: ClientRequests;
  /** Sends what belongs to no request; false where there is no way, and it is dropped. MUST NOT throw. */
  notify: (json: string) => boolean;
}

const MAX_CAPABILITIES_LENGTH = 4_096;

/** A client of a session that begins. One that says more of itself than any has to say is one that can do nothing. */
export function createLegacyClient(declared: JsonObject): LegacyClient {
  const capabilities = JSON.stringify(declared).length <= MAX_CAPABILITIES_LENGTH ? declared : {};
  return { capabilities, logLevel: undefined, subscriptions: new ResourceSubscriptions(), notify: () => false };
}
