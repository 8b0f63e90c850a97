import { CAPABILITY_FOR, type InputRequestAction } from '../domain/question.ts';
import { isJsonObject, type JsonObject } from '../lib/json.ts';

/**
 * What of each capability a server may be told of; anything else a client declares is between others. Not
 * `sampling.context`: to the client the broker is one server, so that the context would be that of all of them.
 */
const FORWARDED_MEMBERS: Readonly<Record<InputRequestAction, readonly string[]>> = {
  elicit: ['form', 'url'],
  sample: ['tools'],
  roots: ['listChanged'],
};
const INPUT_ACTIONS = ['elicit', 'sample', 'roots'] as const;

/** True where a client declared that it can answer anything at all. */
export function canRespond(declared: JsonObject): boolean {
  return isJsonObject(declared.elicitation) || isJsonObject(declared.sampling) || isJsonObject(declared.roots);
}

/** What a tool server is told that it may ask: exactly what the agent's client declared and policy may allow. */
export function allowedCapabilities(
  declared: JsonObject,
  isAllowed: (action: InputRequestAction) => boolean,
): JsonObject {
  const allowed: Record<string, JsonObject> = {};
  for (const action of INPUT_ACTIONS) {
    const name = CAPABILITY_FOR[action];
    const capability = declared[name];
    if (!isJsonObject(capability) || !isAllowed(action)) continue;
    const members = FORWARDED_MEMBERS[action].flatMap((member) => {
      const value = capability[member];
      // Neither more nor other: each set of capabilities costs a session, and nobody may make up endless ones.
      if (isJsonObject(value)) return [[member, {}] as const];
      return value === true ? [[member, true] as const] : [];
    });
    allowed[name] = Object.fromEntries(members);
  }
  return allowed;
}
