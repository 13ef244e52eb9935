import { UnrecoverableError } from 'bullmq';
import { expect, it } from 'vitest';
import { batchesOf, batchJob } from '../../src/contracts/batchJob.js';
import { DependencyUnavailableError } from '../../src/contracts/errors.js';
import { carryingPayload } from '../../src/ledger/batchPayload.js';
import { PacerClosedError } from '../../src/pacing/startPacer.js';
import type { BatchResult } from '../../src/writing/batchRunner.js';
import { runEach } from '../../src/writing/runEach.js';
import { syntheticPublish } from '../support/publishRecords.js';

const PUBLISH = syntheticPublish({
  ...{ tenantId: 'T', readAt: new Date('2026-06-01T10:00:00Z'), meterCount: 100, batchSize: 25 },
  origin: 'backfill',
});
const BATCHES = batchesOf(batchJob.parse(carryingPayload(PUBLISH, 0)));
const RESULT = { inserted: 25 } as BatchResult;

/** Runs four batches, some of which fail as told; answers which were begun and which are done. */
async function runWith(errors: Record<number, Error>) {
  const begun: number[] = [];
  const { done, error } = await runEach(BATCHES, async ({ batch }) => {
    begun.push(batch);
    if (errors[batch]) throw errors[batch];
    return RESULT;
  });
  return { begun, done: done.map(({ batch }) => batch.batch), error };
}

it('goes on with the others when a batch fails by its own fault, and has the job tried again', async () => {
  const fault = new Error('violates check constraint');
  expect(await runWith({ 1: fault })).toEqual({ begun: [0, 1, 2, 3], done: [0, 2, 3], error: fault });
});

it('has a job tried again for one batch though another has been given up', async () => {
  const fault = new Error('violates check constraint');
  const givenUp = new UnrecoverableError('given up');
  expect((await runWith({ 0: givenUp, 2: fault })).error).toBe(fault);
  expect((await runWith({ 0: givenUp })).error).toBe(givenUp);
  expect((await runWith({})).error).toBeUndefined();
});

it('ends at once when the worker stops or Postgres is away', async () => {
  for (const passing of [
    new PacerClosedError('stopping'),
    new DependencyUnavailableError('postgres', new Error('away')),
  ])
    expect(await runWith({ 1: passing })).toEqual({ begun: [0, 1], done: [0], error: passing });
});
