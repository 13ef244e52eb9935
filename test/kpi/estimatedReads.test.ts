import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { prepareStorage } from '../../src/process/context.js';
import { createLogger } from '../../src/process/log.js';
import { createDeployment, type Deployment } from '../support/deployment.js';

const TENANT = 'PATCHED';
const DAY = '2026-06-01';
/** Ten meters on each of two feeders. */
const FEEDERS = ['F1', 'F2'];

describe('reads that are estimates', () => {
  let deployment: Deployment;
  const sql = async <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await deployment.database.pool.query(text, values)).rows as Row[];
  const get = async (path: string) => (await deployment.http.get(`/api/ami${path}`)).body;

  beforeAll(async () => {
    deployment = await createDeployment('postgres');
    await sql(
      `SELECT ami_ensure_read_partition(day::date) FROM generate_series('2026-05-30'::date, '2026-06-02', '1 day') day`,
    );
  });
  beforeEach(async () => {
    await sql('TRUNCATE meter_reads_electric');
    await sql('DELETE FROM ami_tenant_zones');
  });
  afterAll(() => deployment.close());

  /** A day of quarter hours of all meters, each measured. */
  const fill = (day = DAY) =>
    sql(
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh)
       SELECT $1, feeder || '-M' || number, feeder, at, 0.1, 0.11
       FROM unnest($2::text[]) AS feeder, generate_series(1, 10) AS number,
         generate_series($3::timestamptz, $3::timestamptz + interval '1 d' - interval '1 min', interval '15 min') AS at`,
      [TENANT, FEEDERS, `${day}T00:00Z`],
    );
  const mark = (quality: string | null, meters: string[], from: string, to: string) =>
    sql(
      `UPDATE meter_reads_electric SET quality = $1 WHERE meter_id = ANY ($2) AND read_at >= $3 AND read_at < $4`,
      [quality, meters, `${DAY}T${from}Z`, `${DAY}T${to}Z`],
    );
  /** What the triggers keep is what the reads are. */
  const expectTrue = async () => {
    const truth = `SELECT tenant_id, read_at, feeder_id, count(*) FROM meter_reads_electric WHERE quality = 'estimated' GROUP BY 1, 2, 3`;
    expect(
      await sql(
        `SELECT 'kept' AS side, kept::text FROM (TABLE ami_feeder_estimates EXCEPT ALL ${truth}) kept
         UNION ALL SELECT 'truth', truth::text FROM (${truth} EXCEPT ALL TABLE ami_feeder_estimates) truth`,
      ),
    ).toEqual([]);
    const [kept] = await sql<{ reads: number }>(
      'SELECT coalesce(sum(reads), 0)::integer AS reads FROM ami_feeder_estimates',
    );
    return kept?.reads;
  };

  it('are counted, whatever statement makes them or takes them away', async () => {
    await fill();
    expect(await expectTrue()).toBe(0);
    await mark('estimated', ['F1-M1', 'F1-M2', 'F2-M1'], '10:00', '12:00');
    expect(await expectTrue()).toBe(24);
    // The same again, and to another quality and back.
    await mark('estimated', ['F1-M1', 'F1-M2', 'F2-M1'], '10:00', '12:00');
    await mark('edited', ['F1-M1'], '10:00', '11:00');
    expect(await expectTrue()).toBe(20);
    await mark(null, ['F1-M2'], '11:00', '12:00');
    expect(await expectTrue()).toBe(16);
    await sql(`UPDATE meter_reads_electric SET feeder_id = 'F3' WHERE meter_id = 'F2-M1'`);
    expect(await expectTrue()).toBe(16);
    await sql(`DELETE FROM meter_reads_electric WHERE meter_id = 'F2-M1'`);
    expect(await expectTrue()).toBe(8);
    await sql(
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, quality)
       SELECT $1, meter, 'F1', $2::timestamptz + interval '10 h', 0.2, 'estimated' FROM unnest('{F1-M1,F1-M99}'::text[]) AS meter
       ON CONFLICT (tenant_id, meter_id, read_at) DO UPDATE SET kwh = excluded.kwh, quality = excluded.quality`,
      [TENANT, `${DAY}T00:00Z`],
    );
    expect(await expectTrue()).toBe(10);
    await sql(`DELETE FROM meter_reads_electric WHERE quality = 'estimated'`);
    expect(await sql('SELECT FROM ami_feeder_estimates')).toEqual([]);
  });

  it('are counted anew by a rebuild, and go with their partition and with a TRUNCATE', async () => {
    await fill();
    await fill('2026-05-30');
    await sql(`UPDATE meter_reads_electric SET quality = 'estimated' WHERE meter_id = 'F1-M1'`);
    expect(await expectTrue()).toBe(192);
    await sql('UPDATE ami_feeder_estimates SET reads = reads + 5');
    await sql(`SELECT ami_rebuild_rollups_of_days('2026-05-30', '2026-06-01')`);
    expect(await expectTrue()).toBe(192);
    await sql(`SELECT ami_drop_read_partitions_before('2026-06-01')`);
    expect(await expectTrue()).toBe(96);
    await sql('TRUNCATE meter_reads_electric');
    expect(await expectTrue()).toBe(0);
    await sql(
      `SELECT ami_ensure_read_partition(day::date) FROM unnest('{2026-05-30,2026-05-31}'::date[]) day`,
    );
  });

  it('take the same rows in any order in concurrent statements, without a deadlock', async () => {
    await fill();
    const halves = ['F1-M1', 'F2-M1'].map((meter, half) =>
      sql(
        `UPDATE meter_reads_electric SET quality = 'estimated' WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM meter_reads_electric WHERE meter_id = $1)) AND meter_id = $1`,
        [half === 0 ? meter : 'F1-M2'],
      ),
    );
    await Promise.all(halves);
    expect(await expectTrue()).toBe(192);
  });

  it('are shown beside completeness: quickcheck, views and series', async () => {
    await fill();
    // 8 of the 960 reads of F1, 2 of its 40 at 10 o'clock; none at the end of the day.
    await mark('estimated', ['F1-M1', 'F1-M2'], '10:45', '11:45');
    const answer = await get(`/kpi/quickcheck?tenantId=${TENANT}`);
    expect(answer.overview).toMatchObject([{ completenessPct: 100, estimatedPct: 0.417 }]);
    expect(answer.fieldOps).toMatchObject([
      { feederId: 'F1', completenessPct: 100, estimatedPct: 0.833 },
      { feederId: 'F2', completenessPct: 100, estimatedPct: 0 },
    ]);
    expect(answer.latest).toMatchObject({ reportingPct: 100, estimatedPct: 0 });

    await mark('estimated', ['F1-M1', 'F1-M2', 'F2-M9'], '23:45', '24:00');
    const later = await get(`/kpi/quickcheck?tenantId=${TENANT}`);
    expect(later.latest).toMatchObject({ reportingMeters: 20, estimatedPct: 15 });
    expect(later.latestComplete).toMatchObject({ estimatedPct: 15 });
    expect(later.latestFeeders).toMatchObject([
      { feederId: 'F1', reportingPct: 100, estimatedPct: 20 },
      { feederId: 'F2', reportingPct: 100, estimatedPct: 10 },
    ]);

    const span = `tenantId=${TENANT}&from=${DAY}T10:00:00Z&to=${DAY}T12:00:00Z`;
    const series = async (resolution: string) => {
      const { feeders } = await get(
        `/kpi/feeders/intervals?${span}&resolution=${resolution}&measures=completenessPct,estimatedPct`,
      );
      return feeders.map((feeder: { completenessPct: number[]; estimatedPct: number[] }) => [
        [...new Set(feeder.completenessPct)],
        feeder.estimatedPct,
      ]);
    };
    expect(await series('interval')).toEqual([
      [[100], [0, 0, 0, 20, 20, 20, 20, 0]],
      [[100], [0, 0, 0, 0, 0, 0, 0, 0]],
    ]);
    expect(await series('hour')).toEqual([
      [[100], [5, 15]],
      [[100], [0, 0]],
    ]);
    expect(await series('day')).toEqual([
      [[100], [1.042]],
      [[100], [0.104]],
    ]);
    const one = await get(`/kpi/feeders/F1/intervals?${span}&resolution=hour`);
    expect(one.estimatedPct).toEqual([5, 15]);
    // Kept cells follow the change.
    await mark(null, ['F1-M1', 'F1-M2'], '10:45', '11:45');
    expect((await series('hour'))[0]).toEqual([[100], [0, 0]]);
  });

  it('count to the days of the zone', async () => {
    await fill();
    await mark('estimated', ['F1-M1'], '00:00', '02:00');
    const wanted = { tenantId: TENANT, timeZone: 'America/New_York' };
    expect((await deployment.post('/api/ami/zone', wanted)).status).toBeLessThan(300);
    await sql('SELECT ami_change_zone($1)', [TENANT]);
    const { overview } = await get(`/kpi/quickcheck?tenantId=${TENANT}`);
    // Up to 4 o'clock UTC it is the day before: 16 quarter hours of 20 meters, 8 of one of them.
    expect(overview).toMatchObject([
      { day: DAY, estimatedPct: 0 },
      { day: '2026-05-31', reads: 320, estimatedPct: 2.5 },
    ]);
    const series = await get(
      `/kpi/feeders/intervals?tenantId=${TENANT}&from=2026-05-31T12:00:00Z&to=2026-06-02T00:00:00Z&resolution=day&measures=estimatedPct`,
    );
    expect(series.feeders.map(({ estimatedPct }: { estimatedPct: number[] }) => estimatedPct)).toEqual([
      [5, 0],
      [0, 0],
    ]);
  });

  it('are in no answer about a tenant that has none, and a start finds its triggers there', async () => {
    await prepareStorage(deployment.database.url, false, createLogger('test', 'silent'));
    const answer = await get('/kpi/quickcheck?tenantId=NOBODY');
    expect(answer).toMatchObject({ overview: [], latest: null });
    expect(
      (await get(`/vee/summary?tenantId=NOBODY&from=${DAY}T00:00:00Z&to=${DAY}T01:00:00Z`)).reads,
    ).toEqual({ arrived: 0, estimated: 0, estimatedPct: null });
  });
});
