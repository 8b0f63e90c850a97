import { parseSecretReferences } from './secret-reference.ts';

/**
 * Says why the value under `key` looks like a secret in clear text, without quoting it; undefined when it does not.
 * References are not clear text. Prefers false positives: writing a reference costs the user one line.
 */
export function detectSecret(key: string, value: string): string | undefined {
  const parts = parseSecretReferences(value);
  if ('message' in parts) return undefined;
  const texts = parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []));
  const shape = texts.map(secretShape).find((match) => match !== undefined);
  if (shape !== undefined) return shape;
  const isAllText = texts.length === parts.length && value.trim() !== '';
  if (isAllText && isSecretKey(key) && !isHarmless(value)) return `the name \`${key}\` is that of a secret`;
  return undefined;
}

/** Says why a command-line argument looks like a secret, as in `--token=…`; `before` is the argument before it. */
export function secretArgument(argument: string, before: string | undefined): string | undefined {
  const assigned = /^-{1,2}([A-Za-z][A-Za-z0-9_-]*)=(.+)$/s.exec(argument);
  if (assigned?.[1] !== undefined && assigned[2] !== undefined) return detectSecret(assigned[1], assigned[2]);
  const flag = /^-{1,2}([A-Za-z][A-Za-z0-9_-]*)$/.exec(before ?? '');
  if (flag?.[1] !== undefined && !argument.startsWith('-')) return detectSecret(flag[1], argument);
  return secretShape(argument);
}

const SECRET_WORDS = new Set(
  'token secret password passwd passphrase pwd pass key apikey authorization auth cookie credential credentials pat bearer jwt'.split(
    ' ',
  ),
);
const SECRET_ENDINGS = /(?:token|secret|password|passwd|apikey|passphrase)$/;
const HARMLESS_ENDINGS = new Set(
  'file path dir directory name limit ttl length count size url uri id type mode algorithm version enabled timeout host port'.split(
    ' ',
  ),
);

/** True for names such as `CRM_TOKEN`, `apiKey`, `x-api-key`, `Authorization`; not for `TOKEN_LIMIT`, `KEY_FILE`. */
export function isSecretKey(key: string): boolean {
  const words = key
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  const last = words.at(-1) ?? '';
  if (HARMLESS_ENDINGS.has(last)) return false;
  return words.some((word) => SECRET_WORDS.has(word) || SECRET_ENDINGS.test(word));
}

function isHarmless(value: string): boolean {
  return /^(?:\d{1,6}|true|false|yes|no|on|off|none|null)$/i.test(value.trim());
}

// Prefixes and formats that issuers publish for secret scanners.
const SECRET_FORMATS: readonly (readonly [RegExp, string])[] = [
  [/\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}/, 'a GitHub token'],
  [/\bglpat-[A-Za-z0-9_-]{16,}/, 'a GitLab token'],
  [/\bsk-[A-Za-z0-9_-]{16,}|\b[sr]k_(?:live|test)_[A-Za-z0-9]{10,}/, 'an API key'],
  [/\bxox[abeoprs]-[A-Za-z0-9-]{10,}/, 'a Slack token'],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/, 'an AWS access key'],
  [/\bAIza[A-Za-z0-9_-]{30,}/, 'a Google API key'],
  [/\b(?:npm|hf|pypi|dop_v1|shpat|sen)_[A-Za-z0-9_-]{20,}/, 'a token'],
  [/\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*/, 'a JSON Web Token'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'a private key'],
  [/\b(?:Bearer|Basic|Token)\s+[A-Za-z0-9+/=._~-]{6,}/i, 'an authorization with its credential'],
  [/[a-z][a-z0-9+.-]*:\/\/[^\s/:@]+:[^\s/@]+@/i, 'a url with a password'],
];

function secretShape(text: string): string | undefined {
  for (const [pattern, name] of SECRET_FORMATS) if (pattern.test(text)) return `the value has the form of ${name}`;
  const words = text.match(/[A-Za-z0-9+=_-]{24,}/g) ?? [];
  return words.some(looksRandom) ? 'the value looks like a random secret' : undefined;
}

/** True when a word mixes letters and digits with nearly the entropy of its alphabet, as generated secrets do. */
function looksRandom(word: string): boolean {
  if (!/\d/.test(word) || !/[A-Za-z]/.test(word)) return false;
  const isHex = /^[0-9a-f]+$/i.test(word);
  if (isHex) return word.length >= 32 && entropyBits(word) >= 3;
  const switches = word.match(/(?<=[A-Za-z])\d|(?<=\d)[A-Za-z]|(?<=[a-z])[A-Z]/g)?.length ?? 0;
  return entropyBits(word) >= 3.8 && switches >= word.length / 5;
}

/** Shannon entropy in bits per character. */
function entropyBits(word: string): number {
  const counts = new Map<string, number>();
  for (const char of word) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / word.length) * Math.log2(count / word.length);
  return bits;
}
