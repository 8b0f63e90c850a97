// Loaded into a process to measure its memory: at each SIGUSR2 it collects garbage and writes the figures to a file.
import { renameSync, writeFileSync } from 'node:fs';

const file = process.env.BENCH_PROBE_FILE ?? '';
let samples = 0;
process.on('SIGUSR2', () => {
  globalThis.gc();
  // Finalizers have run by then, and a second collection frees what they held.
  setTimeout(() => {
    globalThis.gc();
    samples += 1;
    const { rss, heapUsed, external } = process.memoryUsage();
    writeFileSync(`${file}.new`, JSON.stringify({ samples, rssBytes: rss, liveBytes: heapUsed + external }));
    renameSync(`${file}.new`, file);
  }, 100);
});
