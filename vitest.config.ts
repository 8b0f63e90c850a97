import { defineConfig } from 'vitest/config';

// Slow machines need time, and no test asserts one.
const PATIENT = { testTimeout: 60_000, hookTimeout: 60_000 };

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
        },
      },
      {
        test: {
          ...PATIENT,
          name: 'wire',
          include: ['test/{wire,conformance,contract,attack}/**/*.test.ts'],
          pool: 'forks',
        },
      },
      {
        test: {
          ...PATIENT,
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          globalSetup: ['test/system/build.ts'],
          pool: 'forks',
        },
      },
    ],
  },
});
