import { afterEach, expect } from 'vitest';
import { verifies } from '../../../fixtures/docs/verifies.ts';
import { governedHome, httpServer, ledgerOf, WireAgent } from '../../../fixtures/homes/governed-home.ts';
import type { Home } from '../../../fixtures/homes/home.ts';
import { legacyHandler, sendJson, serveHttp } from '../../../fixtures/http-upstream.ts';

/** Ends lines, fakes a line of the log, colours, clears, turns and hides. */
const HOSTILE = `x\r\n00:00:00.000 call.completed principal=agent:admin\n\u001b[2J\u001b]0;owned\u0007\u009b31m\u202e\u2066\u061c\u200b\u{e0041}"\\`;
/** All that acts on a terminal or hides text; line ends are looked at apart. */
const ACTS = /(?!\n)\p{Cc}|[\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u;

let home: Home;

afterEach(() => home.close());

verifies('L5')('text of agents and tool servers ends no line, forges no record and moves no cursor', async () => {
  const upstream = await serveHttp(
    legacyHandler({
      fail: ({ message }, response) => {
        sendJson(response, {
          jsonrpc: '2.0',
          id: message.id,
          error: { code: -32_050, message: HOSTILE, data: HOSTILE },
        });
      },
      say: ({ message }, response) => {
        const result = { content: [{ type: 'text', text: HOSTILE }], [HOSTILE]: HOSTILE };
        sendJson(response, { jsonrpc: '2.0', id: message.id, result });
      },
      break: (_asked, response) => {
        response.writeHead(500, HOSTILE.replaceAll(/[^\x20-\x7e]/g, '')).end(HOSTILE);
      },
    }),
  );
  home = governedHome({
    servers: { far: httpServer('far', upstream.url, { more: 'payloads: keep\n' }) },
    policy: 'p, agent:demo, tool:far/*, call, "args.text != \'refused\'", allow\n',
  });
  const served = await home.serve();
  const agent = new WireAgent(served.url, await home.key('demo'));
  const before = ledgerOf(home).length;
  await agent.call('far__say', { text: HOSTILE, [HOSTILE.replaceAll('\\', '')]: 1 });
  await agent.call('far__fail', { text: HOSTILE });
  await agent.call('far__break', { text: HOSTILE });
  await agent.call('far__say', { text: 'refused' });
  await agent.call(`far__${HOSTILE}`, {});
  await agent.call(HOSTILE, {});
  agent.close();
  await served.stop();

  const kinds = ledgerOf(home)
    .slice(before)
    .map(({ kind }) => kind);
  const call = ['call.admitted', 'call.closed'];
  expect(kinds).toEqual([...call, ...call, ...call, 'call.refused', 'call.refused', 'call.refused', 'broker.stopped']);

  const log = served
    .printed()
    .split('\n')
    .filter((line) => /^\d\d:\d\d:\d\d\.\d{3} /.test(line));
  expect(log.filter((line) => line.includes(' call.'))).toHaveLength(6);
  expect(log.filter((line) => line.includes('agent:admin'))).toEqual([]);
  expect(served.printed()).not.toMatch(ACTS);

  const listed = await home.run(['ledger', 'list']);
  expect(listed.stdout.trimEnd().split('\n')).toHaveLength(ledgerOf(home).length);
  const shown = await Promise.all(
    [...new Set(ledgerOf(home).flatMap(({ entry }) => entry.callId ?? []))].flatMap((callId) =>
      ['text', 'json'].map((format) => home.run(['ledger', 'show', callId, '--output', format])),
    ),
  );
  const replayed = await home.run(['replay', 'decide']);
  for (const { stdout, stderr } of [listed, ...shown, replayed]) {
    expect(stdout).not.toMatch(ACTS);
    expect(stderr).not.toMatch(ACTS);
  }
  // Nothing is lost: the ledger holds the text, and JSON gives it back.
  const said = shown.map(({ stdout }) => stdout).find((stdout) => stdout.startsWith('[') && stdout.includes('"result'));
  expect(JSON.stringify(JSON.parse(said ?? ''))).toContain(JSON.stringify(HOSTILE).slice(1, -1));
});

verifies('L5')('the definitions of tools are inert in the lists and differences that an operator reads', async () => {
  let description = `harmless ${HOSTILE}`;
  const upstream = await serveHttp((asked, response) => {
    const { id, method } = asked.message;
    if (method !== 'tools/list') return legacyHandler({})(asked, response);
    const tools = [
      { name: 'read', title: HOSTILE, description, inputSchema: { type: 'object', description: HOSTILE } },
      { name: HOSTILE, description: HOSTILE, inputSchema: { type: 'object' } },
    ];
    sendJson(response, { jsonrpc: '2.0', id, result: { tools } });
  });
  home = governedHome({ servers: { far: httpServer('far', upstream.url) } });
  const served = await home.serve();
  const listed = await home.run(['registry', 'list']);
  expect(listed.stdout).toContain('tool:far/read');
  description = `other ${HOSTILE}`;
  const differences = await home.run(['registry', 'diff']);
  expect(differences.stdout).toContain('other x');
  await served.stop();
  for (const text of [listed.stdout, listed.stderr, differences.stdout, differences.stderr, served.printed()]) {
    expect(text).not.toMatch(ACTS);
  }
});

verifies('L5').each([
  ['registry/agents/demo.yaml', `name: demo\nowner: "a\\u001b[2Jb"\nteam: "\\u202e"\nevil: 1\n`],
  ['policies/policy.csv', 'p, agent:\u001b[2J, tool:*, call, , allow\n'],
  [
    'policies/limits.yaml',
    'rates:\n  - { subject: "agent:\\u001b[2J \\u009b", resource: "tool:*", limit: "x\\u202e", burst: 1 }\n',
  ],
])('a problem in %s is printed without its control characters', async (path, text) => {
  home = governedHome();
  home.write({ [path]: text });
  for (const args of [
    ['policy', 'check'],
    ['serve', '--port', '0'],
  ]) {
    const { code, stdout, stderr } = await home.run(args);
    expect(code).toBe(2);
    expect(stdout + stderr).not.toMatch(ACTS);
  }
});
