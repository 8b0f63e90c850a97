import type { Call, InputRequestContext } from '../../domain/call.ts';
import type { Control } from '../../domain/control.ts';
import type { FailureMode } from '../../domain/failure-mode.ts';
import { CAPABILITY_FOR, serverAttribution } from '../../domain/mcp/input-request.ts';
import { allow, deny, type Verdict } from '../../domain/verdict.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { readSchema } from '../json-schema/read-schema.ts';
import { type FormFault, guardForm } from './form-guard.ts';

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
    const fault = typeof url === 'string' ? guardUrl(url) : 'url';
    return fault && { fault };
  }
  if (mode !== 'form') return { fault: 'mode' };
  const finding = guardForm(requestedSchema, message.startsWith(prefix) ? message.slice(prefix.length) : message);
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

/** What keeps a URL from being shown. */
export type UrlFault = 'url' | 'url-scheme' | 'url-userinfo';

const MAX_URL_LENGTH = 8_192;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * What is wrong with the URL that a user is asked to open (MCP 2025-11-25, elicitation, "URL mode"). It is sent on as it
 * came and never fetched by us, so that all readers have to read it alike: no spaces, no backslashes, no control characters.
 */
export function guardUrl(text: string): UrlFault | undefined {
  if (text.length > MAX_URL_LENGTH || !/^[\x21-\x5b\x5d-\x7e]+$/.test(toAsciiHost(text)) || !URL.canParse(text))
    return 'url';
  const { protocol, username, password, hostname } = new URL(text);
  if (protocol !== 'https:' && !(protocol === 'http:' && LOOPBACK.test(hostname))) return 'url-scheme';
  // `https://bank.example@evil.example` is read as the bank by those who read from the left.
  const authority = /^[a-z]+:\/*([^/?#]*)/i.exec(text)?.[1] ?? '';
  if (username !== '' || password !== '' || authority.includes('@')) return 'url-userinfo';
  return undefined;
}

/** Letters of other scripts may stand in a host and nowhere hide: the message tells of them. */
function toAsciiHost(text: string): string {
  return text.replaceAll(/[\p{L}\p{M}\p{N}]/gu, 'a');
}

/** True for what a message of a model holds: one content block that names its type, or a list of such. */
export function isSamplingContent(content: JsonValue | undefined): boolean {
  const blocks = Array.isArray(content) ? content : [content];
  return blocks.every((block) => isJsonObject(block) && typeof block.type === 'string');
}
