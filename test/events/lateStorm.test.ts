import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createLateRun,
  figuresOf,
  forgetReads,
  LATE_FIGURES,
  type LateRun,
  QUARTER_MS,
} from '../support/lateRun.js';
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

describe('a storm of outages over 2,000 meters', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  const forget = () => forgetReads(database);

  /** Publishes all intervals with what happens between them; `between` after each of them. */
  const live = async (
    run: LateRun,
    happenings: readonly Happening[],
    between: (step: number) => Promise<void>,
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
      await between(step);
    }
  };

  const readsOf = async (feederId: string, until: Date): Promise<unknown[]> =>
    (
      await database.pool.query(
        `SELECT meter_id, read_at, kwh, delivered_kwh, voltage FROM meter_reads_electric
         WHERE feeder_id = $1 AND read_at <= $2 ORDER BY 1, 2`,
        [feederId, until],
      )
    ).rows;
  /** The feeders of late outages that are neither over nor ended: one that begins within an interval holds all of it back. */
  const silenced = async (clock: Date): Promise<Set<string>> => {
    const { rows } = await database.pool.query(
      `SELECT feeder_id FROM ami_events WHERE delivery = 'late' AND end_at > $1`,
      [clock],
    );
    return new Set(rows.map(({ feeder_id }) => feeder_id));
  };

  it('is delivered as soon as an outage is over or was ended, and nothing of it before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 2, maxLength: 8 }), async (happenings) => {
        await forget();
        await live(
          createLateRun(database.pool, FLEET),
          happenings.filter(({ kind }) => kind !== 'late'),
          async () => undefined,
        );
        const feeders = [1, 2, 3, 4].map((number) => `FEEDER_${number}`);
        const expected = new Map<string, unknown[]>();
        for (let step = 0; step < INTERVALS; step += 1)
          for (const feeder of feeders)
            expected.set(`${feeder} ${step}`, await readsOf(feeder, new Date(FIRST + step * QUARTER_MS)));
        await forget();

        const run = createLateRun(database.pool, FLEET);
        await live(run, happenings, async (step) => {
          const clock = new Date(FIRST + step * QUARTER_MS + 60_000);
          await run.deliverAll();
          const out = await silenced(clock);
          for (const feeder of feeders) {
            const there = await readsOf(feeder, new Date(FIRST + step * QUARTER_MS));
            if (!out.has(feeder))
              expect(there, `${feeder} at ${step}`).toEqual(expected.get(`${feeder} ${step}`));
          }
          for (const one of happenings) {
            const isWhole = one.kind === 'late' && one.severity === 1 && Object.keys(one.meters).length === 0;
            const startAt = FIRST + one.from * 60_000;
            const isUnderWay =
              one.step <= step &&
              !(one.stop !== undefined && one.stop >= one.step && one.stop <= step) &&
              startAt <= clock.getTime() &&
              startAt + one.minutes * 60_000 > clock.getTime();
            if (!isWhole || !isUnderWay) continue;
            for (let kept = one.step; kept <= step; kept += 1) {
              const readAt = FIRST + kept * QUARTER_MS;
              if (readAt + QUARTER_MS <= startAt) continue;
              const { rows } = await database.pool.query(
                'SELECT count(*)::integer AS n FROM meter_reads_electric WHERE feeder_id = $1 AND read_at = $2',
                [`FEEDER_${one.feeder}`, new Date(readAt)],
              );
              expect(rows[0].n, `FEEDER_${one.feeder} holds back ${kept} at ${step}`).toBe(0);
            }
          }
        });
      }),
      // Each run takes seconds: what failed is told as it was drawn.
      { numRuns: 6, endOnFailure: true },
    );
  });

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
          const expected = await figuresOf(database.pool);
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
          const healed = await figuresOf(database.pool);
          for (const [index, query] of LATE_FIGURES.entries())
            expect(healed[index], query).toEqual(expected[index]);
        },
      ),
      { numRuns: 8 },
    );
  });

  it('falls before it heals: while the outage lasts its reads are not there', async () => {
    await forget();
    await live(createLateRun(database.pool, FLEET), [], async () => undefined);
    const expected = await figuresOf(database.pool);
    await forget();
    const run = createLateRun(database.pool, FLEET);
    const happenings = [1, 2, 3, 4, 5, 6, 7, 8].map(
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
    expect(await reads()).toBe(INTERVALS * (2_000 - 640));
    const fallen = await completeness();
    run.setClock(new Date(FIRST + 130 * 60_000));
    await run.deliverAll();
    expect(await reads()).toBe(INTERVALS * 2_000);
    expect(await completeness()).not.toEqual(fallen);
    expect((await completeness()).map(({ pct }) => pct)).toEqual([100, 100]);
    // Some were delivered twice: so many pieces always have a few of these, which chance may leave a storm without.
    const { rows } = await database.pool.query(
      'SELECT count(*)::integer AS copies FROM ami_held_reads WHERE reads = 0',
    );
    expect(rows[0].copies).toBeGreaterThan(0);
    expect(await figuresOf(database.pool)).toEqual(expected);
  });
});
