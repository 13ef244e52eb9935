import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchRanges } from '../../src/ledger/batchRange.js';
import { estimateRuntimeSeconds, planPublish } from '../../src/publishing/plan.js';

const request = { intervalMinutes: 15, batchSize: 500, meterCount: 25_000, feederCount: 25 } as const;

describe('planPublish', () => {
  it('cuts 25,000 meters into 50 batches, without a warning', () => {
    const plan = planPublish(request);
    expect(plan.batchCount).toBe(50);
    expect(plan.safetyWarnings).toEqual([]);
  });

  it('keeps every cap whatever is asked for, and covers the fleet without gap or overlap', () => {
    const size = fc.integer({ min: 1, max: 1_000_000 });
    fc.assert(
      fc.property(size, size, size, (batchSize, meterCount, feederCount) => {
        const plan = planPublish({ intervalMinutes: 15, batchSize, meterCount, feederCount });
        expect(plan.batchSize).toBeLessThanOrEqual(500);
        expect(plan.fleet.meterCount).toBeLessThanOrEqual(25_000);
        expect(plan.fleet.feederCount).toBeGreaterThanOrEqual(10);
        expect(plan.fleet.feederCount).toBeLessThanOrEqual(40);
        expect(plan.batchCount).toBeLessThanOrEqual(200);
        expect(plan.batchCount).toBe(Math.ceil(plan.fleet.meterCount / plan.batchSize));
        let position = 0;
        const { fleet, batchSize: size } = plan;
        const batches = batchRanges({ rangeFrom: 0, rangeTo: fleet.meterCount, batchSize: size });
        expect(batches).toHaveLength(plan.batchCount);
        for (const batch of batches) {
          expect(batch.from).toBe(position);
          expect(batch.to - batch.from).toBeLessThanOrEqual(plan.batchSize);
          position = batch.to;
        }
        expect(position).toBe(plan.fleet.meterCount);
      }),
    );
  });

  it('says of each cap from what to what and why', () => {
    const plan = planPublish({ ...request, batchSize: 900, meterCount: 60_000, feederCount: 5 });
    expect(plan.safetyWarnings).toEqual([
      'batchSize was lowered from 900 to 500: a job carries at most 500 meters.',
      'feederCount was raised from 5 to 10: a fleet has between 10 and 40 feeders.',
      'meterCount was lowered from 60000 to 25000: a publish covers at most 25000 meters.',
    ]);
  });

  it('truncates meterCount to what 200 jobs can carry', () => {
    const plan = planPublish({ ...request, batchSize: 100 });
    expect(plan.fleet.meterCount).toBe(20_000);
    expect(plan.batchCount).toBe(200);
    expect(plan.safetyWarnings).toEqual([
      'meterCount was lowered from 25000 to 20000: a publish enqueues at most 200 jobs, of 100 meters each.',
    ]);
  });

  it('estimates the floor that the read limit sets', () => {
    expect(estimateRuntimeSeconds(25_000, 2_500)).toBe(10);
    expect(estimateRuntimeSeconds(1, 2_500)).toBe(0.1);
  });
});
