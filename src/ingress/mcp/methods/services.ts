import type { Broker } from '../../../broker/broker.ts';
import type { Ids } from '../../../lib/ids.ts';
import type { JsonObject } from '../../../lib/json/json.ts';
import type { Clock } from '../../../lib/time.ts';
import type { Log } from '../../../telemetry/log.ts';
import { type ListChangeFeed, openListChangeFeed } from '../client/list-changed.ts';
import type { MessageLimits } from '../protocol/json-rpc.ts';
import { Paginator } from './paginator.ts';

/** Dependencies of every MCP endpoint, from the composition root. */
export interface McpDeps {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Version of the broker, as sent to clients. */
  readonly version: string;
  /** Milliseconds for which a modern client may cache a list. */
  readonly listTtlMs: number;
  /** Maximum size of a message in bytes. Default: 1 MiB. */
  readonly maxMessageBytes?: number;
}

/** Dependencies of the methods, created once per endpoint. */
export interface McpServices extends McpDeps {
  readonly serverInfo: JsonObject;
  readonly limits: MessageLimits;
  readonly paginator: Paginator;
  readonly listChanges: ListChangeFeed;
}

const DEFAULT_MAX_MESSAGE_BYTES = 1_048_576;
const MAX_DEPTH = 128;

/** Creates the services of one endpoint. `listChanges` must be closed with the endpoint. */
export function createServices(deps: McpDeps): McpServices {
  return {
    ...deps,
    serverInfo: Object.freeze({ name: 'seneschal', version: deps.version }),
    limits: { maxBytes: deps.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES, maxDepth: MAX_DEPTH },
    paginator: new Paginator(deps.ids.randomBytes(32)),
    listChanges: openListChangeFeed(deps.broker),
  };
}

/** Returns the class of a thrown value, for the log: its message could contain what must not be logged. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
