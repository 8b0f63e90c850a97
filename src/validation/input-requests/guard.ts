import type { Call, InputRequestContext } from '../../domain/call.ts';
import type { Control } from '../../domain/control.ts';
import type { FailureMode } from '../../domain/failure-mode.ts';
import { CAPABILITY_FOR, serverAttribution } from '../../domain/mcp/input-request.ts';
import { allow, deny, type Verdict } from '../../domain/verdict.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { readSchema } from '../json-schema/read-schema.ts';
import { type FormFault, guardForm } from './guard-form.ts';

export const inputRequestFailureMode: FailureMode<'question-blocked'> = {
  control: 'input requests',
  trigger: 'a form asks for a secret, a URL is not safe to open, or the request is not valid MCP',
  result: 'question-blocked',
  override: null,
};

export const clientCapabilityFailureMode: FailureMode<'capability-missing'> = {
  control: 'capabilities',
  trigger: "a tool server's input request needs a capability that the agent's client has not declared",
  result: 'capability-missing',
  override: null,
};

type Fault = FormFault['fault'] | UrlFault | 'params' | 'mode';
const FAULT_MESSAGES: Readonly<Record<Fault, string>> = {
  params: 'its parameters are not valid MCP',
  mode: 'its mode is neither `form` nor `url`',
  form: 'its form has fields that are not plain texts, numbers, choices or booleans',
  'secret-field': 'its form asks for a secret; MCP allows that only at a URL of the server, never in a form',
  'secret-message': 'its message asks for a secret, and its form takes free text',
  url: 'its URL is not valid',
  'url-scheme': 'its URL is neither `https` nor `http` on this machine',
  'url-userinfo': 'its URL contains a user name, which can disguise the host',
};

/** Facts of the guard: fault (empty if none), index of the form's field (-1 if none), capability the client lacks. */
export type GuardFacts = { readonly fault: Fault | ''; readonly field: number; readonly missing: string };

const ALLOWED_FACTS: GuardFacts = Object.freeze({ fault: '', field: -1, missing: '' });

/**
 * Creates the control `guard-question`, the guard of input requests. It blocks forms that ask for secrets, URLs that are
 * not safe to open, malformed requests, and requests that the client has no capability for.
 */
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
    return deny(clientCapabilityFailureMode.result, `the client has not declared the capability \`${missing}\``);
  }
  if (fault === '') return allow();
  const place = field < 0 ? '' : ` (field ${field + 1})`;
  return deny(inputRequestFailureMode.result, `the input request is blocked: ${FAULT_MESSAGES[fault]}${place}`);
}

type GuardFault = { readonly fault: Fault; readonly field?: number };

/** Without a mode it is a form: 2025-06-18 has no other. The broker's attribution before the message is not checked. */
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

/** MCP 2025-11-25: `elicitation: {}` declares forms. URLs, and tools in sampling, are declared by their own members. */
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

/** Reason for which a URL is blocked. */
export type UrlFault = 'url' | 'url-scheme' | 'url-userinfo';

const MAX_URL_LENGTH = 8_192;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Blocks a URL that is not safe for a user to open (MCP 2025-11-25, elicitation, "URL mode"). The URL is passed on
 * unchanged and never fetched, so every parser has to read it alike: no spaces, no backslashes, no control characters.
 * @returns undefined if the URL may be shown.
 */
export function guardUrl(text: string): UrlFault | undefined {
  if (text.length > MAX_URL_LENGTH || !/^[\x21-\x5b\x5d-\x7e]+$/.test(toAsciiHost(text)) || !URL.canParse(text))
    return 'url';
  const { protocol, username, password, hostname } = new URL(text);
  if (protocol !== 'https:' && !(protocol === 'http:' && LOOPBACK.test(hostname))) return 'url-scheme';
  // A person reads `https://bank.example@evil.example` as the bank's.
  const authority = /^[a-z]+:\/*([^/?#]*)/i.exec(text)?.[1] ?? '';
  if (username !== '' || password !== '' || authority.includes('@')) return 'url-userinfo';
  return undefined;
}

/** Replaces letters of other scripts, which are allowed: the message to the user warns of them. */
function toAsciiHost(text: string): string {
  return text.replaceAll(/[\p{L}\p{M}\p{N}]/gu, 'a');
}

/** True for the content of a sampling message: one content block with a type, or a list of them. */
export function isSamplingContent(content: JsonValue | undefined): boolean {
  const blocks = Array.isArray(content) ? content : [content];
  return blocks.every((block) => isJsonObject(block) && typeof block.type === 'string');
}
