import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLateRun, type LateRun, QUARTER_MS } from '../support/lateRun.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const TENANT = 'STORM';
/** 80 meters a feeder; batches of 500 lie across feeders. */
const FLEET = { tenantId: TENANT, meterCount: 2_000, feederCount: 25 };
const FIRST = new Date('2026-06-01T22:30:00Z').getTime();
/** Over midnight: both days are to heal. */
const INTERVALS = 8;

/** Minutes count from the first interval; steps are intervals published before it. */
interface Happening {
  kind: 'late' | 'lost' | 'theft';
  feeder: number;
  from: number;
  minutes: number;
  severity: number;
  meters: { meterFraction: number } | { meterIds: string[] } | object;
  /** When it is posted: before the interval of this number is published. */
  step: number;
  /** When it is ended early, if it is not over by then. */
  stop: number | undefined;
}

const happening: fc.Arbitrary<Happening> = fc.record({
  kind: fc.constantFrom('late', 'late', 'late', 'lost', 'theft'),
  feeder: fc.integer({ min: 1, max: 4 }),
  from: fc.integer({ min: -20, max: 110 }),
  minutes: fc.integer({ min: 1, max: 100 }),
  severity: fc.constantFrom(0.3, 0.8, 1),
  meters: fc.oneof(
    fc.constant({}),
    fc.constantFrom(0.1, 0.5).map((meterFraction) => ({ meterFraction })),
    fc.subarray([1, 2, 26, 27, 51, 77, 103, 129], { minLength: 1 }).map((meters) => ({
      meterIds: meters.map((meter) => `${TENANT}-MTR-${String(meter).padStart(5, '0')}`),
    })),
  ),
  step: fc.nat(INTERVALS - 1),
  stop: fc.option(fc.nat(INTERVALS - 1), { nil: undefined }),
});

/** What must end as it would have been. */
const FIGURES = [
  `SELECT meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, quality_flags FROM meter_reads_electric ORDER BY 1, 3`,
  `SELECT day, feeder_id, reads, kwh, delivered_kwh, min_voltage, low_voltage_reads, high_voltage_reads
   FROM ami_feeder_days ORDER BY 1, 2`,
  'SELECT day, feeder_id, reads, kwh, delivered_kwh, loss_pct FROM v_kpi_electric_feeder_loss_daily ORDER BY 1, 2',
  `SELECT day, reads, kwh, delivered_kwh, loss_pct, completeness_pct FROM v_kpi_electric_overview_daily ORDER BY 1`,
  `SELECT day, feeder_id, meter_id, suspicious_intervals, registered_kwh, delivered_kwh, first_interval_at, last_interval_at
   FROM v_kpi_suspicious_meters_daily ORDER BY 1, 2, 3`,
];

describe('a storm of outages over 2,000 meters', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  const figures = async (pool: pg.Pool): Promise<unknown[]> => {
    const found: unknown[] = [];
    for (const query of FIGURES) found.push((await pool.query(query)).rows);
    return found;
  };
  const forget = async (): Promise<void> => {
    for (const tables of ['meter_reads_electric', 'ami_publishes CASCADE', 'ami_events'])
      await database.truncate(tables);
  };

  /** Publishes all intervals with what happens between them; `between` after each of them. */
  const live = async (
    run: LateRun,
    happenings: readonly Happening[],
    between: () => Promise<void>,
  ): Promise<void> => {
    const ids = new Map<Happening, string>();
    for (let step = 0; step < INTERVALS; step += 1) {
      run.setClock(new Date(FIRST + step * QUARTER_MS + 60_000));
      for (const one of happenings.filter((posted) => posted.step === step)) {
        const startAt = new Date(FIRST + one.from * 60_000);
        const id = await run.event({
          ...{ feederId: `FEEDER_${one.feeder}`, startAt, severity: one.severity, ...one.meters },
          endAt: new Date(startAt.getTime() + one.minutes * 60_000),
          ...(one.kind === 'theft' ? { eventType: 'theft' } : { delivery: one.kind }),
        });
        ids.set(one, id);
      }
      await run.publish(new Date(FIRST + step * QUARTER_MS));
      for (const [one, id] of ids) if (one.stop === step) await run.stop(id);
      await between();
    }
  };

  it('heals to the very figures of the run without the late ones, at any order and duplication', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { minLength: 2, maxLength: 12 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        async (happenings, draws) => {
          const chance = (): number => draws.next().value as number;
          await forget();
          const without = createLateRun(database.pool, FLEET);
          await live(
            without,
            happenings.filter(({ kind }) => kind !== 'late'),
            async () => undefined,
          );
          const expected = await figures(database.pool);
          await forget();

          const run = createLateRun(database.pool, { ...FLEET, chance });
          const delayed: Parameters<LateRun['run']>[0][number][] = [];
          await live(run, happenings, async () => {
            delayed.push(...(await run.supply()));
            // Some of what was accepted waits in the queue until after everything else.
            if (chance() < 0.5) await run.run(delayed.splice(0));
          });
          run.setClock(new Date(FIRST + 24 * 3_600_000));
          await run.run(delayed);
          await run.deliverAll();

          const { rows } = await database.pool.query('SELECT DISTINCT state FROM ami_held_reads');
          expect(rows.filter(({ state }) => state !== 'delivered')).toEqual([]);
          const healed = await figures(database.pool);
          for (const [index, query] of FIGURES.entries())
            expect(healed[index], query).toEqual(expected[index]);
        },
      ),
      { numRuns: 8 },
    );
  });

  it('falls before it heals: while the outage lasts its reads are not there', async () => {
    await forget();
    const run = createLateRun(database.pool, FLEET);
    const happenings = [1, 2, 3].map(
      (feeder): Happening => ({
        ...{ kind: 'late', feeder, from: 0, minutes: 130, severity: 1, meters: {}, step: 0, stop: undefined },
      }),
    );
    await live(run, happenings, async () => {
      expect(await run.supply()).toEqual([]);
    });
    const completeness = async () =>
      (await database.pool.query('SELECT completeness_pct::float AS pct FROM v_kpi_electric_overview_daily'))
        .rows;
    const reads = async () =>
      (await database.pool.query('SELECT count(*)::integer AS n FROM meter_reads_electric')).rows[0].n;
    expect(await reads()).toBe(INTERVALS * (2_000 - 240));
    const fallen = await completeness();
    run.setClock(new Date(FIRST + 130 * 60_000));
    await run.deliverAll();
    expect(await reads()).toBe(INTERVALS * 2_000);
    expect(await completeness()).not.toEqual(fallen);
    expect((await completeness()).map(({ pct }) => pct)).toEqual([100, 100]);
  });
});
