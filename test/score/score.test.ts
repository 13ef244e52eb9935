import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scoreReport } from '../../src/commands/scoreReport.js';
import { type Emulation, FIRST_EMULATION } from '../../src/contracts/emulation.js';
import { createRandomness } from '../../src/emulator/chance/random.js';
import type { FeederEventType } from '../../src/emulator/events/feederEvent.js';
import { feederId, meterId } from '../../src/emulator/fleet/syntheticFleet.js';
import { insertEvent } from '../../src/events/eventTable.js';
import { scoreSuspicion } from '../../src/score/score.js';
import { type History, writeHistory } from '../support/history.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const MONDAY = Date.UTC(2026, 0, 5);
const HOUR = 3_600_000;
/** The figures were set with `SCORE_METERS=2000`, which takes four times as long and says the same. */
const METERS = Number(process.env.SCORE_METERS ?? 500);
const FEEDERS = 20;
const THIEVES = 0.02 * METERS;
/** Roofs on 40 % of homes, cars in 15 %, heat pumps in 15 %. */
const WITH_SUN: Emulation = { ...FIRST_EMULATION, der: { pv: 0.4, ev: 0.15, heatPump: 0.15 } };

const week = (tenantId: string, emulation?: Emulation): History => ({
  ...(emulation && { emulation }),
  tenantId,
  meterCount: METERS,
  feederCount: FEEDERS,
  from: new Date(MONDAY),
  quarterHours: 7 * 96,
});

describe('suspicious meters against the thefts that were injected', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  const post = (
    tenantId: string,
    eventType: FeederEventType,
    meter: number,
    severity: number,
    startMs: number,
    hours: number,
    meterIds: string[] | null = null,
  ) =>
    insertEvent(database.pool, {
      tenantId,
      feederId: feederId(((meter - 1) % FEEDERS) + 1),
      eventType,
      severity,
      startAt: new Date(startMs),
      endAt: new Date(startMs + hours * HOUR),
      meterIds,
      meterFraction: null,
    });

  /** A week of thieves, every second of them for an hour a day alone, and of what must not be taken for one. */
  const robbedWeek = async (tenantId: string, emulation?: Emulation) => {
    const random = createRandomness('thieves', 'THEFT_WEEK');
    for (let thief = 0; thief < THIEVES; thief += 1) {
      const meter = 1 + Math.floor(random.uniform(1, thief, 0) * METERS);
      const severity = 0.2 + 0.7 * random.uniform(2, thief, 0);
      const meters = [meterId(tenantId, meter)];
      if (thief % 2 === 0) {
        await post(tenantId, 'theft', meter, severity, MONDAY, 7 * 24, meters);
      } else {
        // An hour a day, at an hour of the thief's own: the small hours, when least is drawn, among them.
        const hour = Math.floor(random.uniform(3, thief, 0) * 24);
        for (let day = 0; day < 7; day += 1)
          await post(tenantId, 'theft', meter, severity, MONDAY + (day * 24 + hour) * HOUR, 1, meters);
      }
    }
    // What must not be taken for theft, and thefts that leave no read behind.
    await post(tenantId, 'comms-outage', 3, 0.7, MONDAY + 30 * HOUR, 20);
    await post(tenantId, 'voltage-sag', 5, 0.9, MONDAY + 50 * HOUR, 20);
    await writeHistory(database.pool, week(tenantId, emulation));
    return scoreSuspicion(database.pool, tenantId);
  };

  it('names them over a week, those of an hour a day too, with recall and precision of at least 0.95', async () => {
    const score = await robbedWeek('THEFT_WEEK');
    expect(score).toMatchObject({ from: '2026-01-05', to: '2026-01-12', meterDays: 7 * METERS });
    expect(score.injected).toBeGreaterThan(THIEVES * 6);
    expect(score.precision).toBeGreaterThanOrEqual(0.95);
    expect(score.recall).toBeGreaterThanOrEqual(0.95);
  }, 180_000);

  it('names them among roofs that feed in, cars and heat pumps, with at least 0.93', async () => {
    const score = await robbedWeek('SUNNY_WEEK', WITH_SUN);
    expect(score.injected).toBeGreaterThan(THIEVES * 6);
    expect(score.precision).toBeGreaterThanOrEqual(0.93);
    expect(score.recall).toBeGreaterThanOrEqual(0.93);
    const { rows } = await database.pool.query(
      `SELECT count(*) FILTER (WHERE received_kwh > 0)::integer AS feeding, min(loss_pct)::float8 AS least, max(loss_pct)::float8 AS most
       FROM meter_reads_electric JOIN v_kpi_electric_feeder_loss_daily loss USING (tenant_id, feeder_id)
       WHERE tenant_id = 'SUNNY_WEEK' AND loss.day = '2026-01-08' AND read_at = '2026-01-08T12:00Z'`,
    );
    expect(rows[0].feeding).toBeGreaterThan(0.1 * METERS);
    expect(rows[0].least).toBeGreaterThan(0);
    expect(rows[0].most).toBeLessThan(15);
  }, 180_000);

  it('names at most 0.1 % of meters in a week without theft, with outages and sags', async () => {
    for (let feeder = 1; feeder <= FEEDERS; feeder += 1) {
      await post('QUIET_WEEK', 'comms-outage', feeder, feeder / FEEDERS, MONDAY + feeder * 7 * HOUR, 6);
      await post('QUIET_WEEK', 'voltage-sag', feeder, feeder / FEEDERS, MONDAY + feeder * 5 * HOUR, 6);
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
    await post('REVISED', 'theft', 7, 0.8, MONDAY, 1);
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
