import type { Call, InputRequestContext } from '../domain/call.ts';
import type { Control } from '../domain/control.ts';
import type { FailureMode } from '../domain/posture.ts';
import { CAPABILITY_FOR, serverAttribution } from '../domain/question.ts';
import { allow, deny, type Verdict } from '../domain/verdict.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import { isSamplingContent } from './model-content.ts';
import { checkForm, type FormFault } from './question-form.ts';
import { checkUrl, type UrlFault } from './question-url.ts';
import { readSchema } from './read-schema.ts';

export const inputRequestFailureMode: FailureMode<'question-blocked'> = {
  control: 'questions',
  trigger: 'a form asks for a secret, a URL is not safe to open, or the question is no MCP',
  result: 'question-blocked',
  override: null,
};

export const clientCapabilityFailureMode: FailureMode<'capability-missing'> = {
  control: 'capabilities',
  trigger: "a tool server asks what the agent's client has not declared",
  result: 'capability-missing',
  override: null,
};

type Fault = FormFault['fault'] | UrlFault | 'params' | 'mode';
const FAULT_MESSAGES: Readonly<Record<Fault, string>> = {
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

const ALLOWED_FACTS: GuardFacts = Object.freeze({ fault: '', field: -1, missing: '' });

/** The control `guard-question`: a question is one that an agent's user may be asked, and that the client can answer. */
export function guardInputRequest(): Control<GuardFacts> {
  return {
    name: 'guard-question',
    gather: ({ call }) => gather(call),
    decide: (_exchange, facts) => decide(facts),
  };
}

function gather({ action, args, inputRequest, target }: Call): GuardFacts {
  const prefix = target.kind === 'server' ? serverAttribution(target.server) : '';
  const finding = action === 'elicit' ? checkElicitation(args, prefix) : checkRequest(action, args);
  if (finding !== undefined) return { ...ALLOWED_FACTS, fault: finding.fault, field: finding.field ?? -1 };
  const missing = missingCapability(action, args, inputRequest);
  return missing === undefined ? ALLOWED_FACTS : { ...ALLOWED_FACTS, missing };
}

function decide({ fault, field, missing }: GuardFacts): Verdict {
  if (missing !== '') {
    return deny(clientCapabilityFailureMode.result, `the client has not declared that it can answer it (${missing})`);
  }
  if (fault === '') return allow();
  const place = field < 0 ? '' : ` (field ${field + 1})`;
  return deny(inputRequestFailureMode.result, `the question is not asked: ${FAULT_MESSAGES[fault]}${place}`);
}

type GuardFault = { readonly fault: Fault; readonly field?: number };

/** A question without a mode is a form: 2025-06-18 has no other. What we put before the message is not judged. */
function checkElicitation(
  { message, mode = 'form', requestedSchema, url }: JsonObject,
  prefix: string,
): GuardFault | undefined {
  if (typeof message !== 'string') return { fault: 'params' };
  if (mode === 'url') {
    const fault = typeof url === 'string' ? checkUrl(url) : 'url';
    return fault && { fault };
  }
  if (mode !== 'form') return { fault: 'mode' };
  const finding = checkForm(requestedSchema, message.startsWith(prefix) ? message.slice(prefix.length) : message);
  if (finding !== undefined) return finding;
  return readSchema(requestedSchema as JsonValue).admitted ? undefined : { fault: 'form' };
}

function checkRequest(action: Call['action'], args: JsonObject): GuardFault | undefined {
  if (action === 'roots') return undefined;
  const { messages, maxTokens } = args;
  const isValid =
    Array.isArray(messages) &&
    messages.every(isSamplingMessage) &&
    typeof maxTokens === 'number' &&
    Number.isFinite(maxTokens);
  return isValid ? undefined : { fault: 'params' };
}

function isSamplingMessage(message: JsonValue): boolean {
  return (
    isJsonObject(message) &&
    (message.role === 'user' || message.role === 'assistant') &&
    isSamplingContent(message.content)
  );
}

/** MCP 2025-11-25: `elicitation: {}` means forms; URLs, and tools in sampling, are declared by members of their own. */
function missingCapability(
  action: Call['action'],
  args: JsonObject,
  inputRequest: InputRequestContext | undefined,
): string | undefined {
  if (action !== 'elicit' && action !== 'sample' && action !== 'roots') return 'none';
  const name = CAPABILITY_FOR[action];
  const declared = inputRequest?.capabilities[name];
  if (!isJsonObject(declared)) return name;
  if (action === 'elicit') {
    if (args.mode === 'url') return isJsonObject(declared.url) ? undefined : 'elicitation.url';
    return declared.form === undefined && declared.url !== undefined ? 'elicitation.form' : undefined;
  }
  const usesTools = action === 'sample' && (args.tools !== undefined || args.toolChoice !== undefined);
  return usesTools && !isJsonObject(declared.tools) ? 'sampling.tools' : undefined;
}
