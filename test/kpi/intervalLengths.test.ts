import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { feedersAt } from '../../src/kpi/latestIntervals.js';
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
});
