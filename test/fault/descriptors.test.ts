import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { CountedHome } from '../fixtures/counted-home.ts';

let counted: CountedHome;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await counted.close();
});

const PATIENT = { timeout: 30_000, interval: 100 };
/** `ulimit -n`. A broker that runs holds some forty; to load its modules at the start it needs more for a moment. */
const DESCRIPTORS = 64;

test('F17: a broker that may open no more files does not end, and serves again when others have closed theirs', async () => {
  counted = await CountedHome.make();
  const served = await counted.home.serve();
  execFileSync('prlimit', ['--pid', `${served.child.pid}`, `--nofile=${DESCRIPTORS}:${DESCRIPTORS}`]);
  const caller = counted.caller(served);
  expect(await caller.call('counter__act', { nonce: 'before' })).toEqual({ kind: 'result', text: 'before' });
  const port = Number(new URL(served.url).port);
  for (let opened = 0; opened < 4 * DESCRIPTORS; opened += 1) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    sockets.push(socket);
  }
  await Promise.all(sockets.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])));
  // A process cannot be started now, and a connection not be made; both are failures of the call and of nothing else.
  const meanwhile = await Promise.all([
    caller.call('counter__act', { nonce: 'meanwhile' }),
    caller.call('pipe__act', { nonce: 'meanwhile' }),
  ]);
  process.stdout.write(`${DESCRIPTORS} files, ${4 * DESCRIPTORS} connections: ${JSON.stringify(meanwhile)}\n`);
  expect(served.child.exitCode).toBeNull();
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const tool of ['counter__act', 'pipe__act']) {
    await expect
      .poll(async () => (await counted.caller(served).call(tool, { nonce: 'after' })).kind, PATIENT)
      .toBe('result');
  }
  expect(await counted.replay()).toEqual({ code: 0, differences: 0, undecidable: 0 });
});
