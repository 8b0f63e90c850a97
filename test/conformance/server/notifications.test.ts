import { expect } from 'vitest';
import type { ClientContext, LogLevel } from '../../../src/domain/mcp/client-context.ts';
import { isJsonObject, type JsonObject } from '../../../src/lib/json/json.ts';
import { textOf } from '../../fixtures/upstream-pool.ts';
import { verifies } from '../requirements/verifies.ts';
import { type ServerWire, TOOL } from '../wires/scripted-server.ts';

const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';

/** An agent's side of a call that keeps the notifications it receives. */
class KeepingLink implements ClientContext {
  readonly capabilities: JsonObject = {};
  readonly wantsProgress: boolean;
  readonly logLevel: LogLevel | undefined;
  readonly answers: JsonObject[] = [];

  constructor({ wantsProgress = false, logLevel }: { wantsProgress?: boolean; logLevel?: LogLevel }) {
    this.wantsProgress = wantsProgress;
    this.logLevel = logLevel;
  }

  progress(params: JsonObject): boolean {
    return this.answers.push(params) > 0;
  }

  log(params: JsonObject): boolean {
    return this.answers.push(params) > 0;
  }
}

/** The `_meta` that the nth call arrived with. */
function metaOf(wire: ServerWire, index: number): JsonObject {
  const params = wire.of('tools/call')[index]?.message.params;
  return isJsonObject(params) && isJsonObject(params._meta) ? params._meta : {};
}

const call = (wire: ServerWire, link?: ClientContext): Promise<unknown> =>
  wire.upstream.call('act', {}, { definition: TOOL, ...(link === undefined ? {} : { link }) });

verifies('servers.progress.token', async (wire) => {
  await call(wire, new KeepingLink({ wantsProgress: true }));
  await call(wire, new KeepingLink({ logLevel: 'info' }));
  await call(wire);
  const [wanting] = wire.of('tools/call');
  expect(metaOf(wire, 0).progressToken).toBe(wanting?.message.id);
  expect([metaOf(wire, 1).progressToken, metaOf(wire, 2).progressToken]).toEqual([undefined, undefined]);
});

verifies('servers.progress.attributed', async (wire) => {
  const goOn: (() => void)[] = [];
  wire.answers['tools/call'] = ({ id, params, say }) => {
    const { progressToken } = Object(params._meta);
    say({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress: Number(id) } });
    say({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'unknown', progress: 99 } });
    return new Promise((resolve) => {
      goOn.push(() => resolve({ result: { content: [{ type: 'text', text: String(progressToken) }] } }));
    });
  };
  const links = [new KeepingLink({ wantsProgress: true }), new KeepingLink({ wantsProgress: true })];
  const calls = links.map((link) => wire.upstream.call('act', {}, { definition: TOOL, link }));
  await wire.until(() => goOn.length === 2);
  for (const go of goOn) go();
  const answers = await Promise.all(calls);
  expect(links.map(({ answers }) => answers)).toEqual(answers.map((answer) => [{ progress: Number(textOf(answer)) }]));
});

verifies('servers.log.set-level', async (wire) => {
  wire.answers['logging/setLevel'] = () => ({ result: {} });
  await call(wire, new KeepingLink({ logLevel: 'warning' }));
  await call(wire, new KeepingLink({ logLevel: 'warning' }));
  expect(wire.of('logging/setLevel').map(({ message }) => message.params)).toEqual([{ level: 'warning' }]);
});

verifies('servers.log.envelope', async (wire) => {
  await call(wire, new KeepingLink({ logLevel: 'warning' }));
  await call(wire, new KeepingLink({ wantsProgress: true }));
  expect([metaOf(wire, 0)[LOG_LEVEL], metaOf(wire, 1)[LOG_LEVEL]]).toEqual(['warning', undefined]);
});

verifies('servers.log.foreign', async (wire) => {
  const goOn: (() => void)[] = [];
  wire.answers['logging/setLevel'] = () => ({ result: {} });
  wire.answers['tools/call'] = ({ say }) =>
    new Promise((resolve) => {
      goOn.push(() => {
        say({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'error', data: 'whose?' } });
        resolve({ result: { content: [] } });
      });
    });
  const links = [new KeepingLink({ logLevel: 'info' }), new KeepingLink({ logLevel: 'info' })];
  const calls = links.map((link) => call(wire, link));
  await wire.until(() => goOn.length === 2);
  goOn[0]?.();
  await Promise.race(calls);
  expect(links.map(({ answers }) => answers)).toEqual([[], []]);
  goOn[1]?.();
  await Promise.all(calls);
});
