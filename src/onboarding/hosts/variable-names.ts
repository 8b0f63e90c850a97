/**
 * The variable names proposed so far. Equal secrets share a name; different secrets never do, also across files.
 */
export class VariableNames {
  readonly #valueOf = new Map<string, string | undefined>();

  /** Reserves the name of an environment variable that a file refers to, so that no secret is given that name. */
  reserve(name: string): void {
    if (!this.#valueOf.has(name)) this.#valueOf.set(name, undefined);
  }

  /** Claims the first of `preferred`, `server_preferred`, `server_preferred_2`, … that is free or has this secret. */
  claim(preferred: string, { server, secret }: { readonly server: string; readonly secret: string }): string {
    const name = variableName(preferred);
    const prefix = variableName(server);
    const prefixed = name.startsWith(`${prefix}_`) ? name : `${prefix}_${name}`;
    for (let number = 0; ; number += 1) {
      const candidate = number === 0 ? name : number === 1 ? prefixed : `${prefixed}_${number}`;
      if (this.#valueOf.has(candidate) && this.#valueOf.get(candidate) !== secret) continue;
      this.#valueOf.set(candidate, secret);
      return candidate;
    }
  }
}

/** Converts a text to the name of an environment variable: `github-token` becomes `GITHUB_TOKEN`. */
export function variableName(text: string): string {
  const name = text
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  if (name === '') return 'SECRET';
  return /^\d/.test(name) ? `_${name}` : name;
}
