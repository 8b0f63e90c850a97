// Loaded into a broker to measure its memory: at each SIGUSR2 the thread that serves collects garbage and writes the
// figures to a file. Signals arrive on the main thread, which passes them on.
import { renameSync, writeFileSync } from 'node:fs';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';

const file = process.env.BENCH_PROBE_FILE ?? '';
const channel = new BroadcastChannel('memory-probe');
channel.unref();
let samples = 0;

function sample() {
  globalThis.gc();
  // Finalizers have run by then, and a second collection frees what they held.
  setTimeout(() => {
    globalThis.gc();
    samples += 1;
    const { rss, heapUsed, external } = process.memoryUsage();
    writeFileSync(`${file}.new`, JSON.stringify({ samples, rssBytes: rss, liveBytes: heapUsed + external }));
    renameSync(`${file}.new`, file);
  }, 100);
}

if (isMainThread) process.on('SIGUSR2', () => channel.postMessage('sample'));
else channel.onmessage = sample;
