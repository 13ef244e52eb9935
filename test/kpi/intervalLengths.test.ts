import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFeederSeries } from '../../src/kpi/feederSeries.js';
import { feedersAt } from '../../src/kpi/latestIntervals.js';
import { seriesSpan } from '../../src/kpi/seriesSpan.js';
import { staleMetersAt } from '../../src/kpi/staleness.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const TENANT = 'MIXED';
const DAY = '2026-06-01';

/** Meters by the length of their intervals; null says none, as an emulated read does. */
const METERS: [meter: string, feeder: string, minutes: number | null, every: number][] = [
  ['FIVE', 'F1', 5, 5],
  ['HALF', 'F1', 30, 30],
  ['HOURLY', 'F1', 60, 60],
  ['QUARTER', 'F1', 15, 15],
  ['EMULATED', 'F2', null, 15],
  ['FIVE-2', 'F2', 5, 5],
];
const READS = 288 + 48 + 24 + 96 + 96 + 288;

describe('reads of other intervals than a quarter hour', () => {
  let database: TestDatabase;
  const query = async <Row>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await database.pool.query(text, values)).rows as Row[];
  const insert = (meters = METERS) =>
    query(
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, interval_minutes)
       SELECT $1, meter, feeder, at, 0.1, minutes
       FROM unnest($2::text[], $3::text[], $4::smallint[], $5::integer[]) AS wanted (meter, feeder, minutes, every),
         LATERAL generate_series($6::timestamptz, $6::timestamptz + interval '1 d' - interval '1 min', every * interval '1 min') at`,
      [
        TENANT,
        meters.map(([meter]) => meter),
        meters.map(([, feeder]) => feeder),
        meters.map((row) => row[2]),
        meters.map((row) => row[3]),
        `${DAY}T00:00Z`,
      ],
    );
  const completeness = async () => {
    const [row] = await query<{ reads: number; pct: number }>(
      `SELECT reads::integer, completeness_pct::double precision AS pct FROM v_kpi_electric_overview_daily WHERE tenant_id = $1`,
      [TENANT],
    );
    return row;
  };
  const ofFeeders = () =>
    query<{ feeder: string; expected: number; arrived: number }>(
      `SELECT feeder_id AS feeder, expected_reads::integer AS expected, arrived_reads::integer AS arrived
       FROM ami_feeder_completeness($1, $2) ORDER BY 1`,
      [TENANT, DAY],
    );
  /** What the triggers keep is what the reads are. */
  const expectLengths = async () =>
    expect(
      await query(
        `SELECT 'kept' AS side, kept::text FROM (
           TABLE ami_feeder_lengths EXCEPT ALL
           SELECT tenant_id, read_at, feeder_id, interval_minutes, count(*) FROM meter_reads_electric
           WHERE interval_minutes <> 15 GROUP BY 1, 2, 3, 4) kept
         UNION ALL
         SELECT 'truth', truth::text FROM (
           SELECT tenant_id, read_at, feeder_id, interval_minutes, count(*) FROM meter_reads_electric
           WHERE interval_minutes <> 15 GROUP BY 1, 2, 3, 4 EXCEPT ALL TABLE ami_feeder_lengths) truth`,
      ),
    ).toEqual([]);

  beforeAll(async () => {
    database = await createTestDatabase();
    await query(
      `SELECT ami_ensure_read_partition(day::date) FROM generate_series('2026-05-31'::date, '2026-06-02', '1 day') day`,
    );
  });
  beforeEach(() => query('TRUNCATE meter_reads_electric'));
  afterAll(() => database.drop());

  it('are expected as often as they are read: a whole day of all lengths is complete', async () => {
    await insert();
    expect(await completeness()).toEqual({ reads: READS, pct: 100 });
    expect(await ofFeeders()).toEqual([
      { feeder: 'F1', expected: 288 + 48 + 24 + 96, arrived: 288 + 48 + 24 + 96 },
      { feeder: 'F2', expected: 96 + 288, arrived: 96 + 288 },
    ]);
    await expectLengths();
  });

  it.each(['FIVE', 'HALF', 'HOURLY', 'QUARTER', 'EMULATED'])('are missed one by one: %s', async (meter) => {
    await insert();
    // Another of the same length has it, so that the interval was one.
    await insert(
      METERS.filter(([name]) => name === meter).map(([name, , ...rest]) => [`${name}-TOO`, 'F3', ...rest]),
    );
    const whole = await completeness();
    expect(whole?.pct).toBe(100);
    const [gone] = await query<{ at: Date }>(
      `DELETE FROM meter_reads_electric WHERE tenant_id = $1 AND meter_id = $2 AND read_at = $3 RETURNING read_at AS at`,
      [TENANT, meter, `${DAY}T07:00Z`],
    );
    expect(gone?.at).toEqual(new Date(`${DAY}T07:00Z`));
    const reads = (whole?.reads ?? 0) - 1;
    expect(await completeness()).toEqual({
      reads,
      pct: Math.round((reads / (reads + 1)) * 100_000) / 1_000,
    });
    await expectLengths();
  });

  it('of one length alone are complete too, and a dark meter is missed', async () => {
    for (const minutes of [5, 10, 30, 60] as const) {
      await query('TRUNCATE meter_reads_electric');
      await insert([
        ['A', 'F1', minutes, minutes],
        ['B', 'F1', minutes, minutes],
      ]);
      expect(await completeness()).toMatchObject({ pct: 100 });
      await query(`DELETE FROM meter_reads_electric WHERE meter_id = 'B' AND read_at >= $1`, [
        `${DAY}T12:00Z`,
      ]);
      expect(await completeness()).toMatchObject({ pct: 75 });
    }
  });

  it('are expected in an interval only where one of theirs begins', async () => {
    await insert();
    const at = async (time: string) =>
      Object.fromEntries(
        (await feedersAt(database.pool, TENANT, new Date(`${DAY}T${time}Z`))).map((feeder) => [
          feeder.feederId,
          [feeder.expectedMeters, feeder.reportingMeters],
        ]),
      );
    expect(await at('08:00')).toEqual({ F1: [4, 4], F2: [2, 2] });
    expect(await at('08:30')).toEqual({ F1: [3, 3], F2: [2, 2] });
    expect(await at('08:15')).toEqual({ F1: [2, 2], F2: [2, 2] });
  });

  it('are kept by updates and a rebuild, and stay with reads of no length what they were', async () => {
    await insert();
    await query(
      `UPDATE meter_reads_electric SET interval_minutes = 30 WHERE meter_id = 'FIVE' AND read_at < $1`,
      [`${DAY}T03:00Z`],
    );
    await expectLengths();
    await query(
      `UPDATE meter_reads_electric SET interval_minutes = 15, feeder_id = 'F7' WHERE meter_id = 'HOURLY'`,
    );
    await expectLengths();
    await query('SELECT ami_rebuild_rollups_of_day($1)', [DAY]);
    await expectLengths();
    await query(`DELETE FROM meter_reads_electric WHERE interval_minutes <> 15`);
    await expectLengths();
    expect(await query('SELECT 1 FROM ami_feeder_lengths')).toEqual([]);
  });

  it('of hourly meters that do not say so count beside quarter hours as ever', async () => {
    await insert([
      ['A', 'F1', null, 15],
      ['B', 'F1', null, 60],
    ]);
    expect(await completeness()).toEqual({ reads: 120, pct: 62.5 });
  });

  describe('in series of feeders', () => {
    const series = async (
      feederId: string,
      [from, to]: [from: string, to: string],
      resolution: 'interval' | 'hour' | 'day',
    ) => {
      const span = seriesSpan({
        from: new Date(`${DAY}T${from}Z`),
        to: new Date(`${DAY}T${to}Z`),
        resolution,
      });
      const { expectedMeters, reportingMeters, completenessPct } = await createFeederSeries(
        database.pool,
      ).feeder(TENANT, feederId, span);
      return { expectedMeters, reportingMeters, completenessPct };
    };

    it('are expected as often as they are read, in steps of every length', async () => {
      await insert();
      for (const resolution of ['interval', 'hour', 'day'] as const)
        for (const feeder of ['F1', 'F2'])
          expect(new Set((await series(feeder, ['00:00', '24:00'], resolution)).completenessPct)).toEqual(
            new Set([100]),
          );
      expect(await series('F1', ['08:00', '09:00'], 'interval')).toEqual({
        expectedMeters: [4, 2, 3, 2],
        reportingMeters: [4, 2, 3, 2],
        completenessPct: [100, 100, 100, 100],
      });
      expect(await series('F1', ['08:00', '09:00'], 'hour')).toMatchObject({
        expectedMeters: [4],
        reportingMeters: [4],
      });
      expect(await series('F1', ['00:00', '24:00'], 'day')).toMatchObject({
        expectedMeters: [4],
        reportingMeters: [4],
      });
    });

    it('are missed by as much as is missing, and what is kept of a day follows its reads', async () => {
      await insert();
      const kept = createFeederSeries(database.pool);
      const at8 = { from: new Date(`${DAY}T08:00Z`), to: new Date(`${DAY}T09:00Z`) };
      const hour = seriesSpan({ ...at8, resolution: 'hour' });
      const day = seriesSpan({ ...at8, resolution: 'day' });
      expect((await kept.feeder(TENANT, 'F1', hour)).completenessPct).toEqual([100]);
      expect((await kept.feeder(TENANT, 'F1', day)).completenessPct).toEqual([100]);
      // Another hourly meter is read at 8: the hour was one.
      await insert([['HOURLY-TOO', 'F3', 60, 60]]);
      await query(
        `DELETE FROM meter_reads_electric WHERE meter_id = ANY ('{HOURLY,FIVE}') AND read_at >= $1 AND read_at < $2`,
        [`${DAY}T08:00Z`, `${DAY}T09:00Z`],
      );
      // Left of 12 + 2 + 1 + 4 reads are those of HALF and QUARTER; FIVE-2 has told when five minutes were read.
      expect((await kept.feeder(TENANT, 'F1', hour)).completenessPct).toEqual([31.579]);
      expect((await kept.feeder(TENANT, 'F1', hour)).reportingMeters).toEqual([2]);
      expect((await kept.feeder(TENANT, 'F1', day)).completenessPct).toEqual([97.149]);
    });

    it('are expected for a week after their last read, and in no step in which none of theirs begins', async () => {
      await insert();
      await query(
        `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh)
         SELECT $1, 'EMULATED', 'F2', at, 0.1 FROM generate_series($2::timestamptz, $2::timestamptz + interval '1 h 45 min', '15 min') at`,
        [TENANT, '2026-06-02T00:00Z'],
      );
      const next = seriesSpan({
        from: new Date('2026-06-02T00:00Z'),
        to: new Date('2026-06-02T02:00Z'),
        resolution: 'hour',
      });
      const read = (feeder: string) => createFeederSeries(database.pool).feeder(TENANT, feeder, next);
      expect(await read('F2')).toMatchObject({ expectedMeters: [1, 1], completenessPct: [100, 100] });
      // QUARTER alone: no hour, half hour or five minutes was read of anybody.
      expect(await read('F1')).toMatchObject({ expectedMeters: [1, 1], completenessPct: [0, 0] });
    });

    it('of quarter hours that say so are those that say nothing', async () => {
      await insert([
        ['A', 'F1', 15, 15],
        ['B', 'F1', null, 15],
      ]);
      expect(await series('F1', ['08:00', '09:00'], 'interval')).toEqual({
        expectedMeters: [2, 2, 2, 2],
        reportingMeters: [2, 2, 2, 2],
        completenessPct: [100, 100, 100, 100],
      });
    });
  });

  describe('in the ages of meters', () => {
    const LAST = new Date(`${DAY}T23:59Z`);
    const ages = (time: string, latest = LAST) =>
      staleMetersAt(database.pool, TENANT, new Date(`${DAY}T${time}Z`), latest);
    const silence = (meter: string, after: string) =>
      query('DELETE FROM meter_reads_electric WHERE meter_id = $1 AND read_at > $2', [
        meter,
        `${DAY}T${after}Z`,
      ]);
    const CURRENT = { staleOver15m: 0, staleOver1h: 0, staleOver24h: 0 };

    it('are not late for a quarter hour that they are not read in', async () => {
      await insert();
      for (const time of ['11:00', '11:15', '11:30', '11:45']) {
        await query('DELETE FROM meter_reads_electric WHERE read_at > $1', [`${DAY}T${time}Z`]);
        await query(
          `DELETE FROM meter_reads_electric WHERE interval_minutes > 15 AND read_at + interval_minutes * interval '1 min' > $1`,
          [new Date(Date.parse(`${DAY}T${time}Z`) + 900_000)],
        );
        expect([time, await ages(time)]).toEqual([time, { current: 6, ...CURRENT }]);
        await query('TRUNCATE meter_reads_electric');
        await insert();
      }
    });

    it.each([
      // The hour from 10 is the last that is over until 12:00, when that from 11 is.
      ['HOURLY', '10:00', '11:30', 'current'],
      ['HOURLY', '10:00', '11:45', 'staleOver15m'],
      ['HOURLY', '10:00', '12:15', 'staleOver15m'],
      ['HOURLY', '10:00', '12:30', 'staleOver1h'],
      ['HALF', '10:30', '11:00', 'current'],
      ['HALF', '10:30', '11:15', 'staleOver15m'],
      ['QUARTER', '10:45', '10:45', 'current'],
      ['QUARTER', '10:45', '11:00', 'staleOver15m'],
      ['QUARTER', '10:45', '11:45', 'staleOver1h'],
      ['FIVE', '11:00', '11:00', 'current'],
      ['FIVE', '10:55', '11:00', 'staleOver15m'],
      ['FIVE', '10:00', '11:00', 'staleOver1h'],
      ['EMULATED', '10:45', '11:00', 'staleOver15m'],
    ] as const)('%s, last read at %s, is at %s %s', async (meter, last, time, bucket) => {
      await insert();
      await silence(meter, last);
      const all = { current: 5, ...CURRENT };
      expect(await ages(time)).toEqual({ ...all, [bucket]: all[bucket] + 1 });
    });

    it('go on to a day and beyond, by each meter', async () => {
      await insert([
        ['HOURLY', 'F1', 60, 60],
        ['B', 'F1', null, 15],
      ]);
      await silence('HOURLY', '01:00');
      const at = (time: string) =>
        staleMetersAt(database.pool, TENANT, new Date(time), new Date('2026-06-02T23:59Z'));
      await query(
        `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh)
         SELECT $1, 'B', 'F1', at, 0.1 FROM generate_series('2026-06-02T00:00Z'::timestamptz, '2026-06-02T05:00Z', '15 min') at`,
        [TENANT],
      );
      expect(await at('2026-06-02T02:15Z')).toEqual({ ...CURRENT, current: 1, staleOver1h: 1 });
      expect(await at('2026-06-02T02:30Z')).toEqual({ ...CURRENT, current: 1, staleOver24h: 1 });
    });
  });
});
