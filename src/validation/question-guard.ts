import type { Call, QuestionContext } from '../domain/call.ts';
import type { Control } from '../domain/control.ts';
import type { PostureRow } from '../domain/posture.ts';
import { askedBy, CAPABILITY_OF } from '../domain/question.ts';
import { allow, deny, type Verdict } from '../domain/verdict.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import { isModelContent } from './model-content.ts';
import { type FormFault, faultOfForm } from './question-form.ts';
import { faultOfUrl, type UrlFault } from './question-url.ts';
import { readSchema } from './read-schema.ts';

export const questionPosture: PostureRow<'question-blocked'> = {
  guard: 'questions',
  when: 'a form asks for a secret, a URL is not safe to open, or the question is no MCP',
  yields: 'question-blocked',
  opens: null,
};

export const capabilityPosture: PostureRow<'capability-missing'> = {
  guard: 'capabilities',
  when: "a tool server asks what the agent's client has not declared",
  yields: 'capability-missing',
  opens: null,
};

type Fault = FormFault['fault'] | UrlFault | 'params' | 'mode';
const FAULTS: Readonly<Record<Fault, string>> = {
  params: 'it is not what MCP asks with',
  mode: 'its mode is neither `form` nor `url`',
  form: 'its form has fields that are not plain texts, numbers, choices or yes-or-no',
  'secret-field': 'its form asks for a secret, which is asked for at a URL of the server and never in a form',
  'secret-message': 'its message asks for a secret, and its form takes free text',
  url: 'its URL cannot be read',
  'url-scheme': 'its URL is neither `https` nor `http` of this machine',
  'url-userinfo': 'its URL holds a user name, as those of impostors do',
};

/** What is wrong with the question (empty: nothing), which field of a form that is (-1: none), what the client lacks. */
export type GuardFacts = { readonly fault: Fault | ''; readonly field: number; readonly missing: string };

const FINE: GuardFacts = Object.freeze({ fault: '', field: -1, missing: '' });

/** The control `guard-question`: a question is one that an agent's user may be asked, and that the client can answer. */
export function guardQuestion(): Control<GuardFacts> {
  return {
    name: 'guard-question',
    gather: ({ call }) => gather(call),
    decide: (_exchange, facts) => decide(facts),
  };
}

function gather({ action, args, question, target }: Call): GuardFacts {
  const prefix = target.kind === 'server' ? askedBy(target.server) : '';
  const found = action === 'elicit' ? faultOfElicitation(args, prefix) : faultOfOther(action, args);
  if (found !== undefined) return { ...FINE, fault: found.fault, field: found.field ?? -1 };
  const missing = missingCapability(action, args, question);
  return missing === undefined ? FINE : { ...FINE, missing };
}

function decide({ fault, field, missing }: GuardFacts): Verdict {
  if (missing !== '') {
    return deny(capabilityPosture.yields, `the client has not declared that it can answer it (${missing})`);
  }
  if (fault === '') return allow();
  const place = field < 0 ? '' : ` (field ${field + 1})`;
  return deny(questionPosture.yields, `the question is not asked: ${FAULTS[fault]}${place}`);
}

type Found = { readonly fault: Fault; readonly field?: number };

/** A question without a mode is a form: 2025-06-18 has no other. What we put before the message is not judged. */
function faultOfElicitation(
  { message, mode = 'form', requestedSchema, url }: JsonObject,
  prefix: string,
): Found | undefined {
  if (typeof message !== 'string') return { fault: 'params' };
  if (mode === 'url') {
    const fault = typeof url === 'string' ? faultOfUrl(url) : 'url';
    return fault && { fault };
  }
  if (mode !== 'form') return { fault: 'mode' };
  const found = faultOfForm(requestedSchema, message.startsWith(prefix) ? message.slice(prefix.length) : message);
  if (found !== undefined) return found;
  return readSchema(requestedSchema as JsonValue).admitted ? undefined : { fault: 'form' };
}

function faultOfOther(action: Call['action'], args: JsonObject): Found | undefined {
  if (action === 'roots') return undefined;
  const { messages, maxTokens } = args;
  const isSound =
    Array.isArray(messages) && messages.every(isMessage) && typeof maxTokens === 'number' && Number.isFinite(maxTokens);
  return isSound ? undefined : { fault: 'params' };
}

function isMessage(message: JsonValue): boolean {
  return (
    isJsonObject(message) &&
    (message.role === 'user' || message.role === 'assistant') &&
    isModelContent(message.content)
  );
}

/** MCP 2025-11-25: `elicitation: {}` means forms; URLs, and tools in sampling, are declared by members of their own. */
function missingCapability(
  action: Call['action'],
  args: JsonObject,
  question: QuestionContext | undefined,
): string | undefined {
  if (action !== 'elicit' && action !== 'sample' && action !== 'roots') return 'none';
  const name = CAPABILITY_OF[action];
  const declared = question?.capabilities[name];
  if (!isJsonObject(declared)) return name;
  if (action === 'elicit') {
    if (args.mode === 'url') return isJsonObject(declared.url) ? undefined : 'elicitation.url';
    return declared.form === undefined && declared.url !== undefined ? 'elicitation.form' : undefined;
  }
  const usesTools = action === 'sample' && (args.tools !== undefined || args.toolChoice !== undefined);
  return usesTools && !isJsonObject(declared.tools) ? 'sampling.tools' : undefined;
}
