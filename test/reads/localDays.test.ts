import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeDueZones, requestNewRules, requestZone, tenantZone } from '../../src/reads/tenantZones.js';
import { differenceQuery, KPI_VIEWS, ROLLUPS } from '../support/plainKpis.js';
import { insertSql, statementOfBoth, TENANTS } from '../support/readsHistory.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const NAMES = [...Object.keys(ROLLUPS), ...Object.keys(KPI_VIEWS)] as (
  | keyof typeof ROLLUPS
  | keyof typeof KPI_VIEWS
)[];

/** Days on which a clock is changed, with the quarter hours that they have. */
const CHANGES: [zone: string, day: string, quarterHours: number][] = [
  ['Europe/Berlin', '2026-03-29', 92],
  ['Europe/Berlin', '2026-10-25', 100],
  ['America/New_York', '2026-03-08', 92],
  ['America/New_York', '2026-11-01', 100],
  ['Australia/Sydney', '2026-04-05', 100],
  ['Australia/Sydney', '2026-10-04', 92],
  ['Australia/Lord_Howe', '2026-04-05', 98],
  ['Australia/Lord_Howe', '2026-10-04', 94],
  ['Asia/Kathmandu', '2026-03-29', 96],
];

describe('C2: days of a tenant with a zone', () => {
  let database: TestDatabase;
  const query = async <Row>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await database.pool.query(text, values)).rows as Row[];
  beforeAll(async () => {
    database = await createTestDatabase();
    // No others: each query is planned over all that there are.
    await query(
      `SELECT ami_ensure_read_partition(day) FROM (
         SELECT changed + near AS day FROM unnest($1::date[]) AS changed, generate_series(-2, 2) AS near
         UNION SELECT day::date FROM generate_series('2025-12-31'::date, '2026-01-05', '1 day') day) wanted`,
      [CHANGES.map(([, day]) => day)],
    );
  });
  afterAll(() => database.drop());

  const setZone = async (tenant: string, zone: string): Promise<void> => {
    await requestZone(database.pool, tenant, zone);
    await changeDueZones(database.pool, Number.POSITIVE_INFINITY);
    expect(await tenantZone(database.pool, tenant)).toEqual({ timeZone: zone, nextTimeZone: null });
  };
  /** As the upkeep does every ten seconds. */
  const forget = async (): Promise<void> => {
    while ((await query<{ of: string | null }>('SELECT ami_recheck_meters() AS of'))[0]?.of !== null);
  };
  /** Postgres's own rules of the zone are the oracle: of these years they are Node's. */
  const expectAgreement = async (tenant: string, zone: string): Promise<void> => {
    await forget();
    for (const name of NAMES)
      expect(await query(differenceQuery(name, zone), [tenant]), `${name} of ${tenant} in ${zone}`).toEqual(
        [],
      );
  };
  /** Two meters of two feeders, each quarter hour from two days before a day to two days after it. */
  const insertAround = (tenant: string, day: string) =>
    query(
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, received_kwh)
       SELECT $1, 'M' || meter, 'F' || meter, at, CASE WHEN extract(hour FROM at) = 3 THEN 0.1 ELSE 1 END, 1,
         CASE WHEN extract(hour FROM at) IN (4, 22) THEN 110 ELSE 120 END, CASE WHEN meter = 1 THEN 0.25 END
       FROM generate_series($2::timestamptz - interval '2 d', $2::timestamptz + interval '3 d' - interval '1 min', '15 min') at,
         generate_series(1, 2) meter`,
      [tenant, `${day}T00:00Z`],
    );

  it.each(CHANGES)(
    '%s has on %s %i quarter hours, by whatever statement the reads came',
    async (zone, day, quarterHours) => {
      const tenant = `${zone.replace('/', '-')}-${day}`;
      await setZone(tenant, zone);
      await insertAround(tenant, day);
      const shown = () =>
        query(
          `SELECT intervals::integer, reads::integer, kwh::double precision + 0 AS kwh, completeness_pct::double precision AS pct,
           received_kwh::double precision AS fed_in
         FROM v_kpi_electric_overview_daily WHERE tenant_id = $1 AND day = $2`,
          [tenant, day],
        );
      const [whole] = await shown();
      expect(whole).toMatchObject({
        intervals: quarterHours,
        reads: 2 * quarterHours,
        pct: 100,
        fed_in: quarterHours / 4,
      });
      await expectAgreement(tenant, zone);

      await query(
        `UPDATE meter_reads_electric SET kwh = 0.2, voltage = 113, received_kwh = received_kwh + 0.5 WHERE tenant_id = $1 AND meter_id = 'M1'`,
        [tenant],
      );
      await expectAgreement(tenant, zone);
      await query(
        `DELETE FROM meter_reads_electric WHERE tenant_id = $1 AND extract(hour FROM read_at) BETWEEN 5 AND 16 AND meter_id = 'M2'`,
        [tenant],
      );
      await expectAgreement(tenant, zone);
      await query('SELECT ami_rebuild_rollups_of_day($1)', [day]);
      await expectAgreement(tenant, zone);
      // To UTC and back.
      await setZone(tenant, 'UTC');
      await expectAgreement(tenant, 'UTC');
      await setZone(tenant, zone);
      await expectAgreement(tenant, zone);
    },
  );

  it('agree with plain SQL over the reads after any history of statements, changes of zone and rebuilds', async () => {
    const zones: Record<string, string> = {};
    const change = fc.record({
      tenant: fc.constantFrom(...TENANTS),
      zone: fc.constantFrom('America/New_York', 'Pacific/Auckland', 'Asia/Kathmandu', 'UTC'),
    });
    const step = fc.oneof({ weight: 4, arbitrary: statementOfBoth }, { weight: 1, arbitrary: change });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (history) => {
        await query('TRUNCATE meter_reads_electric');
        for (const one of history) {
          if (typeof one === 'string') await query(one);
          else {
            await setZone(one.tenant, one.zone);
            zones[one.tenant] = one.zone;
          }
          for (const tenant of TENANTS) await expectAgreement(tenant, zones[tenant] ?? 'UTC');
        }
      }),
      { numRuns: 6 },
    );
    await query('CALL ami_rebuild_rollups()');
    for (const tenant of TENANTS) await expectAgreement(tenant, zones[tenant] ?? 'UTC');
  });

  it('stay those of the zone before until the new ones are counted, and are told so', async () => {
    const every = { tenant: 'D', meters: [1], hours: [1, 30], kwh: '1', delivered: '1', voltage: '120.3' };
    await query(insertSql(every, 'DO NOTHING'));
    expect(await requestZone(database.pool, 'D', 'Asia/Tokyo')).toEqual({
      timeZone: 'UTC',
      nextTimeZone: 'Asia/Tokyo',
    });
    await query(insertSql({ ...every, hours: [20] }, 'DO NOTHING'));
    await expectAgreement('D', 'UTC');
    // What is cut off has changed nothing.
    await query('BEGIN; SELECT ami_change_zone($$D$$); ROLLBACK');
    await expectAgreement('D', 'UTC');
    // Taken back before it was done.
    expect(await requestZone(database.pool, 'D', 'UTC')).toEqual({ timeZone: 'UTC', nextTimeZone: null });
    expect(await changeDueZones(database.pool, Number.POSITIVE_INFINITY)).toEqual([]);
    await requestZone(database.pool, 'D', 'Asia/Tokyo');
    expect(await changeDueZones(database.pool, Number.POSITIVE_INFINITY)).toEqual(['D']);
    await expectAgreement('D', 'Asia/Tokyo');
    expect(await changeDueZones(database.pool, Number.POSITIVE_INFINITY)).toEqual([]);
  });

  it('are not written by a transaction whose snapshot is older than the zone', async () => {
    const client = await database.pool.connect();
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM ami_tenant_zones');
      await setZone('Late', 'Asia/Tokyo');
      const late = { tenant: 'Late', meters: [1], hours: [20], kwh: '1', delivered: '1', voltage: '120.3' };
      await expect(client.query(insertSql(late, 'DO NOTHING'))).rejects.toThrow(/could not serialize access/);
      await client.query('ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ');
      await client.query(insertSql(late, 'DO NOTHING'));
      await client.query('COMMIT');
      await expectAgreement('Late', 'Asia/Tokyo');
    } finally {
      client.release(true);
    }
  });

  it('are counted anew where Node has other rules of the zone than those they were counted by', async () => {
    await setZone('Ruled', 'Asia/Tokyo');
    const read = { tenant: 'Ruled', meters: [1], hours: [20], kwh: '1', delivered: '1', voltage: '120.3' };
    await query(insertSql(read, 'DO NOTHING'));
    // As an older Node might have had them: ten hours ahead.
    await query(`UPDATE ami_tenant_zones SET clock = 'Asia/Tokyo older' WHERE tenant_id = 'Ruled';
      INSERT INTO ami_zone_spans VALUES ('Asia/Tokyo older', '1980-01-01T14:00Z', '1980-01-02', NULL)`);
    await requestNewRules(database.pool);
    expect(await changeDueZones(database.pool, Number.POSITIVE_INFINITY)).toEqual(['Ruled']);
    await expectAgreement('Ruled', 'Asia/Tokyo');
  });

  it('keep what retention leaves of the day that the boundary falls into', async () => {
    for (const [tenant, zone] of [
      ['West', 'America/Los_Angeles'],
      ['East', 'Asia/Tokyo'],
      ['None', 'UTC'],
    ] as const) {
      await setZone(tenant, zone);
      await insertAround(tenant, '2026-01-02');
    }
    await query(`SELECT ami_drop_read_partitions_before('2026-01-02')`);
    await expectAgreement('West', 'America/Los_Angeles');
    await expectAgreement('East', 'Asia/Tokyo');
    await expectAgreement('None', 'UTC');
    const [first] = await query<{ day: string }>(
      `SELECT min(day)::text AS day FROM ami_feeder_days WHERE tenant_id = 'West'`,
    );
    expect(first).toEqual({ day: '2026-01-01' });
  });
});
