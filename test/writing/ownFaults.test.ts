import { UnrecoverableError } from 'bullmq';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { BatchJobPayload } from '../../src/contracts/batchJob.js';
import { DependencyUnavailableError } from '../../src/contracts/errors.js';
import type { AmiQueue, BatchProcessor } from '../../src/queues/amiQueue.js';
import { startAmiWorker } from '../../src/writing/amiWorker.js';
import type { BatchRunner } from '../../src/writing/batchRunner.js';

const PAYLOAD: BatchJobPayload = {
  publishId: '11111111-1111-4111-8111-111111111111',
  batch: 0,
  tenantId: 'T',
  readAt: '2026-06-01T10:00:00.000Z',
  intervalMinutes: 15,
  seed: 'T',
  from: 0,
  to: 10,
  onConflict: 'nothing',
  fleet: { meterCount: 10, feederCount: 10 },
};
const away = () => new DependencyUnavailableError('postgres', new Error('away'));
const ownFault = () => new Error('new row violates check constraint "no_meter_seven"');

/** Runs one batch until it is done or given up, as BullMQ does; the tries fail as told, and then there is no fault. */
async function outcomeAfter(failures: readonly Error[]) {
  const givenUp: string[] = [];
  const left = [...failures];
  let work: BatchProcessor | undefined;
  const queue = {
    work(process: BatchProcessor) {
      work = process;
    },
  } as unknown as AmiQueue;
  const runner = {
    async run() {
      const failure = left.shift();
      if (failure) throw failure;
      return { alreadyFinished: false, elapsedMs: 1 };
    },
    giveUp: async (_job: unknown, reason: string) => void givenUp.push(reason),
  } as unknown as BatchRunner;
  startAmiWorker({ queue, runner, log: pino({ level: 'silent' }), lane: 'live', concurrency: 1 });
  for (let tries = 1; ; tries += 1) {
    try {
      await work?.({ id: 'job', payload: PAYLOAD, isRerun: tries > 1 });
      return { tries, givenUp };
    } catch (error) {
      if (error instanceof UnrecoverableError) return { tries, givenUp };
    }
  }
}

it('gives a batch five tries at its own faults', async () => {
  expect(await outcomeAfter(Array.from({ length: 4 }, ownFault))).toEqual({ tries: 5, givenUp: [] });
  const fifth = await outcomeAfter(Array.from({ length: 9 }, ownFault));
  expect(fifth.tries).toBe(5);
  expect(fifth.givenUp).toEqual([ownFault().message]);
});

it('counts no try of an outage, however many there were', async () => {
  const outage = Array.from({ length: 20 }, away);
  expect(await outcomeAfter([...outage, ownFault(), ...outage, ownFault()])).toEqual({
    tries: 43,
    givenUp: [],
  });
});
