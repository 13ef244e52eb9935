import { describe, inject } from 'vitest';

export type BackendName = 'redis' | 'postgres';

/** The same tests on both queue backends; where there is no Redis its half shows as skipped. */
export function describeOnBothBackends(name: string, tests: (backend: BackendName) => void): void {
  for (const backend of ['postgres', 'redis'] as const) {
    const skip = backend === 'redis' && inject('redisUrl') === undefined;
    describe.skipIf(skip)(`${name} (${backend} queue)`, () => tests(backend));
  }
}
