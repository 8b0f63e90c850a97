import { isSecretKey } from '../lib/clear-text-secret.ts';
import { asciiLookalike } from '../lib/confusables.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';

/** What keeps a form from being shown; `field` is the place of the field among the fields. */
export interface FormFault {
  readonly fault: 'form' | 'secret-field';
  readonly field?: number;
}

const MAX_FIELDS = 100;
const NEGATION = /\b(?:not|never|no|without|don['’]t)\b/i;
/** Words of titles and descriptions that stand before what nobody types into another program's form. */
const SECRET_WORDS =
  /\b(?:pass ?-?(?:word|phrase|code)s?|passwd|pin(?: ?code)?|otp|one[- ]?time (?:code|password)|cv[vc]2?|security code|(?:api|access|secret|private|signing|encryption|recovery|ssh|license)[- _]?keys?|secrets?|token(?! (?:limit|count|budget|size|type))|credentials?|(?:credit|debit|payment)[- ]?card|card number|iban|ssn|social security|seed phrase|mnemonic)\b/i;

/**
 * What is wrong with the form of an elicitation (MCP 2025-11-25, elicitation, "Form mode": flat, primitive fields, and
 * nothing that is secret). A field for free text or numbers whose name, title, description or format speaks of a secret
 * is one; a choice or a yes-or-no carries none, whatever it is called.
 */
export function faultOfForm(schema: JsonValue | undefined): FormFault | undefined {
  if (!isJsonObject(schema) || schema.type !== 'object' || !isJsonObject(schema.properties)) return { fault: 'form' };
  const fields = Object.entries(schema.properties);
  if (fields.length > MAX_FIELDS) return { fault: 'form' };
  for (const [field, [name, definition]] of fields.entries()) {
    if (!isJsonObject(definition) || !isPrimitive(definition)) return { fault: 'form', field };
    if (isFree(definition) && speaksOfSecret(name, definition)) return { fault: 'secret-field', field };
  }
  return undefined;
}

function isPrimitive(definition: JsonObject): boolean {
  const { type } = definition;
  if (type === 'array') return isJsonObject(definition.items) && isChoice(definition.items);
  return type === 'string' || type === 'number' || type === 'integer' || type === 'boolean';
}

function isChoice({ enum: values, oneOf, anyOf }: JsonObject): boolean {
  return [values, oneOf, anyOf].some((choices) => Array.isArray(choices) && choices.length > 0);
}

function isFree(definition: JsonObject): boolean {
  const { type } = definition;
  return type !== 'boolean' && type !== 'array' && !isChoice(definition);
}

function speaksOfSecret(name: string, { title, description, format, writeOnly }: JsonObject): boolean {
  if (writeOnly === true || (format !== undefined && format === 'password')) return true;
  if (isSecretKey(asciiLookalike(name)) || SECRET_WORDS.test(wordsOf(name))) return true;
  const clauses = typeof description === 'string' ? description.split(/[.;:()!?\n]/) : [];
  // `Do not give us your password` asks for none.
  const texts = [title, ...clauses.filter((clause) => !NEGATION.test(clause))];
  return texts.some((text) => typeof text === 'string' && SECRET_WORDS.test(asciiLookalike(text)));
}

/** `cardNumber` and `card_number` as `card number`. */
function wordsOf(name: string): string {
  return asciiLookalike(name)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/[_.-]+/g, ' ');
}
