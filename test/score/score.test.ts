import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scoreReport } from '../../src/commands/scoreReport.js';
import { scoreSuspicion } from '../../src/score/score.js';
import { type History, writeHistory } from '../support/history.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import {
  FEEDERS,
  HOUR,
  METERS,
  MONDAY,
  postEvent,
  robbedWeek,
  THIEVES,
  WITH_SUN,
  week,
} from './robbedWeek.js';

describe('suspicious meters against the thefts that were injected', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('names them over a week, those of an hour a day too, with recall and precision of at least 0.95', async () => {
    const score = await robbedWeek(database.pool, 'THEFT_WEEK');
    expect(score).toMatchObject({ from: '2026-01-05', to: '2026-01-12', meterDays: 7 * METERS });
    expect(score.injected).toBeGreaterThan(THIEVES * 6);
    expect(score.precision).toBeGreaterThanOrEqual(0.95);
    expect(score.recall).toBeGreaterThanOrEqual(0.95);
  }, 180_000);

  it('names them among roofs that feed in, cars and heat pumps, with at least 0.93', async () => {
    const score = await robbedWeek(database.pool, 'SUNNY_WEEK', WITH_SUN);
    expect(score.injected).toBeGreaterThan(THIEVES * 6);
    expect(score.precision).toBeGreaterThanOrEqual(0.93);
    expect(score.recall).toBeGreaterThanOrEqual(0.93);
    const { rows } = await database.pool.query(
      `SELECT count(*) FILTER (WHERE read.received_kwh > 0)::integer AS feeding, min(loss_pct)::float8 AS least, max(loss_pct)::float8 AS most
       FROM meter_reads_electric read JOIN v_kpi_electric_feeder_loss_daily loss USING (tenant_id, feeder_id)
       WHERE tenant_id = 'SUNNY_WEEK' AND loss.day = '2026-01-08' AND read_at = '2026-01-08T12:00Z'`,
    );
    expect(rows[0].feeding).toBeGreaterThan(0.1 * METERS);
    expect(rows[0].least).toBeGreaterThan(0);
    expect(rows[0].most).toBeLessThan(15);
  }, 180_000);

  it('names at most 0.1 % of meters in a week without theft, with outages and sags', async () => {
    for (let feeder = 1; feeder <= FEEDERS; feeder += 1) {
      for (const [type, hours] of [['comms-outage', 7] as const, ['voltage-sag', 5] as const]) {
        const from = MONDAY + feeder * hours * HOUR;
        await postEvent(database.pool, 'QUIET_WEEK', type, feeder, feeder / FEEDERS, from, 6);
      }
    }
    await writeHistory(database.pool, week('QUIET_WEEK'));
    const score = await scoreSuspicion(database.pool, 'QUIET_WEEK');
    expect(score).toMatchObject({ injected: 0, precision: score.named === 0 ? null : 0, recall: null });
    const { rows } = await database.pool.query(
      `SELECT count(DISTINCT meter_id)::integer AS meters FROM v_kpi_suspicious_meters_daily WHERE tenant_id = 'QUIET_WEEK'`,
    );
    expect(rows[0].meters).toBeLessThanOrEqual(METERS / 1000);
  }, 180_000);

  it('counts what the reads were made with, not what was posted after them', async () => {
    const history: History = {
      tenantId: 'REVISED',
      meterCount: 100,
      feederCount: 10,
      from: new Date(MONDAY),
      quarterHours: 2,
    };
    await writeHistory(database.pool, history);
    await postEvent(database.pool, 'REVISED', 'theft', 7, 0.8, MONDAY, 1);
    expect(await scoreSuspicion(database.pool, 'REVISED')).toMatchObject({ injected: 0, named: 0 });
    // Nothing is written where reads are, so nothing is stolen either.
    await writeHistory(database.pool, history);
    expect(await scoreSuspicion(database.pool, 'REVISED')).toMatchObject({ injected: 0, named: 0 });
    await writeHistory(database.pool, { ...history, onConflict: 'update' });
    expect(await scoreSuspicion(database.pool, 'REVISED')).toMatchObject({
      injected: 10,
      named: 10,
      right: 10,
      precision: 1,
      recall: 1,
    });
  });

  it('prints precision and recall, and some of what was missed or wrongly named', () => {
    const day = (meter: number): string => `2026-01-05 T-MTR-${meter}`;
    const text = scoreReport('T', {
      from: '2026-01-05',
      to: '2026-01-06',
      meterDays: 1_000,
      injected: 20,
      named: 9,
      right: 8,
      precision: 8 / 9,
      recall: 0.4,
      missed: Array.from({ length: 12 }, (_, meter) => day(meter)),
      wronglyNamed: [day(77)],
      leftOutDays: 2,
    });
    expect(text).toContain('1,000 meter-days with reads.\n2 other days are left out: the ledger');
    expect(text).toContain('precision  0.889\n  recall     0.400\n');
    expect(text).toContain(`${day(9)} and 2 more\n`);
    expect(text).toContain(`wrongly named: ${day(77)}\n`);
  });

  it('says that there is nothing to score where there are no reads', async () => {
    await expect(scoreSuspicion(database.pool, 'NOBODY')).rejects.toThrow('Tenant NOBODY has no reads');
  });
});
