import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { CountedHome } from '../../fixtures/homes/counted-home.ts';

let counted: CountedHome;
afterEach(() => counted.close());

const PATIENT = { timeout: 30_000, interval: 50 };

/** The part of a report of Node that is read here. */
interface NodeReport {
  readonly javascriptHeap: { readonly memoryLimit: number };
  readonly workers: readonly NodeReport[];
}

test('a broker started without flags serves in a thread with a young generation of 192 MiB', async () => {
  counted = await CountedHome.create();
  const directory = mkdtempSync(join(tmpdir(), 'report-'));
  const served = await counted.home.serve({
    env: { NODE_OPTIONS: `--report-on-signal --report-directory=${directory}` },
  });
  served.child.kill('SIGUSR2');
  const read = (): NodeReport | undefined => {
    const [name] = readdirSync(directory);
    const text = name === undefined ? '' : readFileSync(join(directory, name), 'utf8');
    // `as`: Node writes its reports in this shape (https://nodejs.org/docs/latest-v20.x/api/report.html).
    return text.endsWith('}') || text.endsWith('}\n') ? (JSON.parse(text) as NodeReport) : undefined;
  };
  await expect.poll(read, PATIENT).toBeDefined();
  const report = read();
  rmSync(directory, { recursive: true });
  const serving = report?.workers[0]?.javascriptHeap.memoryLimit ?? 0;
  expect(serving - (report?.javascriptHeap.memoryLimit ?? 0)).toBe(192 * 2 ** 20);
});

test('a second SIGTERM ends the process at once, as the system does', async () => {
  counted = await CountedHome.create();
  counted.counter.pause = 'before-answering';
  const served = await counted.home.serve();
  const call = counted.caller(served).call('counter__act', { nonce: 'a' });
  await counted.counter.until(({ acted }) => acted.length === 1);
  served.child.kill('SIGTERM');
  const isServing = (): Promise<boolean> =>
    fetch(`${served.url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await expect.poll(isServing, PATIENT).toBe(false);
  await served.stop('SIGTERM');
  expect([served.child.exitCode, served.child.signalCode]).toEqual([null, 'SIGTERM']);
  await call;
});

test('SIGINT ends a broker with exit code 130 when its calls have ended', async () => {
  counted = await CountedHome.create();
  const served = await counted.home.serve();
  await served.stop('SIGINT');
  expect(served.child.exitCode).toBe(130);
  expect(counted.systemEntryKinds().at(-1)).toBe('broker.stopped');
});
