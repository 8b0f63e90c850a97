import { CAPABILITY_OF, type QuestionAction } from '../domain/question.ts';
import { isJsonObject, type JsonObject } from '../lib/json.ts';

/**
 * What of each capability a server may be told of; anything else a client declares is between others. Not
 * `sampling.context`: to the client the broker is one server, so that the context would be that of all of them.
 */
const MEMBERS: Readonly<Record<QuestionAction, readonly string[]>> = {
  elicit: ['form', 'url'],
  sample: ['tools'],
  roots: ['listChanged'],
};
const ACTIONS = ['elicit', 'sample', 'roots'] as const;

/** True where a client declared that it can answer anything at all. */
export function canAnswer(declared: JsonObject): boolean {
  return isJsonObject(declared.elicitation) || isJsonObject(declared.sampling) || isJsonObject(declared.roots);
}

/** What a tool server is told that it may ask: exactly what the agent's client declared and policy may allow. */
export function allowedCapabilities(declared: JsonObject, mayAsk: (action: QuestionAction) => boolean): JsonObject {
  const allowed: Record<string, JsonObject> = {};
  for (const action of ACTIONS) {
    const name = CAPABILITY_OF[action];
    const capability = declared[name];
    if (!isJsonObject(capability) || !mayAsk(action)) continue;
    const members = MEMBERS[action].flatMap((member) => {
      const value = capability[member];
      // Neither more nor other: each set of capabilities costs a session, and nobody may make up endless ones.
      if (isJsonObject(value)) return [[member, {}] as const];
      return value === true ? [[member, true] as const] : [];
    });
    allowed[name] = Object.fromEntries(members);
  }
  return allowed;
}
