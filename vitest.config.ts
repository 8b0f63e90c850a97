import { defineConfig } from 'vitest/config';

// Slow machines need time, and no test asserts one.
const PATIENT = { testTimeout: 60_000, hookTimeout: 60_000 };

// These tests mostly wait, and disturb no other: every core takes one.
const QUICK = { maxWorkers: '100%', sequence: { groupOrder: 0 } };
// These load the machine: one at a time on two cores, after the others.
const HEAVY = { sequence: { groupOrder: 1 } };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...PATIENT,
          name: 'unit',
          include: ['test/{unit,property}/**/*.test.ts', 'test/*.test.ts'],
          setupFiles: ['test/unit/sandbox.ts'],
          pool: 'threads',
          isolate: false,
          ...QUICK,
        },
      },
      {
        test: {
          ...PATIENT,
          name: 'wire',
          include: ['test/{wire,conformance,contract,attack}/**/*.test.ts'],
          pool: 'forks',
          ...QUICK,
        },
      },
      {
        test: {
          ...PATIENT,
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          globalSetup: ['test/system/build.ts'],
          pool: 'forks',
          ...HEAVY,
        },
      },
    ],
  },
});
