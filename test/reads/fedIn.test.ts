import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { differenceQuery, KPI_VIEWS, ROLLUPS } from '../support/plainKpis.js';

const TENANT = 'SUNNY';
const DAY = '2026-06-01';
const NAMES = [...Object.keys(ROLLUPS), ...Object.keys(KPI_VIEWS)] as (
  | keyof typeof ROLLUPS
  | keyof typeof KPI_VIEWS
)[];

describe('what customers feed in, in the sums and the figures', () => {
  let deployment: Deployment;
  const sql = async <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await deployment.database.pool.query(text, values)).rows as Row[];
  const get = async (path: string) => (await deployment.http.get(`/api/ami${path}`)).body;

  beforeAll(async () => {
    deployment = await createDeployment('postgres');
    await sql(
      `SELECT ami_ensure_read_partition(day::date) FROM generate_series('2026-05-31'::date, '2026-06-02', '1 day') day`,
    );
  });
  beforeEach(async () => {
    await sql('TRUNCATE meter_reads_electric');
    await sql('DELETE FROM ami_tenant_zones');
  });
  afterAll(() => deployment.close());

  /** Two meters on each of two feeders, every quarter hour from 10 to 11; only F1-M1 has a roof. */
  const fill = () =>
    sql(
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, received_kwh)
       SELECT $1, feeder || '-M' || number, feeder, at, 1, 1.1, 120, CASE WHEN feeder = 'F1' AND number = 1 THEN 0.1 END
       FROM unnest('{F1,F2}'::text[]) AS feeder, generate_series(1, 2) AS number,
         generate_series($2::timestamptz, $2::timestamptz + interval '45 min', interval '15 min') AS at`,
      [TENANT, `${DAY}T10:00Z`],
    );
  /** Of each feeder its day, and of F1 the interval at 10. */
  const kept = async () => {
    while ((await sql<{ of: string | null }>('SELECT ami_recheck_meters() AS of'))[0]?.of !== null);
    for (const name of NAMES) expect(await sql(differenceQuery(name), [TENANT]), name).toEqual([]);
    const days = await sql<{ feeder_id: string; fed: string | null; reads: number }>(
      `SELECT feeder_id, trim_scale(received_kwh)::text AS fed, received_reads::integer AS reads FROM ami_feeder_days
       WHERE tenant_id = $1 ORDER BY 1`,
      [TENANT],
    );
    return Object.fromEntries(days.map(({ feeder_id, fed, reads }) => [feeder_id, [fed, reads]]));
  };
  const change = (set: string, meter = 'F1-M1') =>
    sql(`UPDATE meter_reads_electric SET ${set} WHERE meter_id = $1`, [meter]);

  it('is the sum of the reads that have the channel, and NULL where none has: 0 is a dark roof', async () => {
    await fill();
    expect(await kept()).toEqual({ F1: ['0.4', 4], F2: [null, 0] });
    await change('received_kwh = 0');
    expect(await kept()).toEqual({ F1: ['0', 4], F2: [null, 0] });
    await change('received_kwh = NULL');
    expect(await kept()).toEqual({ F1: [null, 0], F2: [null, 0] });
    await change('received_kwh = 0.123456789', 'F2-M2');
    expect(await kept()).toEqual({ F1: [null, 0], F2: ['0.493827156', 4] });
    await change(`feeder_id = 'F1'`, 'F2-M2');
    expect(await kept()).toEqual({ F1: ['0.493827156', 4], F2: [null, 0] });
    await sql(`DELETE FROM meter_reads_electric WHERE meter_id = 'F2-M2' AND read_at > $1`, [
      `${DAY}T10:00Z`,
    ]);
    expect(await kept()).toEqual({ F1: ['0.123456789', 1], F2: [null, 0] });
    await sql(`DELETE FROM meter_reads_electric WHERE meter_id = 'F2-M2'`);
    expect(await kept()).toEqual({ F1: [null, 0], F2: [null, 0] });
  });

  it('C3: has an error code in no sum, whichever energy of the read it is in', async () => {
    await fill();
    await sql(
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, received_kwh)
       VALUES ($1, 'E1', 'F1', $2, 4294967.295, 1, 5), ($1, 'E2', 'F1', $2, 1, 65535, 5), ($1, 'E3', 'F1', $2, 2, 2, 65535),
              ($1, 'E4', 'F1', $2, 2, 2, 'NaN'), ($1, 'E5', 'F1', $2, 2, 2, 0.2)`,
      [TENANT, `${DAY}T10:15Z`],
    );
    expect(await kept()).toEqual({ F1: ['0.6', 5], F2: [null, 0] });
    const [day] = await sql(
      `SELECT trim_scale(kwh)::text AS kwh, implausible_reads::integer AS implausible FROM ami_feeder_days WHERE feeder_id = 'F1'`,
    );
    // What the meter registered beside a wrong channel is as true as without that channel.
    expect(day).toEqual({ kwh: '14', implausible: 2 });
    await sql(`DELETE FROM meter_reads_electric WHERE meter_id LIKE 'E%'`);
    expect(await kept()).toEqual({ F1: ['0.4', 4], F2: [null, 0] });
  });

  it('changes no other figure of anybody', async () => {
    const OTHERS = `SELECT reads, kwh, unmetered_kwh, delivered_kwh, min_voltage, low_voltage_reads, implausible_reads
      FROM ami_feeder_days WHERE tenant_id = $1 ORDER BY feeder_id`;
    await fill();
    const before = await sql(OTHERS, [TENANT]);
    await change('received_kwh = 77');
    await change('received_kwh = 77', 'F2-M1');
    expect(await sql(OTHERS, [TENANT])).toEqual(before);
  });

  it('is counted anew from the reads, and forgotten with them', async () => {
    await fill();
    await sql('UPDATE ami_feeder_intervals SET received_kwh = 5, received_reads = 9');
    await sql('SELECT ami_rebuild_rollups_of_day($1)', [DAY]);
    expect(await kept()).toEqual({ F1: ['0.4', 4], F2: [null, 0] });
    await sql('TRUNCATE meter_reads_electric');
    expect(await kept()).toEqual({});
    await fill();
    await sql(`SELECT ami_drop_read_partitions_before('2026-06-02')`);
    expect(await kept()).toEqual({});
    await sql('SELECT ami_ensure_read_partition($1), ami_ensure_read_partition($2)', [DAY, '2026-05-31']);
  });

  it('is shown by quickcheck, views and series, and stays out where nobody has a roof', async () => {
    await fill();
    const answer = await get(`/kpi/quickcheck?tenantId=${TENANT}`);
    expect(answer.overview).toMatchObject([{ kwh: 16, receivedKwh: 0.4, lossPct: 9.091 }]);
    expect(answer.feederLoss).toMatchObject([
      { feederId: 'F1', receivedKwh: 0.4 },
      { feederId: 'F2', receivedKwh: null },
    ]);
    expect(answer.latest).toMatchObject({ receivedKwh: 0.1 });
    expect(answer.latestFeeders).toMatchObject([
      { feederId: 'F1', receivedKwh: 0.1 },
      { feederId: 'F2', receivedKwh: null },
    ]);
    const span = `tenantId=${TENANT}&from=${DAY}T10:00:00Z&to=${DAY}T11:00:00Z`;
    const series = async (resolution: string) => {
      const { feeders } = await get(
        `/kpi/feeders/intervals?${span}&resolution=${resolution}&measures=receivedKwh`,
      );
      return feeders;
    };
    expect(await series('interval')).toEqual([
      { feederId: 'F1', receivedKwh: [0.1, 0.1, 0.1, 0.1] },
      { feederId: 'F2', receivedKwh: [null, null, null, null] },
    ]);
    for (const resolution of ['hour', 'day'])
      expect(await series(resolution)).toEqual([
        { feederId: 'F1', receivedKwh: [0.4] },
        { feederId: 'F2', receivedKwh: [null] },
      ]);
    // Both feeders: three times 0.1 is 0.30000000000000004 of doubles.
    await change('received_kwh = 0.2', 'F2-M1');
    const later = await get(`/kpi/quickcheck?tenantId=${TENANT}`);
    expect(later.latest.receivedKwh).toBe(0.3);
    expect(later.overview[0].receivedKwh).toBe(1.2);
    expect((await get(`/kpi/feeders/F2/intervals?${span}&resolution=hour`)).receivedKwh).toEqual([0.8]);
    await change('received_kwh = NULL');
    await change('received_kwh = NULL', 'F2-M1');
    const without = await get(`/kpi/quickcheck?tenantId=${TENANT}`);
    expect(without.latest.receivedKwh).toBeNull();
    expect(without.overview[0].receivedKwh).toBeNull();
  });
});
