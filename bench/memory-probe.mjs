// Loaded into a process whose memory is measured: at each SIGUSR2 it clears up and writes down what is left.
import { renameSync, writeFileSync } from 'node:fs';

const file = process.env.BENCH_PROBE_FILE ?? '';
let looks = 0;
process.on('SIGUSR2', () => {
  globalThis.gc();
  // A turn later finalizers have run, and what they held goes too.
  setTimeout(() => {
    globalThis.gc();
    looks += 1;
    const { rss, heapUsed, external } = process.memoryUsage();
    writeFileSync(`${file}.new`, JSON.stringify({ looks, rssBytes: rss, liveBytes: heapUsed + external }));
    renameSync(`${file}.new`, file);
  }, 100);
});
