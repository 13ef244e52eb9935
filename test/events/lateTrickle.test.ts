import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emulationOf } from '../../src/contracts/emulation.js';
import { arrivals, arrivesAt } from '../../src/emulator/network/lateness.js';
import type { PublishRecord } from '../../src/ledger/publishLedger.js';
import {
  createLateRun,
  figuresOf,
  forgetReads,
  LATE_FIGURES,
  type LateRun,
  QUARTER_MS,
} from '../support/lateRun.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const TENANT = 'TRICKLE';
const FLEET = { tenantId: TENANT, meterCount: 1_000, feederCount: 10 };
const FIRST = new Date('2026-06-01T22:30:00Z').getTime();
/** Over midnight: both days are to be whole in the end. */
const INTERVALS = 8;
const at = (step: number): Date => new Date(FIRST + step * QUARTER_MS);

interface Happening {
  kind: 'late' | 'lost' | 'theft';
  feeder: number;
  from: number;
  minutes: number;
  severity: number;
  step: number;
  /** Of a theft: whether the interval of its step is written anew with it. */
  isRevised: boolean;
}
const happening: fc.Arbitrary<Happening> = fc
  .record({
    kind: fc.constantFrom('late', 'lost', 'theft', 'theft'),
    feeder: fc.integer({ min: 1, max: 3 }),
    from: fc.integer({ min: -20, max: 100 }),
    minutes: fc.integer({ min: 10, max: 90 }),
    severity: fc.constantFrom(0.3, 0.8, 1),
    step: fc.nat(INTERVALS - 1),
    isRevised: fc.boolean(),
  })
  .map((one) => ({ ...one, isRevised: one.isRevised && one.kind === 'theft' }));
const lateness = fc.record({
  share: fc.constantFrom(0, 0.01, 0.1),
  maxIntervals: fc.integer({ min: 1, max: 6 }),
  duplicates: fc.constantFrom(0, 0.05, 0.1),
});

describe('a fleet some of whose reads come late, and some twice', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  const forget = () => forgetReads(database);
  const counted = async (text: string): Promise<number> =>
    Number((await database.pool.query(`SELECT count(*) AS n FROM ${text}`)).rows[0].n);

  const live = async (
    run: LateRun,
    given: Partial<PublishRecord>,
    happenings: readonly Happening[],
    between: (step: number) => Promise<void>,
  ): Promise<void> => {
    for (let step = 0; step < INTERVALS; step += 1) {
      run.setClock(new Date(at(step).getTime() + 60_000));
      const posted = happenings.filter((one) => one.step === step);
      for (const one of posted.filter(({ isRevised }) => !isRevised)) await post(run, one);
      await run.publish(at(step), given);
      for (const one of posted.filter(({ isRevised }) => isRevised)) {
        await post(run, one);
        await run.publish(at(step), { ...given, origin: 'revision', onConflict: 'update' });
      }
      await between(step);
    }
  };
  const post = async (run: LateRun, one: Happening): Promise<void> => {
    const startAt = new Date(FIRST + one.from * 60_000);
    await run.event({
      ...{ feederId: `FEEDER_${one.feeder}`, startAt, severity: one.severity },
      endAt: new Date(startAt.getTime() + one.minutes * 60_000),
      ...(one.kind === 'theft' ? { eventType: 'theft' } : { delivery: one.kind }),
    });
  };

  it('ends as the run without, at any order and duplication, with outages, thefts and revisions', async () => {
    await fc.assert(
      fc.asyncProperty(
        lateness,
        fc.array(happening, { maxLength: 6 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        async (late, happenings, draws) => {
          const chance = (): number => draws.next().value as number;
          await forget();
          const without = createLateRun(database.pool, FLEET);
          await live(without, {}, happenings, async () => undefined);
          without.setClock(new Date(FIRST + 24 * 3_600_000));
          await without.deliverAll();
          const expected = await figuresOf(database.pool);

          await forget();
          const run = createLateRun(database.pool, { ...FLEET, chance });
          const delayed: Parameters<LateRun['run']>[0][number][] = [];
          await live(run, { emulation: emulationOf({ lateness: late }) }, happenings, async () => {
            delayed.push(...(await run.supply()));
            if (chance() < 0.5) await run.run(delayed.splice(0));
          });
          run.setClock(new Date(FIRST + 24 * 3_600_000));
          await run.run(delayed);
          await run.deliverAll();
          expect(await counted(`ami_held_reads WHERE state <> 'delivered'`)).toBe(0);
          const found = await figuresOf(database.pool);
          for (const [index, query] of LATE_FIGURES.entries())
            expect(found[index], query).toEqual(expected[index]);
        },
      ),
      { numRuns: 8 },
    );
  });

  it('has each read at its time: none before, and all by then', async () => {
    await forget();
    const late = { share: 0.1, maxIntervals: 3, duplicates: 0.1 };
    const run = createLateRun(database.pool, FLEET);
    const { seed } = await seedOf(run);
    await live(run, { emulation: emulationOf({ lateness: late }), seed }, [], async (step) => {
      // The end of the interval: what is late by n of an interval n before comes now.
      run.setClock(at(step + 1));
      await run.deliverAll();
      const { rows } = await database.pool.query<{ meter: string; at: Date }>(
        'SELECT meter_id AS meter, read_at AS at FROM meter_reads_electric',
      );
      const there = new Set(rows.map((row) => `${row.meter} ${row.at.toISOString()}`));
      for (let before = 0; before <= step; before += 1) {
        const readAt = at(before);
        const arrivalOf = arrivals(late, { tenantId: TENANT, seed, readAt });
        for (let meter = 1; meter <= FLEET.meterCount; meter += 1) {
          const id = `${TENANT}-MTR-${String(meter).padStart(5, '0')}`;
          const isDue = arrivesAt({ readAt, intervalMinutes: 15 }, arrivalOf(id).lateBy) <= at(step + 1);
          expect([id, before, there.has(`${id} ${readAt.toISOString()}`)]).toEqual([id, before, isDue]);
        }
      }
    });
    run.setClock(at(INTERVALS + 10));
    await run.deliverAll();
    expect(await counted('meter_reads_electric')).toBe(INTERVALS * FLEET.meterCount);
    // Copies came, and changed nothing.
    expect(await counted('ami_held_reads WHERE reads = 0')).toBeGreaterThan(0);
    expect(
      await counted(`ami_publish_batches batch JOIN ami_publishes USING (publish_id)
        WHERE origin = 'late' AND inserted = 0 AND duplicate > 0`),
    ).toBeGreaterThan(0);
  });

  const seedOf = async (run: LateRun): Promise<{ seed: string }> => {
    run.setClock(at(0));
    await run.publish(at(-4), { meterCount: 10 });
    const { rows } = await database.pool.query('SELECT seed FROM ami_publishes LIMIT 1');
    await forget();
    return rows[0];
  };
});
