import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { afterEach, expect } from 'vitest';
import { INITIALIZE, lineClient } from '../../../fixtures/clients/line-client.ts';
import { verifies } from '../../../fixtures/docs/verifies.ts';
import { governedHome, ledgerOf, openLedgerDatabase, until, WireAgent } from '../../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../../fixtures/homes/home.ts';

const LIMITS = 'rates:\n  - { subject: "agent:hasty", resource: "tool:*", action: call, limit: 60/m, burst: 1 }\n';
const PRINCIPAL = /^(?:agent:[a-z0-9-]+|os-user:\d+|system:broker)$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

let home: Home;

afterEach(() => home.close());

verifies('L6')(
  'after a mixed load every entry says who, in which session, under which rules and which registry',
  async () => {
    home = governedHome({
      agents: { demo: '', hasty: '' },
      limits: LIMITS,
      policy: 'p, agent:*, tool:tools/echo, call, , allow\np, agent:*, tool:tools/invalid_output, call, , allow\n',
    });
    const served = await home.serve();
    const keys = [await home.key('demo'), await home.key('hasty')];
    await Promise.all(keys.map((key) => mixedCalls(served, key)));
    await legacyCalls(served, keys[0] ?? '');
    await stdioCalls();
    home.write({ 'policies/policy.csv': 'p, agent:demo, tool:tools/echo, call, , allow\n' });
    await until(() => served.printed().includes('policy.applied'));
    home.write({ 'policies/policy.csv': 'p, agent:demo, nonsense\n' });
    await until(() => ledgerOf(home).some(({ kind }) => kind === 'policy.rejected'));
    await home.run(['keys', 'revoke', keys[1]?.slice(4, 20) ?? '']);
    // Killed and started again, so that what recovery writes is looked at as well.
    await served.stop('SIGKILL');
    home.write({ 'policies/policy.csv': 'p, agent:demo, tool:tools/echo, call, , allow\n' });
    await (await home.serve()).stop();

    const ledger = ledgerOf(home);
    const wrong = ledger.filter(
      ({ entry }) =>
        !PRINCIPAL.test(entry.principal) ||
        typeof entry.session !== 'string' ||
        entry.session === '' ||
        !DIGEST.test(entry.revision ?? '') ||
        typeof entry.registry !== 'string' ||
        !DIGEST.test(entry.registry),
    );
    expect(wrong.map(({ body }) => body)).toEqual([]);
    const acts = ledger.filter(({ kind }) => /^(?:call|message)\./.test(kind));
    expect(acts.filter(({ entry }) => !entry.principal.startsWith('agent:'))).toEqual([]);
    expect(new Set(ledger.map(({ kind }) => kind))).toEqual(
      new Set([
        ...['broker.started', 'key.created', 'call.admitted', 'call.closed', 'call.refused', 'call.refusals-summed'],
        ...['message.refused', 'policy.applied', 'policy.rejected', 'key.revoked', 'broker.stopped'],
      ]),
    );
    // Stateless calls, a session over HTTP and one over the socket.
    expect(new Set(acts.map(({ entry }) => entry.session)).size).toBe(3);
    const database = openLedgerDatabase(home);
    const other = database
      .prepare("SELECT count(*) AS n FROM entry WHERE principal IS NOT body ->> '$.principal'")
      .get();
    database.close();
    expect(other).toEqual({ n: 0 });
  },
);

/** Right, wrong, unknown, forbidden, malformed. */
async function mixedCalls({ url }: Served, key: string): Promise<void> {
  const agent = new WireAgent(url, key);
  for (let turn = 0; turn < 10; turn += 1) {
    await agent.call('tools__echo', { nonce: `${turn}` });
    await agent.call('tools__echo', { nonce: turn });
    await agent.call('tools__invalid_output');
    await agent.call('tools__hang');
    await agent.call('nothing');
    await agent.post('{"jsonrpc":"2.0","id":1');
    await agent.ask('tools/call', { name: 7 }, { name: '7' });
  }
  agent.close();
}

async function legacyCalls({ url }: Served, key: string): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const post = (message: object, more: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}/mcp`, { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(message) });
  const opened = await post(INITIALIZE);
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  await post(
    { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'tools__echo', arguments: { nonce: 'l' } } },
    session,
  );
  await post({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'tools__none' } }, session);
}

async function stdioCalls(): Promise<void> {
  const shim = spawn(process.execPath, [home.command, 'stdio', '--agent', 'demo'], {
    cwd: home.dir,
    env: home.environment(),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const client = lineClient(Duplex.from({ readable: shim.stdout, writable: shim.stdin }));
  client.say(INITIALIZE);
  await client.next();
  client.say({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'tools__echo', arguments: { nonce: 's' } },
  });
  await client.next();
  client.say('{"jsonrpc":"2.0","id":2,"method":7}');
  await client.next();
  const ended = once(shim, 'exit');
  shim.stdin.end();
  await ended;
}
