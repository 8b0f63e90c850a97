import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterEach, expect } from 'vitest';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { CountedHome } from '../../fixtures/homes/counted-home.ts';

let counted: CountedHome;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await counted.close();
});

verifies('F17')(
  'a broker with 64 open files that is dialled 200 times does not end, and serves when they have gone',
  async () => {
    counted = await CountedHome.create();
    const served = await counted.home.serve();
    // Once it runs: to load its modules alone takes more.
    execFileSync('prlimit', ['--pid', String(served.child.pid), '--nofile=64:64']);
    expect(await counted.caller(served).call('counter__act', { nonce: 'before' })).toMatchObject({ kind: 'result' });
    const port = Number(new URL(served.url).port);
    await Promise.all(
      Array.from(
        { length: 200 },
        () =>
          new Promise<void>((resolve) => {
            const socket = connect(port, '127.0.0.1', resolve);
            socket.on('error', () => resolve());
            sockets.push(socket);
          }),
      ),
    );
    const openFiles = (): number => readdirSync(`/proc/${served.child.pid}/fd`).length;
    await expect.poll(openFiles, { timeout: 20_000 }).toBeGreaterThanOrEqual(60);
    expect(served.child.exitCode).toBeNull();
    for (const socket of sockets.splice(0)) socket.destroy();
    await expect
      .poll(async () => (await counted.caller(served).call('counter__act', { nonce: 'after' })).kind, {
        timeout: 30_000,
      })
      .toBe('result');
    expect(served.child.exitCode).toBeNull();
  },
);
