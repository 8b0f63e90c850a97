import type { Broker } from '../../../broker/broker.ts';
import type { Ids } from '../../../lib/ids.ts';
import type { JsonObject } from '../../../lib/json/json.ts';
import type { Clock } from '../../../lib/time.ts';
import type { Log } from '../../../telemetry/log.ts';
import { type ListChangeFeed, openListChangeFeed } from '../client/list-changed.ts';
import type { EnvelopeLimits } from '../protocol/json-rpc.ts';
import { Paginator } from './pagination.ts';

/** What every door of MCP is given from above. */
export interface McpDeps {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Version of the broker, told to clients. */
  readonly version: string;
  /** For how long a modern client may keep a list, in milliseconds. */
  readonly listTtlMs: number;
  /** Largest message in bytes. Default: 1 MiB. */
  readonly maxMessageBytes?: number;
}

/** What the methods need, made once per door. */
export interface McpServices extends McpDeps {
  readonly serverInfo: JsonObject;
  readonly limits: EnvelopeLimits;
  readonly paginator: Paginator;
  readonly listChanges: ListChangeFeed;
}

const DEFAULT_MAX_MESSAGE_BYTES = 1_048_576;
const MAX_DEPTH = 128;

/** Makes the services of one door; `changes` has to be closed with it. */
export function createServices(deps: McpDeps): McpServices {
  return {
    ...deps,
    serverInfo: Object.freeze({ name: 'seneschal', version: deps.version }),
    limits: { maxBytes: deps.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES, maxDepth: MAX_DEPTH },
    paginator: new Paginator(deps.ids.randomBytes(32)),
    listChanges: openListChangeFeed(deps.broker),
  };
}
