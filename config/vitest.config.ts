import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/globalSetup.ts'],
    reporters: ['default', './test/support/closingLine.ts'],
    // Real processes and a 10 s read limit: a test that waits for 25,000 reads needs more than the usual 5 s.
    testTimeout: 90_000,
    hookTimeout: 60_000,
    // They mostly wait: for boundaries, paces and processes.
    maxWorkers: 3,
  },
});
