import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { recordingAgent } from '../../fixtures/clients/recording-agent.ts';
import { legacyHandler, serveHttp, textResponse } from '../../fixtures/http-upstream.ts';
import { commandServer, httpServer, openPool, textOf } from '../../fixtures/upstream-pool.ts';

const NOTIFYING = resolve(import.meta.dirname, '../../fixtures/servers/notifying-stdio.mjs');

const notifying = (settings: Record<string, unknown> = {}, part: Parameters<typeof commandServer>[1] = {}) =>
  openPool(commandServer([NOTIFYING, JSON.stringify(settings)], { era: 'legacy', ...part }));

const dropped = ({ pool }: ReturnType<typeof notifying>): number | undefined => pool.status()[0]?.droppedMessages;

for (const era of ['legacy', 'modern'] as const) {
  test(`progress over pipes reaches the call that it belongs to, without the token of the broker: ${era}`, async () => {
    const upstream = notifying({ era }, { era });
    const [one, other] = [recordingAgent(), recordingAgent()];
    const done = await Promise.all([
      upstream.call('steps', {}, { link: one }),
      upstream.call('later', {}, { link: other }),
      upstream.call('later'),
    ]);
    expect(done.map(textOf)).toEqual(['done', 'late', 'late']);
    expect(one.received.progress).toEqual([
      { progress: 1, total: 2, message: 'half' },
      { progress: 2, total: 2 },
    ]);
    expect(other.received.progress).toEqual([]);
  });
}

test('progress with a token of no call is dropped and counted', async () => {
  const upstream = notifying();
  const agent = recordingAgent();
  await upstream.call('foreign_steps', {}, { link: agent });
  expect([agent.received.progress, dropped(upstream)]).toEqual([[], 2]);
});

test('a call whose agent wants no progress requests none and gets none', async () => {
  const upstream = notifying();
  const agent = recordingAgent({ wantsProgress: false });
  expect(textOf(await upstream.call('meta', {}, { link: agent }))).toBe('{}');
  expect(textOf(await upstream.call('meta'))).toBe('{}');
  await upstream.call('steps', {}, { link: agent });
  expect(agent.received.progress).toEqual([]);
});

test('a log message belongs to the only call in flight, if the session has one principal', async () => {
  const upstream = notifying({ logging: true });
  const agent = recordingAgent({ logLevel: 'info' });
  await upstream.call('log', { data: 'mine' }, { link: agent });
  expect(agent.received.log).toContainEqual({ level: 'info', logger: 'l', data: 'mine' });
});

test('a log message that two calls may have caused is dropped and counted', async () => {
  const upstream = notifying();
  const agents = [recordingAgent({ logLevel: 'debug' }), recordingAgent({ logLevel: 'debug' })];
  await Promise.all(agents.map((link) => upstream.call('later', {}, { link })));
  expect(agents.map(({ received }) => received.log)).toEqual([[], []]);
  expect(dropped(upstream)).toBe(1);
});

test('a log message of a stdio session that principals share is dropped, even with one call in flight', async () => {
  const upstream = notifying({}, { sharing: 'all' });
  const agent = recordingAgent({ logLevel: 'debug' });
  await upstream.call('log', { data: 'of a former call?' }, { link: agent });
  expect([agent.received.log, dropped(upstream)]).toEqual([[], 2]);
});

test('a legacy server is set to the lowest log level that an agent of the session wants', async () => {
  const upstream = notifying({ logging: true });
  const levelAfter = async (logLevel: 'info' | 'error'): Promise<unknown> =>
    textOf(await upstream.call('level', {}, { link: recordingAgent({ logLevel }) }));
  expect(textOf(await upstream.call('level'))).toBe('none');
  expect(await levelAfter('error')).toBe('error');
  expect(await levelAfter('info')).toBe('info');
  expect(await levelAfter('error')).toBe('info');
});

test('a modern server gets the log level with each request, and the request id as progress token', async () => {
  const upstream = notifying({ era: 'modern' }, { era: 'modern' });
  const asked = textOf(await upstream.call('meta', {}, { link: recordingAgent({ logLevel: 'notice' }) }));
  const meta = JSON.parse(String(asked)) as Record<string, unknown>;
  expect(meta['io.modelcontextprotocol/logLevel']).toBe('notice');
  expect(meta.progressToken).toEqual(expect.any(Number));
});

test('notifications of one call beyond the limit are dropped and counted, and the call succeeds', async () => {
  const upstream = notifying({}, { maxNotifications: 3 });
  const agent = recordingAgent();
  expect(textOf(await upstream.call('flood', { messages: 2_000 }, { link: agent }))).toBe('flooded');
  expect(agent.received.progress).toHaveLength(3);
  expect(dropped(upstream)).toBe(1_997);
});

test('notifications that an agent does not accept are counted as dropped, and the call succeeds', async () => {
  const upstream = notifying();
  const agent = { ...recordingAgent({ logLevel: 'debug' }), progress: () => false, log: () => false };
  expect(textOf(await upstream.call('steps', {}, { link: agent }))).toBe('done');
  expect(dropped(upstream)).toBe(2);
  expect(textOf(await upstream.call('log', { data: 'x' }, { link: agent }))).toBe('logged');
  expect(dropped(upstream)).toBe(4);
});

test('messages on the stream of one HTTP request belong to it, whatever else is in flight', async () => {
  const upstream = openPool(
    httpServer(
      (
        await serveHttp(
          legacyHandler({
            steps: ({ message }, response) => {
              const { _meta: meta, arguments: args } = message.params as never as {
                _meta?: { progressToken?: number };
                arguments: { nonce: string };
              };
              response.writeHead(200, { 'content-type': 'text/event-stream' });
              const send = (value: unknown): void => void response.write(`data: ${JSON.stringify(value)}\n\n`);
              const notify = (method: string, params: unknown): void => send({ jsonrpc: '2.0', method, params });
              notify('notifications/progress', {
                progressToken: meta?.progressToken,
                progress: 1,
                message: args.nonce,
              });
              notify('notifications/progress', { progressToken: 999, progress: 2 });
              notify('notifications/message', { level: 'info', data: args.nonce });
              setTimeout(() => {
                send(textResponse(message.id, 'done'));
                response.end();
              }, 20);
            },
          }),
        )
      ).url,
      { era: 'legacy', sharing: 'all' },
    ),
  );
  const agents = ['a', 'b', 'c'].map((nonce) => ({ nonce, link: recordingAgent({ logLevel: 'debug' }) }));
  await Promise.all(agents.map(({ nonce, link }) => upstream.call('steps', { nonce }, { as: nonce, link })));
  expect(agents.map(({ link }) => link.received)).toEqual(
    ['a', 'b', 'c'].map((nonce) => ({
      progress: [{ progress: 1, message: nonce }],
      log: [{ level: 'info', data: nonce }],
    })),
  );
  expect(dropped(upstream)).toBe(3);
});
