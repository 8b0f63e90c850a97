import { CAPABILITY_FOR } from '../domain/question.ts';
import type { JsonObject } from '../lib/json.ts';
import { principalSubjects } from '../policy/authorize.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import type { Registry } from '../registry/load.ts';

const CAPABILITIES = {
  elicit: { form: {}, url: {} },
  sample: {},
  roots: {},
} as const;

/**
 * What policy lets a server ask of any agent that is declared, as the capabilities of a client: what it is told when it
 * lists what it offers on nobody's behalf.
 */
export function allowedClientCapabilities(registry: Registry, policySet: PolicySet, server: string): JsonObject {
  const subjectsByAgent = [...registry.agents.values()].map(({ name, team }) =>
    principalSubjects(policySet, { id: `agent:${name}`, ...(team === undefined ? {} : { team }) }),
  );
  const capabilities: Record<string, JsonObject> = {};
  for (const action of ['elicit', 'sample', 'roots'] as const) {
    const object = `server:${server}`;
    if (!subjectsByAgent.some((subjects) => policySet.couldAllow({ subjects, object, action }))) continue;
    capabilities[CAPABILITY_FOR[action]] = CAPABILITIES[action];
  }
  return capabilities;
}
