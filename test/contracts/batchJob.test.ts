import { describe, expect, it } from 'vitest';
import { batchesOf, batchJob } from '../../src/contracts/batchJob.js';
import { batchesPerJob, batchPayload, carryingPayload } from '../../src/ledger/batchPayload.js';
import { syntheticPublish } from '../support/publishRecords.js';

const publishOf = (meterCount: number, batchSize: number, origin: 'backfill' | 'tick' = 'backfill') =>
  syntheticPublish({
    ...{ tenantId: 'T', readAt: new Date('2026-06-01T10:00:00Z'), lane: 'background', rangeFrom: 7 },
    ...{ rangeTo: 7 + meterCount, meterCount: 7 + meterCount, batchSize, origin },
  });

describe('a job of several batches', () => {
  it('carries each batch of a backfill once, as a job of its own would', () => {
    for (const [meters, batchSize] of [
      [1_000, 25],
      [1_010, 25],
      [30, 25],
      [900, 60],
      [40, 1],
      [600, 300],
      [2_000, 500],
    ] as const) {
      const publish = publishOf(meters, batchSize);
      const numbers = Array.from({ length: publish.batchCount }, (_, number) => number);
      const payloads = numbers.map((number) => carryingPayload(publish, number));
      const jobs = [...new Map(payloads.map((payload) => [payload.batch, payload])).values()];
      const carried = jobs.flatMap((job) => batchesOf(batchJob.parse(job)));
      const alone = numbers.map((number) => batchJob.parse(batchPayload(publish, number)));
      expect(carried).toEqual(alone);
      expect(jobs).toHaveLength(Math.ceil(publish.batchCount / Math.floor(500 / batchSize)));
    }
  });

  it('is made for backfills alone: whatever else is published has a job for each batch', () => {
    expect(batchesPerJob({ origin: 'backfill', batchSize: 25 })).toBe(20);
    for (const origin of ['manual', 'tick', 'catch-up', 'revision'] as const)
      expect(batchesPerJob({ origin, batchSize: 25 })).toBe(1);
    expect(carryingPayload(publishOf(100, 25, 'tick'), 3)).not.toHaveProperty('last');
  });

  it('is refused above 500 meters, and where its last batch does not follow on the others', () => {
    const first = batchPayload(publishOf(1_000, 25), 0);
    const isTaken = (batch: number, to: number) =>
      batchJob.safeParse({ ...first, last: { batch, to } }).success;
    expect(isTaken(19, 507)).toBe(true);
    expect(isTaken(19, 483)).toBe(true);
    expect(isTaken(20, 532)).toBe(false);
    expect(isTaken(19, 482)).toBe(false);
    expect(isTaken(18, 507)).toBe(false);
    expect(isTaken(0, 32)).toBe(false);
  });
});
