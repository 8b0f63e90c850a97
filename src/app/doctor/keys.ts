import { existsSync } from 'node:fs';
import type { Problem } from '../../domain/problem.ts';
import { type ApiKeyRecord, readApiKeys } from '../../identity/api-keys.ts';
import { databasePathOf } from '../../storage/data-directory.ts';
import { readLedger } from '../queries/ledger.ts';
import type { Settings } from '../settings.ts';
import type { Check } from './check.ts';

const DAY_MS = 86_400_000;
const EXPIRY_WARNING_MS = 14 * DAY_MS;

/** Checks that no active key has expired or expires within 14 days. */
export const keysCheck: Check = {
  name: 'keys',
  run: ({ settings, clock }) => {
    const nowMs = clock.wallMs();
    const inUse = storedKeys(settings).filter(({ revokedAtMs }) => revokedAtMs === undefined);
    const agentsWithValidKey = new Set(
      inUse.filter((key) => (key.expiresAtMs ?? Number.POSITIVE_INFINITY) > nowMs).map(({ agent }) => agent),
    );
    return {
      findings: inUse.flatMap((key) => expiryProblems(key, nowMs, agentsWithValidKey.has(key.agent))),
      facts: { keys: inUse.length },
    };
  },
};

/** Every key that was ever created; none if no broker has run. */
export function storedKeys(settings: Settings): readonly ApiKeyRecord[] {
  return existsSync(databasePathOf(settings.data)) ? readLedger(settings, readApiKeys) : [];
}

function expiryProblems(
  { id, agent, expiresAtMs }: ApiKeyRecord,
  nowMs: number,
  hasAnother: boolean,
): readonly Problem[] {
  if (expiresAtMs === undefined || expiresAtMs > nowMs + EXPIRY_WARNING_MS) return [];
  const day = new Date(expiresAtMs).toISOString().slice(0, 10);
  const at = `key ${id}`;
  if (expiresAtMs > nowMs) {
    const message = `the key of agent:${agent} expires in ${Math.ceil((expiresAtMs - nowMs) / DAY_MS)} days, on ${day}`;
    const hint = `create the next key with \`seneschal keys create agent:${agent} --expires 90d\``;
    return [{ code: 'doctor-key-expiring', at, message, hint, severity: 'warning' }];
  }
  const message = `the key of agent:${agent} expired on ${day}`;
  const hint = hasAnother
    ? `remove it with \`seneschal keys revoke ${id}\``
    : `create a key with \`seneschal keys create agent:${agent} --expires 90d\`, then run \`seneschal keys revoke ${id}\``;
  // An agent without another key cannot connect over HTTP.
  return [{ code: 'doctor-key-expired', at, message, hint, severity: hasAnother ? 'warning' : 'error' }];
}
