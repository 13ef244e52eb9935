import { describe, inject } from 'vitest';

export type BackendName = 'redis' | 'postgres';

/** Which of the projects `postgres` and `redis` this file runs in; both run it (config/vitest.config.ts). */
function backendOfProject(): BackendName {
  const backend = process.env.TEST_QUEUE;
  if (backend !== 'redis' && backend !== 'postgres')
    throw new Error('a file with describeOnBothBackends runs in the projects postgres and redis alone');
  return backend;
}

/** The same tests on both queue backends; where there is no Redis its half shows as skipped. */
export function describeOnBothBackends(name: string, tests: (backend: BackendName) => void): void {
  const backend = backendOfProject();
  const skip = backend === 'redis' && inject('redisUrl') === undefined;
  describe.skipIf(skip)(`${name} (${backend} queue)`, () => tests(backend));
}

/** Tests that have nothing to do with the backend, beside some that have: they run once, in the project `postgres`. */
export function describeOnce(name: string, tests: () => void): void {
  if (backendOfProject() === 'postgres') describe(name, tests);
}
