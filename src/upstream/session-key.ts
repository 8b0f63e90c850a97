import { canonicalJson } from '../lib/canonical-json.ts';
import type { JsonObject } from '../lib/json.ts';

/** On whose behalf a call is made. */
export interface Caller {
  readonly principalId: string;
  /** The session of a legacy client, or `stateless`. */
  readonly session: string;
}

export const NO_CAPABILITIES: JsonObject = Object.freeze({});

/**
 * Which session of a server serves a caller: one for each principal and set of capabilities that the server is told. A
 * server keeps the roots that it was told of, so that with them each legacy client has one of its own.
 */
export function sessionKey({ principalId, session }: Caller, clientCapabilities: JsonObject): string {
  if (clientCapabilities === NO_CAPABILITIES) return principalId;
  return `${sessionKeyPrefix({ principalId, session: clientCapabilities.roots === undefined ? '' : session })}${canonicalJson(clientCapabilities)}`;
}

/** What the keys begin with of all sessions that were told of a client's roots. */
export function sessionKeyPrefix({ principalId, session }: Caller): string {
  return `${principalId} ${session} `;
}
