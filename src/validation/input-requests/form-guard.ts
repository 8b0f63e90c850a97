import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { isSecretKey } from '../../lib/secrets/detect-secret.ts';
import { toAsciiConfusable } from '../../lib/text/confusables.ts';

/** What keeps a form from being shown; `field` is the place of the field among the fields. */
export interface FormFault {
  readonly fault: 'form' | 'secret-field' | 'secret-message';
  readonly field?: number;
}

const MAX_FIELDS = 100;
/** In characters; what is denied further off is not denied. */
const MAX_NEGATION_WORDS = 64;
/** What may stand between a negation and what is denied, as in `do not give us your password`; `not only` is none. */
const NEGATIONS_BEFORE =
  /\b(?:not|never|no|without|don['’]t)(?: (?:enter|type|paste|give|send|share|tell|provide|include|write|put))?(?: in)?(?: (?:us|me|here))?(?: (?:a|an|any|the|your))?\s+$/i;
/** `do not give us your phone number, pin`: a list of what is denied, without a word that would begin something else. */
const NEGATED_LIST_WORDS =
  /\b(?:not|never|don['’]t) (?:enter|type|paste|give|send|share|tell|provide|include|write|put)(?: (?:us|me|here))? (?:an?|any|the|your)(?: (?!(?:with|to|for|as|in|on|by|of|which|that|it|and|but|then)\b)[\w'-]+){1,3},(?: (?:an?|any|the|your))?\s+$/i;
/** `a pin or password`: what is denied of the one is denied of the other. */
const NEGATION_CONNECTORS = /^\s+n?or(?: (?:a|an|any|the|your))?\s+$/i;
/** Words of titles and descriptions that stand before what nobody types into another program's form. */
const SECRET_WORDS =
  /\b(?:pass ?-?(?:word|phrase|code)s?|passwd|pin(?: ?code)?|otp|one[- ]?time (?:code|password)|cv[vc]2?|security code|(?:api|access|secret|private|signing|encryption|recovery|ssh|license)[- _]?keys?|secrets?|token(?! (?:limit|count|budget|size|type))|credentials?|(?:credit|debit|payment)[- ]?card|card number|iban|ssn|social security|seed phrase|mnemonic)\b/gi;

/**
 * What is wrong with the form of an elicitation (MCP 2025-11-25, elicitation, "Form mode": flat, primitive fields, and
 * nothing that is secret). A field for free text or numbers whose name, title, description or format speaks of a secret
 * is one; a choice or a yes-or-no carries none, whatever it is called. Where a message speaks of a secret, no field of
 * the form may take free text.
 */
export function guardForm(schema: JsonValue | undefined, message: string): FormFault | undefined {
  if (!isJsonObject(schema) || schema.type !== 'object' || !isJsonObject(schema.properties)) return { fault: 'form' };
  const fields = Object.entries(schema.properties);
  if (fields.length > MAX_FIELDS) return { fault: 'form' };
  let acceptsText = false;
  for (const [field, [name, definition]] of fields.entries()) {
    if (!isJsonObject(definition) || !isPrimitive(definition)) return { fault: 'form', field };
    if (!isFreeText(definition)) continue;
    if (asksForSecret(name, definition)) return { fault: 'secret-field', field };
    acceptsText ||= definition.type === 'string';
  }
  const texts = [message, schema.title, schema.description];
  return acceptsText && texts.some(mentionsSecret) ? { fault: 'secret-message' } : undefined;
}

function isPrimitive(definition: JsonObject): boolean {
  const { type } = definition;
  if (type === 'array') return isJsonObject(definition.items) && isChoice(definition.items);
  return type === 'string' || type === 'number' || type === 'integer' || type === 'boolean';
}

/** True where nothing but what the server lists can be answered. */
function isChoice({ enum: values, oneOf, anyOf }: JsonObject): boolean {
  if (Array.isArray(values) && values.length > 0) return true;
  return [oneOf, anyOf].some(
    (choices) => Array.isArray(choices) && choices.length > 0 && choices.every((choice) => hasConst(choice)),
  );
}

function hasConst(choice: JsonValue): boolean {
  return isJsonObject(choice) && Object.hasOwn(choice, 'const');
}

function isFreeText(definition: JsonObject): boolean {
  const { type } = definition;
  return type !== 'boolean' && type !== 'array' && !isChoice(definition);
}

function asksForSecret(name: string, { title, description, format, writeOnly }: JsonObject): boolean {
  if (writeOnly === true || (format !== undefined && format === 'password')) return true;
  if (isSecretKey(toAsciiConfusable(name)) || splitWords(name).search(SECRET_WORDS) >= 0) return true;
  return mentionsSecret(title) || mentionsSecret(description);
}

/** True where a text names a secret without denying, right before the word, that it is asked for. */
function mentionsSecret(value: JsonValue | undefined): boolean {
  if (typeof value !== 'string') return false;
  // What is not seen parts no word: `pass\u00adword`.
  const text = toAsciiConfusable(value.replaceAll(/\p{Cf}/gu, ''));
  let negatedUntil = -1;
  for (const { index, 0: word } of text.matchAll(SECRET_WORDS)) {
    const before = text.slice(Math.max(0, index - MAX_NEGATION_WORDS), index);
    const isNegated =
      NEGATIONS_BEFORE.test(before) ||
      NEGATED_LIST_WORDS.test(before) ||
      (negatedUntil >= 0 && NEGATION_CONNECTORS.test(text.slice(negatedUntil, index)));
    if (!isNegated) return true;
    negatedUntil = index + word.length;
  }
  return false;
}

/** `cardNumber` and `card_number` as `card number`. */
function splitWords(name: string): string {
  return toAsciiConfusable(name)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/[_.-]+/g, ' ');
}
