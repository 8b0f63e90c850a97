import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { listeningAgent } from '../../fixtures/clients/recording-agent.ts';
import { answerText, legacyAnswering, serveHttp } from '../../fixtures/http-upstream.ts';
import { commandServer, httpServer, openPool, textOf } from '../../fixtures/upstream-pool.ts';

const TELLING = resolve(import.meta.dirname, '../../fixtures/servers/notifying-stdio.mjs');

const telling = (settings: Record<string, unknown> = {}, part: Parameters<typeof commandServer>[1] = {}) =>
  openPool(commandServer([TELLING, JSON.stringify(settings)], { era: 'legacy', ...part }));

const dropped = ({ pool }: ReturnType<typeof telling>): number | undefined => pool.status()[0]?.droppedMessages;

for (const era of ['legacy', 'modern'] as const) {
  test(`progress over pipes reaches the call that it belongs to, without the token of the broker: ${era}`, async () => {
    const upstream = telling({ era }, { era });
    const [one, other] = [listeningAgent(), listeningAgent()];
    const done = await Promise.all([
      upstream.call('steps', {}, { link: one }),
      upstream.call('later', {}, { link: other }),
      upstream.call('later'),
    ]);
    expect(done.map(textOf)).toEqual(['done', 'late', 'late']);
    expect(one.heard.progress).toEqual([
      { progress: 1, total: 2, message: 'half' },
      { progress: 2, total: 2 },
    ]);
    expect(other.heard.progress).toEqual([]);
  });
}

test('progress under a token that no call has is dropped and counted', async () => {
  const upstream = telling();
  const agent = listeningAgent();
  await upstream.call('foreign_steps', {}, { link: agent });
  expect([agent.heard.progress, dropped(upstream)]).toEqual([[], 2]);
});

test('a call whose agent wants no progress asks for none, and is told of none', async () => {
  const upstream = telling();
  const agent = listeningAgent({ wantsProgress: false });
  expect(textOf(await upstream.call('meta', {}, { link: agent }))).toBe('{}');
  expect(textOf(await upstream.call('meta'))).toBe('{}');
  await upstream.call('steps', {}, { link: agent });
  expect(agent.heard.progress).toEqual([]);
});

test('a log message belongs to the only call under way of a session of one principal', async () => {
  const upstream = telling({ logging: true });
  const agent = listeningAgent({ logLevel: 'info' });
  await upstream.call('log', { data: 'mine' }, { link: agent });
  expect(agent.heard.log).toContainEqual({ level: 'info', logger: 'l', data: 'mine' });
});

test('a log message that two calls may have caused is dropped and counted', async () => {
  const upstream = telling();
  const agents = [listeningAgent({ logLevel: 'debug' }), listeningAgent({ logLevel: 'debug' })];
  await Promise.all(agents.map((link) => upstream.call('later', {}, { link })));
  expect(agents.map(({ heard }) => heard.log)).toEqual([[], []]);
  expect(dropped(upstream)).toBe(1);
});

test('a log message over pipes that principals share is dropped, whoever calls alone', async () => {
  const upstream = telling({}, { sharing: 'all' });
  const agent = listeningAgent({ logLevel: 'debug' });
  await upstream.call('log', { data: 'of a former call?' }, { link: agent });
  expect([agent.heard.log, dropped(upstream)]).toEqual([[], 2]);
});

test('a legacy server that logs is asked for the lowest level that an agent of the session wants', async () => {
  const upstream = telling({ logging: true });
  const levelAfter = async (logLevel: 'info' | 'error'): Promise<unknown> =>
    textOf(await upstream.call('level', {}, { link: listeningAgent({ logLevel }) }));
  expect(textOf(await upstream.call('level'))).toBe('none');
  expect(await levelAfter('error')).toBe('error');
  expect(await levelAfter('info')).toBe('info');
  expect(await levelAfter('error')).toBe('info');
});

test('a modern server is told the level with each request, and the token is the id of the request', async () => {
  const upstream = telling({ era: 'modern' }, { era: 'modern' });
  const asked = textOf(await upstream.call('meta', {}, { link: listeningAgent({ logLevel: 'notice' }) }));
  const meta = JSON.parse(String(asked)) as Record<string, unknown>;
  expect(meta['io.modelcontextprotocol/logLevel']).toBe('notice');
  expect(meta.progressToken).toEqual(expect.any(Number));
});

test('notifications of one call beyond the setting are dropped and counted, and the call succeeds', async () => {
  const upstream = telling({}, { maxNotifications: 3 });
  const agent = listeningAgent();
  expect(textOf(await upstream.call('flood', { messages: 2_000 }, { link: agent }))).toBe('flooded');
  expect(agent.heard.progress).toHaveLength(3);
  expect(dropped(upstream)).toBe(1_997);
});

test('what an agent does not read is counted as dropped, and the call succeeds', async () => {
  const upstream = telling();
  const agent = { ...listeningAgent({ logLevel: 'debug' }), progress: () => false, log: () => false };
  expect(textOf(await upstream.call('steps', {}, { link: agent }))).toBe('done');
  expect(dropped(upstream)).toBe(2);
  expect(textOf(await upstream.call('log', { data: 'x' }, { link: agent }))).toBe('logged');
  expect(dropped(upstream)).toBe(4);
});

test('what comes on the stream of one HTTP request belongs to it, whoever else is under way', async () => {
  const upstream = openPool(
    httpServer(
      (
        await serveHttp(
          legacyAnswering({
            steps: ({ message }, response) => {
              const { _meta: meta, arguments: args } = message.params as never as {
                _meta?: { progressToken?: number };
                arguments: { nonce: string };
              };
              response.writeHead(200, { 'content-type': 'text/event-stream' });
              const send = (value: unknown): void => void response.write(`data: ${JSON.stringify(value)}\n\n`);
              const tell = (method: string, params: unknown): void => send({ jsonrpc: '2.0', method, params });
              tell('notifications/progress', { progressToken: meta?.progressToken, progress: 1, message: args.nonce });
              tell('notifications/progress', { progressToken: 999, progress: 2 });
              tell('notifications/message', { level: 'info', data: args.nonce });
              setTimeout(() => {
                send(answerText(message.id, 'done'));
                response.end();
              }, 20);
            },
          }),
        )
      ).url,
      { era: 'legacy', sharing: 'all' },
    ),
  );
  const agents = ['a', 'b', 'c'].map((nonce) => ({ nonce, link: listeningAgent({ logLevel: 'debug' }) }));
  await Promise.all(agents.map(({ nonce, link }) => upstream.call('steps', { nonce }, { as: nonce, link })));
  expect(agents.map(({ link }) => link.heard)).toEqual(
    ['a', 'b', 'c'].map((nonce) => ({
      progress: [{ progress: 1, message: nonce }],
      log: [{ level: 'info', data: nonce }],
    })),
  );
  expect(dropped(upstream)).toBe(3);
});
