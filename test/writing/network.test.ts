import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emulationOf } from '../../src/contracts/emulation.js';
import { insertEvent } from '../../src/events/eventTable.js';
import { scoreSuspicion } from '../../src/score/score.js';
import { type History, writeHistory } from '../support/history.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const T = 'POOR';
const FROM = new Date('2026-06-01T00:00:00Z');
const emulation = emulationOf({
  network: 'poor',
  oddities: ['storm-silence', 'meter-exchange', 'clock-drift', 'momentary-outages'],
});
const HISTORY: History = {
  ...{ tenantId: T, meterCount: 200, feederCount: 10, from: FROM, quarterHours: 96, emulation },
};

describe('a poor network', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    // On every feeder all day: the truth is every meter whose read came in.
    for (let feeder = 1; feeder <= 10; feeder += 1)
      await insertEvent(database.pool, {
        ...{ tenantId: T, feederId: `FEEDER_${feeder}`, eventType: 'theft', severity: 0.6 },
        ...{ startAt: FROM, endAt: new Date('2026-06-02T00:00:00Z'), meterIds: null, meterFraction: null },
      });
    await writeHistory(database.pool, HISTORY);
  }, 120_000);
  afterAll(() => database.drop());

  it('loses reads that the ledger counts as left out, and no other', async () => {
    const { rows } = await database.pool.query(
      `SELECT sum(skipped)::integer AS skipped, sum(inserted)::integer AS inserted,
         (SELECT count(*)::integer FROM meter_reads_electric) AS reads FROM ami_publish_batches`,
    );
    expect(rows[0].inserted).toBe(rows[0].reads);
    expect(rows[0].inserted + rows[0].skipped).toBe(200 * 96);
    expect(rows[0].skipped).toBeGreaterThan(50);
  });

  it('changes nothing when the same is published again', async () => {
    const all = 'SELECT meter_id, read_at, kwh, delivered_kwh FROM meter_reads_electric ORDER BY 1, 2';
    const before = (await database.pool.query(all)).rows;
    await writeHistory(database.pool, { ...HISTORY, quarterHours: 4, onConflict: 'update' });
    expect((await database.pool.query(all)).rows).toEqual(before);
  });

  it('is known to the truth: a meter whose reads never came was not stolen from', async () => {
    const { rows } = await database.pool.query(
      'SELECT count(DISTINCT meter_id)::integer AS meters FROM meter_reads_electric',
    );
    expect(rows[0].meters).toBeLessThan(200);
    const score = await scoreSuspicion(database.pool, T);
    expect(score.injected).toBe(rows[0].meters);
    expect(score.recall).toBeGreaterThan(0.97);
    expect(score.precision).toBe(1);
  });
});
