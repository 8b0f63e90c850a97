import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import { verifies } from '../../../fixtures/docs/verifies.ts';
import { governedHome, httpServer, ledgerOf, processServer, WireAgent } from '../../../fixtures/homes/governed-home.ts';
import type { Home } from '../../../fixtures/homes/home.ts';
import { legacyHandler, sendJson, serveHttp, textResponse } from '../../../fixtures/http-upstream.ts';

const SECRET = 'canary-c0ffee-9d41b7';
const FILE_SECRET = 'canary-decade-52fa08';

/** A reference to a secret as files write it. */
const referTo = (what: string): string => `\${${what}}`;

let home: Home;

afterEach(() => home.close());

/** Every file below a directory, as one text. */
function everyByteOf(dir: string): string {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n');
}

/** A text as it might be carried elsewhere. */
const formsOf = (text: string): readonly string[] => [
  text,
  Buffer.from(text).toString('base64').replaceAll('=', ''),
  Buffer.from(text).toString('hex'),
  encodeURIComponent(text),
];

verifies('O2')('a secret of the registry goes to its tool server alone, and the key of an agent to none', async () => {
  const upstream = await serveHttp(
    legacyHandler({
      echo: ({ message }, response) => sendJson(response, textResponse(message.id, 'done')),
      break: (_asked, response) => response.destroy(),
      fail: (_asked, response) => response.writeHead(401).end(),
    }),
  );
  const other = await serveHttp(
    legacyHandler({ echo: ({ message }, response) => sendJson(response, textResponse(message.id, 'other')) }),
  );
  home = governedHome({
    servers: {
      far: httpServer('far', upstream.url, {
        headers: { authorization: `Bearer ${referTo('env:FAR_TOKEN')}`, 'x-second': referTo('file:../far-token') },
        more: 'payloads: keep\n',
      }),
      other: httpServer('other', other.url),
      down: httpServer('down', 'http://127.0.0.1:9/mcp', { headers: { authorization: referTo('env:FAR_TOKEN') } }),
      child: processServer('child', { env: { CHILD_TOKEN: referTo('env:FAR_TOKEN'), TOOLS: 'echo' } }),
    },
  });
  home.write({ 'far-token': `${FILE_SECRET}\n` });
  const env = { FAR_TOKEN: SECRET };
  const served = await home.serve({ env });
  const key = await home.key('demo');
  const agent = new WireAgent(served.url, key);
  const answers: string[] = [];
  for (const name of ['far__echo', 'far__break', 'far__fail', 'other__echo', 'child__echo', 'down__echo']) {
    answers.push((await agent.call(name, { nonce: 'a' })).body);
  }
  answers.push((await agent.ask('tools/list')).body);
  agent.close();
  const responses = await Promise.all(
    [
      ...[
        ['registry', 'list'],
        ['registry', 'diff'],
        ['registry', 'list', '--output', 'json'],
        ['keys', 'list'],
      ],
      ...[
        ['ledger', 'list', '--output', 'json'],
        ['policy', 'check'],
        ['replay', 'decide', '--output', 'json'],
      ],
    ].map((args) => home.run(args, { env })),
  );
  const beforeStop = everyByteOf(home.path('data'));
  await served.stop();

  expect(upstream.received.some(({ headers }) => headers.authorization === `Bearer ${SECRET}`)).toBe(true);
  expect(upstream.received.some(({ headers }) => headers['x-second'] === FILE_SECRET)).toBe(true);
  const elsewhere = [
    ...[served.printed(), ...answers, ...responses.map(({ stdout, stderr }) => stdout + stderr)],
    ...[beforeStop, everyByteOf(home.path('data')), JSON.stringify(other.received), JSON.stringify(ledgerOf(home))],
  ].join('\n');
  for (const form of [...formsOf(SECRET), ...formsOf(FILE_SECRET)]) expect(elsewhere).not.toContain(form);

  const agentSecret = key.slice('sen_0123456789abcdef_'.length);
  const upstreams = JSON.stringify([upstream.received, other.received]);
  for (const form of [...formsOf(key), ...formsOf(agentSecret)]) {
    expect(upstreams).not.toContain(form);
    expect(elsewhere).not.toContain(form);
  }
});

verifies('O2')(
  'a secret that cannot be resolved, and one that no header can carry, are reported without a value',
  async () => {
    const upstream = await serveHttp(legacyHandler({}));
    home = governedHome({
      servers: {
        far: httpServer('far', upstream.url, { headers: { authorization: `Bearer ${referTo('env:MISSING_TOKEN')}` } }),
        bad: httpServer('bad', upstream.url, { headers: { authorization: referTo('env:BAD_TOKEN') } }),
      },
    });
    const served = await home.serve({ env: { BAD_TOKEN: `${SECRET}\r\nx-evil: 1` } });
    const { stdout, stderr } = await home.run(['registry', 'list']);
    await served.stop();
    expect(upstream.received).toEqual([]);
    expect(served.printed()).toContain('server.unavailable');
    expect(served.printed() + stdout + stderr + everyByteOf(home.path('data'))).not.toContain(SECRET);
  },
);
