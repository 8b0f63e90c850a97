import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { isSecretKey } from '../../lib/secrets/detect-secret.ts';
import { toAsciiConfusable } from '../../lib/text/confusables.ts';

/** Reason for which a form is blocked. `field` is the index of the field. */
export interface FormFault {
  readonly fault: 'form' | 'secret-field' | 'secret-message';
  readonly field?: number;
}

const MAX_FIELDS = 100;
/** Characters before a secret word in which a negation counts. */
const NEGATION_RANGE = 64;
/** A negation before the secret word, as in `do not give us your password`. `not only` is not one. */
const NEGATION =
  /\b(?:not|never|no|without|don['’]t)(?: (?:enter|type|paste|give|send|share|tell|provide|include|write|put))?(?: in)?(?: (?:us|me|here))?(?: (?:a|an|any|the|your))?\s+$/i;
/** A negated list before the secret word, as in `do not give us your phone number, pin`, without a word that ends it. */
const NEGATED_LIST =
  /\b(?:not|never|don['’]t) (?:enter|type|paste|give|send|share|tell|provide|include|write|put)(?: (?:us|me|here))? (?:an?|any|the|your)(?: (?!(?:with|to|for|as|in|on|by|of|which|that|it|and|but|then)\b)[\w'-]+){1,3},(?: (?:an?|any|the|your))?\s+$/i;
/** Connects two negated words, as in `a pin or password`. */
const NEGATION_CONNECTOR = /^\s+n?or(?: (?:a|an|any|the|your))?\s+$/i;
/** Words that name a secret in a title, a description or a message. */
const SECRET_WORDS =
  /\b(?:pass ?-?(?:word|phrase|code)s?|passwd|pin(?: ?code)?|otp|one[- ]?time (?:code|password)|cv[vc]2?|security code|(?:api|access|secret|private|signing|encryption|recovery|ssh|license)[- _]?keys?|secrets?|token(?! (?:limit|count|budget|size|type))|credentials?|(?:credit|debit|payment)[- ]?card|card number|iban|ssn|social security|seed phrase|mnemonic)\b/gi;

/**
 * Blocks the form of an elicitation that is malformed or asks for a secret (MCP 2025-11-25, elicitation, "Form mode":
 * flat, primitive fields, no secrets). A field for free text or numbers asks for a secret if its name, title, description
 * or format names one; a choice or a boolean cannot carry a secret. If the message names a secret, no field of the form
 * may take free text.
 * @returns undefined if the form may be shown.
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

/** True if only listed values can be chosen. */
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

/** True if a text names a secret without a negation directly before the word. */
function mentionsSecret(value: JsonValue | undefined): boolean {
  if (typeof value !== 'string') return false;
  // Invisible characters must not split a word: `pass\u00adword`.
  const text = toAsciiConfusable(value.replaceAll(/\p{Cf}/gu, ''));
  let negatedUntil = -1;
  for (const { index, 0: word } of text.matchAll(SECRET_WORDS)) {
    const before = text.slice(Math.max(0, index - NEGATION_RANGE), index);
    const isNegated =
      NEGATION.test(before) ||
      NEGATED_LIST.test(before) ||
      (negatedUntil >= 0 && NEGATION_CONNECTOR.test(text.slice(negatedUntil, index)));
    if (!isNegated) return true;
    negatedUntil = index + word.length;
  }
  return false;
}

/** Splits an identifier into words: `cardNumber` and `card_number` become `card number`. */
function splitWords(name: string): string {
  return toAsciiConfusable(name)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/[_.-]+/g, ' ');
}
