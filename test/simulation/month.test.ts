import { expect, inject, it } from 'vitest';
import { describeOnBothBackends } from '../support/backends.js';
import { createTestDatabase } from '../support/testDatabase.js';
import { runManySlots, SLOTS_A_DAY, slotsFound } from './manySlots.js';

/** The whole month, and larger fleets, are in `npm run endurance -- month`. */
const DAYS = 2;
const METERS = 20;

describeOnBothBackends('days on end', (backend) => {
  it('have exactly one publish and all reads in each slot, by the scheduler alone', async () => {
    const database = await createTestDatabase();
    try {
      const slots = DAYS * SLOTS_A_DAY;
      const run = await runManySlots({
        databaseUrl: database.url,
        redisUrl: backend === 'redis' ? inject('redisUrl') : undefined,
        pool: database.pool,
        meterCount: METERS,
        slots,
      });
      expect(await slotsFound(database.pool, run.first)).toEqual({
        slots,
        aligned: slots,
        fewestReads: METERS,
        mostReads: METERS,
        repeated: 0,
        publishes: slots,
        ticks: slots,
      });
      expect(run.left).toEqual({ batches: 0, schedulers: [] });
      expect(run.warnings).toEqual([]);
    } finally {
      await database.drop();
    }
  });
});
