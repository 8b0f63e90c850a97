import { inspect } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resolveSecretReferences } from '../../src/credentials/secret-references.ts';
import { ProblemError } from '../../src/domain/problem.ts';
import { Secret } from '../../src/lib/secrets/secret.ts';
import { loadRegistry } from '../../src/registry/load.ts';

const value = fc.stringMatching(/^[A-Za-z0-9]{16,40}$/).map((text) => `q7${text}`);

test('a secret is in nothing that is printed, serialized or inspected', () => {
  fc.assert(
    fc.property(value, (text) => {
      const secret = new Secret(text);
      const shown = [
        String(secret),
        [secret, secret].join(),
        JSON.stringify({ secret }),
        inspect({ secret }, { showHidden: true, depth: 9 }),
        Object.entries(secret).join(),
      ].join('\n');
      expect(shown).not.toContain(text);
      expect(secret.reveal()).toBe(text);
    }),
    { numRuns: 50 },
  );
});

test('no error of a reference shows a value', () => {
  fc.assert(
    fc.property(value, fc.constantFrom('\r\n', '\0', '${', `$\{vault:x}`, `$\{env:NONE}`), (text, trouble) => {
      const act = () =>
        resolveSecretReferences(`\${env:A}${trouble}`, {
          env: { A: `${text}${trouble}` },
          readFile: () => text,
          at: 'x:1:1',
          use: 'header',
        });
      expect(refusalOf(act)).not.toContain(text);
    }),
    { numRuns: 50 },
  );
});

const places: readonly ((secret: string) => string)[] = [
  (secret) => `name: a\ntitle: *${secret}\ntransport: { type: stdio, command: x }\n`,
  (secret) => `name: a\ntitle: !${secret} x\ntransport: { type: stdio, command: x }\n`,
  (secret) => `name: a\ntitle: |${secret}\ntransport: { type: stdio, command: x }\n`,
  (secret) => `name: a\ntransport: { type: stdio, command: x, env: { API_TOKEN: "${secret}" } }\n`,
  (secret) => `name: a\ntransport: { type: stdio, command: x, env: { API_TOKEN: [${secret}] } }\n`,
  (secret) => `name: a\ntransport: { type: stdio, command: x, args: ["--token=${secret}"] }\n`,
  (secret) =>
    `name: a\ntransport: { type: streamable-http, url: "http://x/", headers: { authorization: "Bearer ${secret}" } }\n`,
  (secret) => `name: a\ntransport: { type: streamable-http, url: "http://u:${secret}@x/" }\n`,
  (secret) => `name: a\ntransport: { type: streamable-http, url: "http://x/?access_token=${secret}" }\n`,
  (secret) => `name: a\ntransport: { type: ${secret}, command: x }\n`,
  (secret) => `name: a\nrisk: ${secret}\ntransport: { type: stdio, command: x }\n`,
  (secret) => `name: a\ntimeout: ${secret}\ntransport: { type: stdio, command: x }\n`,
  (secret) => `name: a\ntransport: { type: stdio, command: x, env: { API_TOKEN: "${secret} } }\n`,
  (secret) => `name: a\ntransport: { type: stdio, command: x, env: { API_TOKEN: {${secret} ] } }\n`,
];

test('no error of a registry file shows a value of it', () => {
  fc.assert(
    fc.property(value, fc.constantFrom(...places), (secret, place) => {
      const refusal = refusalOf(() => loadRegistry({ 'servers/a.yaml': place(secret) }));
      expect(refusal).not.toBe('none');
      expect(refusal).not.toContain(secret);
    }),
    { numRuns: 150 },
  );
});

function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return `${error.message}\n${JSON.stringify(error.problems)}\n${inspect(error)}`;
  }
  return 'none';
}
