import type { Problem } from '../domain/problem.ts';
import { detectSecret, isSecretKey, secretArgument } from '../lib/clear-text-secret.ts';

/** What is wrong with a text, wherever it stands; quotes none of it. */
export type Defect = Omit<Problem, 'at' | 'severity'>;

/** A reference to a secret where none is read. */
export function unreadReference(text: string): Defect | undefined {
  if (!/\$\{(?:env|file):/.test(text)) return undefined;
  const message = 'a reference stands where none is read';
  const hint = 'references are read in `env` and `headers`; write the text itself here';
  return { code: 'credentials-reference-invalid', message, hint };
}

/** A secret in one argument of a command line; `before` is the argument before it. */
export function argumentDefect(argument: string, before: string | undefined): Defect | undefined {
  const explanation = secretArgument(argument, before);
  const hint =
    'hand it over as a variable: `env: { NAME: "$' + '{env:NAME}" }`; every user of the machine can read arguments';
  return explanation === undefined ? undefined : clearTextSecretDefect(explanation, hint);
}

/** What keeps a text from being the url of a server, secrets in it among that. */
export function urlDefect(text: string): Defect | undefined {
  const reference = unreadReference(text);
  if (reference !== undefined) return reference;
  if (!URL.canParse(text)) return invalidUrl('`url` is no absolute url', 'write for example `https://example.org/mcp`');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    const hint = 'write a url that begins with `https://`, or use `type: stdio`';
    return invalidUrl('`url` is neither `https` nor `http`', hint);
  }
  if (url.username !== '' || url.password !== '')
    return clearTextSecretDefect('`url` holds a user or password', SECRET_REFERENCE_HINT);
  if (url.hash !== '') return invalidUrl('`url` has a fragment, which is never sent', 'delete it from the `#` on');
  for (const [key, value] of url.searchParams) {
    const explanation = isSecretKey(key) ? '`url` has a secret in its query' : detectSecret('', value);
    if (explanation !== undefined) return clearTextSecretDefect(explanation, SECRET_REFERENCE_HINT);
  }
  return undefined;
}

/** A secret in clear text. */
export function clearTextSecretDefect(why: string, hint: string): Defect {
  return { code: 'registry-secret-in-clear', message: `a secret in clear text: ${why}`, hint };
}

const SECRET_REFERENCE_HINT = 'send it in `headers`, as a reference';

function invalidUrl(message: string, hint: string): Defect {
  return { code: 'config-invalid-value', message, hint };
}
