import { existsSync } from 'node:fs';
import type { Problem } from '../../domain/problem.ts';
import { type ApiKeyRecord, readApiKeys } from '../../identity/api-keys.ts';
import { globMatches } from '../../lib/text/glob.ts';
import { principalSubjects } from '../../policy/authorize.ts';
import { databasePathOf } from '../../storage/data-directory.ts';
import { readLedger } from '../queries/ledger.ts';
import type { PolicyFiles } from '../queries/policy.ts';
import type { Settings } from '../settings.ts';
import { type Check, NO_FINDINGS } from './check.ts';

/** Checks that every declared agent has a grant and, if keys are in use, a key. */
export const agentsCheck: Check = {
  name: 'agents',
  run: ({ settings, files, clock }) => {
    if (!files) return NO_FINDINGS;
    const nowMs = clock.wallMs();
    const agentsWithKey = new Set(
      storedKeys(settings)
        .filter(
          ({ revokedAtMs, expiresAtMs = Number.POSITIVE_INFINITY }) => revokedAtMs === undefined && expiresAtMs > nowMs,
        )
        .map(({ agent }) => agent),
    );
    const names = [...files.registry.agents.keys()].sort();
    const withoutAnyGrant = names.filter((name) => !hasGrant(name, files));
    return {
      findings: [
        // If no agent has a key, agents connect over stdio, which needs none.
        ...(agentsWithKey.size === 0 ? [] : names.filter((name) => !agentsWithKey.has(name))).map((name) =>
          withoutKey(name, settings.registry),
        ),
        ...withoutAnyGrant.map((name) => withoutGrant(name, settings.registry)),
      ],
    };
  },
};

/** True if a row allows the agent anything, under any condition: the tools of a server may not be known yet. */
function hasGrant(name: string, { rules: { policySet }, registry }: PolicyFiles): boolean {
  const team = registry.agents.get(name)?.team;
  const subjects = principalSubjects(policySet, { id: `agent:${name}`, ...(team === undefined ? {} : { team }) });
  return policySet.rows.some(
    (row) => row.effect === 'allow' && subjects.some((subject) => globMatches(row.subject, subject)),
  );
}

function withoutKey(name: string, registry: string): Problem {
  return {
    code: 'doctor-agent-without-key',
    at: `${registry}/agents/${name}.yaml`,
    message: `agent:${name} has no key: it can connect over stdio, but not over HTTP`,
    hint: `create a key with \`seneschal keys create agent:${name}\``,
    severity: 'warning',
  };
}

function withoutGrant(name: string, registry: string): Problem {
  return {
    code: 'doctor-agent-without-grant',
    at: `${registry}/agents/${name}.yaml`,
    message: `no grant applies to agent:${name}, its roles or its team: it may call nothing`,
    hint: `see why with \`seneschal policy list --as agent:${name} --all\`, or remove the file`,
    severity: 'warning',
  };
}

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
