import { existsSync } from 'node:fs';
import type { Problem } from '../../domain/problem.ts';
import { type ApiKeyRecord, readApiKeys } from '../../identity/key-store.ts';
import { databasePathOf } from '../../storage/data-directory.ts';
import { readLedger } from '../ledger-questions.ts';
import type { Settings } from '../settings.ts';
import type { Check } from './check.ts';

const DAY_MS = 86_400_000;
const EXPIRY_WARNING_MS = 14 * DAY_MS;

/** No key that is in use has run out or will do so within 14 days. */
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

/** Every key that was ever made; none where no broker has run. */
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
    const hint = `make the next one with \`seneschal keys create agent:${agent} --expires 90d\``;
    return [{ code: 'doctor-key-expiring', at, message, hint, severity: 'warning' }];
  }
  const message = `the key of agent:${agent} expired on ${day}`;
  const hint = hasAnother
    ? `take it out with \`seneschal keys revoke ${id}\``
    : `make a new one with \`seneschal keys create agent:${agent} --expires 90d\`, then \`seneschal keys revoke ${id}\``;
  // An agent without any other key is locked out.
  return [{ code: 'doctor-key-expired', at, message, hint, severity: hasAnother ? 'warning' : 'error' }];
}
