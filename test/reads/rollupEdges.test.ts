import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createKpiVersions } from '../../src/kpi/version.js';
import { differenceQuery, KPI_VIEWS, ROLLUPS } from '../support/plainKpis.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const NAMES = [...Object.keys(ROLLUPS), ...Object.keys(KPI_VIEWS)] as (
  | keyof typeof ROLLUPS
  | keyof typeof KPI_VIEWS
)[];

/** What other people's sessions do to the table: isolation levels, MERGE, long transactions, odd values. */
describe('rollups under other people’s sessions', () => {
  let database: TestDatabase;
  const sessions: pg.PoolClient[] = [];
  beforeAll(async () => {
    database = await createTestDatabase();
    for (const day of ['2026-01-01', '2026-01-02'])
      await database.pool.query('SELECT ami_ensure_read_partition($1)', [day]);
  });
  beforeEach(async () => {
    for (const session of sessions.splice(0)) session.release(true);
    await database.pool.query('TRUNCATE meter_reads_electric');
  });
  afterAll(async () => {
    for (const session of sessions) session.release(true);
    await database.drop();
  });

  const session = async (): Promise<pg.PoolClient> => {
    const client = await database.pool.connect();
    sessions.push(client);
    return client;
  };
  const insert = (meter: string, readAt: string, kwh: number | string = 1, feeder = 'F1'): string =>
    `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage)
     VALUES ('A', '${meter}', '${feeder}', '2026-01-${readAt}Z', '${kwh}', 1, 120)`;
  const forget = async (): Promise<void> => {
    const { rows } = await database.pool.query('SELECT ami_recheck_meters() AS tenant');
    if (rows[0].tenant !== null) await forget();
  };
  const expectAgreement = async (): Promise<void> => {
    await forget();
    for (const name of NAMES) {
      const { rows } = await database.pool.query(differenceQuery(name), ['A']);
      expect(rows, name).toEqual([]);
    }
  };

  for (const level of ['REPEATABLE READ', 'SERIALIZABLE']) {
    it(`hold when a ${level} session truncates, deletes or inserts what others have changed meanwhile`, async () => {
      const old = await session();
      await database.pool.query(insert('M1', '01 10:00'));
      await old.query(`BEGIN ISOLATION LEVEL ${level}; SELECT 1 FROM ami_migrations`);
      await database.pool.query(insert('M2', '01 10:00'));
      await old.query('TRUNCATE meter_reads_electric');
      await old.query('COMMIT');
      await expectAgreement();

      await database.pool.query(insert('M1', '01 10:00'));
      await old.query(`BEGIN ISOLATION LEVEL ${level}; SELECT 1 FROM ami_migrations`);
      await database.pool.query(insert('M1', '02 10:00'));
      await old.query(`DELETE FROM meter_reads_electric WHERE meter_id = 'M1'`);
      await old.query('COMMIT');
      await expectAgreement();

      await old.query(`BEGIN ISOLATION LEVEL ${level}; SELECT 1 FROM ami_migrations`);
      await database.pool.query(`DELETE FROM meter_reads_electric WHERE meter_id = 'M1'`);
      await forget();
      await old.query(insert('M1', '02 11:00', 1, 'F2'));
      await old.query('COMMIT');
      await expectAgreement();
    });
  }

  it('refuse a MERGE that inserts and updates, for which Postgres gives triggers wrong rows', async () => {
    await database.pool.query(insert('M1', '02 10:00', 10));
    const merge = (source: string): string =>
      `MERGE INTO meter_reads_electric t USING (VALUES ${source}) s (m, r)
       ON t.tenant_id = 'A' AND t.meter_id = s.m AND t.read_at = s.r
       WHEN MATCHED THEN UPDATE SET kwh = 11
       WHEN NOT MATCHED THEN INSERT (tenant_id, meter_id, feeder_id, read_at, kwh) VALUES ('A', s.m, 'F1', s.r, 5)`;
    const client = await session();
    await client.query('SET enable_hashjoin = off; SET enable_mergejoin = off');
    const both = `('M2', '2026-01-01 10:00Z'::timestamptz), ('M1', '2026-01-02 10:00Z')`;
    const outcome = await client.query(merge(both)).then(
      () => 'done',
      (error: Error) => error.message,
    );
    // A Postgres without the fault does it rightly.
    expect([
      'done',
      'A MERGE into meter_reads_electric cannot both insert and update: use INSERT ... ON CONFLICT',
    ]).toContain(outcome);
    await expectAgreement();
    await client.query(merge(`('M1', '2026-01-02 10:00Z'::timestamptz)`));
    await client.query(merge(`('M3', '2026-01-02 10:00Z'::timestamptz)`));
    await expectAgreement();
  });

  it('refuse what could never be taken out of a sum, and let go of it where it is', async () => {
    for (const kwh of ['NaN', 'Infinity', '-Infinity', '1e400'])
      await expect(database.pool.query(insert('M1', '01 10:00', kwh))).rejects.toThrow(
        'must be finite numbers',
      );
    await database.pool.query(insert('M1', '01 10:00'));
    await expect(database.pool.query(`UPDATE meter_reads_electric SET kwh = 'NaN'`)).rejects.toThrow(
      'finite',
    );
    // As a bulk load or an older version may have left them.
    await database.pool.query('ALTER TABLE meter_reads_electric DISABLE TRIGGER USER');
    await database.pool.query(insert('M2', '01 10:00', 'NaN'));
    await database.pool.query(insert('M3', '01 10:00', 'NaN'));
    await database.pool.query('ALTER TABLE meter_reads_electric ENABLE TRIGGER USER');
    await database.pool.query('CALL ami_rebuild_rollups()');
    await database.pool.query(`DELETE FROM meter_reads_electric WHERE meter_id = 'M2'`);
    await database.pool.query(`UPDATE meter_reads_electric SET kwh = 2 WHERE meter_id = 'M3'`);
    await expectAgreement();
  });

  it('C3: an error code of a meter is in no sum, whatever becomes of its row, and is counted apart', async () => {
    const overview = async () => {
      const { rows } = await database.pool.query(
        `SELECT reads::int, kwh::float, delivered_kwh::float AS delivered, loss_pct::float AS loss, implausible_reads::int AS implausible
         FROM v_kpi_electric_overview_daily WHERE tenant_id = 'A'`,
      );
      return rows[0];
    };
    await database.pool.query(insert('M1', '01 10:00', 0.9));
    const right = { kwh: 0.9, delivered: 1, loss: 10 };
    // All ones in 32 and in 16 bits, the largest and the smallest of 31, nines, and what no feeder carries.
    const codes = [4294967.295, 65535, 2147483.647, -2147483.648, 999999.99, 10000, -10000];
    for (const [at, kwh] of codes.entries()) await database.pool.query(insert(`E${at}`, '01 10:00', kwh));
    expect(await overview()).toEqual({ reads: 8, implausible: 7, ...right });
    await expectAgreement();
    await database.pool.query(`UPDATE meter_reads_electric SET kwh = 1 WHERE meter_id = 'E0'`);
    await database.pool.query(`UPDATE meter_reads_electric SET delivered_kwh = 65535 WHERE meter_id = 'E0'`);
    await database.pool.query(`DELETE FROM meter_reads_electric WHERE meter_id = 'E1'`);
    expect(await overview()).toEqual({ reads: 7, implausible: 6, ...right });
    await expectAgreement();
    await database.pool.query('CALL ami_rebuild_rollups()');
    expect(await overview()).toEqual({ reads: 7, implausible: 6, ...right });
    const { rows } = await database.pool.query('SELECT FROM v_kpi_suspicious_meters_daily');
    expect(rows).toEqual([]);
    // A large customer is none: 30 MW of a distribution feeder.
    await database.pool.query(insert('BIG', '01 10:00', 7_500));
    expect(await overview()).toMatchObject({ kwh: 7_500.9, implausible: 6 });
  });

  it('count reads in partitions of any name when they are counted anew', async () => {
    await database.pool.query(
      `CREATE TABLE of_2020 PARTITION OF meter_reads_electric FOR VALUES FROM ('2020-01-01Z') TO ('2021-01-01Z')`,
    );
    await database.pool.query(insert('M9', '01 10:00').replaceAll('2026-', '2020-'));
    await database.pool.query('DELETE FROM ami_feeder_days');
    await database.pool.query('DELETE FROM ami_feeder_intervals');
    await database.pool.query('CALL ami_rebuild_rollups()');
    await expectAgreement();
    await database.pool.query('DROP TABLE of_2020');
    await database.pool.query('CALL ami_rebuild_rollups()');
    await expectAgreement();
  });

  it('let others write while a transaction that inserted, deleted and moved stays open', async () => {
    await database.pool.query(insert('M1', '01 10:00'));
    const open = await session();
    await open.query('BEGIN');
    await open.query(insert('M2', '01 10:15'));
    await open.query(`DELETE FROM meter_reads_electric WHERE meter_id = 'M1'`);
    await open.query(`UPDATE meter_reads_electric SET meter_id = 'M7' WHERE meter_id = 'M2'`);
    // Another feeder, since a feeder's interval is one row; and nobody forgets meters meanwhile.
    await database.pool.query(insert('M3', '01 10:15', 1, 'F2'));
    await database.pool.query(`DELETE FROM meter_reads_electric WHERE meter_id = 'M3'`);
    await forget();
    await open.query('COMMIT');
    await expectAgreement();
  });

  it('are kept by whoever may write reads, and nothing else', async () => {
    const role = `loader_${randomUUID().replaceAll('-', '')}`;
    const loader = await session();
    await loader.query(
      `CREATE ROLE ${role}; GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON meter_reads_electric TO ${role}`,
    );
    await loader.query(`SET ROLE ${role}`);
    await expect(loader.query('SELECT FROM ami_feeder_days')).rejects.toThrow('permission denied');
    await loader.query(`CREATE TEMP TABLE ami_feeder_days (tenant_id text)`);
    await loader.query(insert('M1', '01 10:00'));
    await loader.query(insert('M2', '01 10:00'));
    await loader.query(`UPDATE meter_reads_electric SET kwh = 2 WHERE meter_id = 'M1'`);
    await loader.query(`DELETE FROM meter_reads_electric WHERE meter_id = 'M2'`);
    await expectAgreement();
    await loader.query('TRUNCATE meter_reads_electric');
    await expectAgreement();
    await loader.query(`RESET ROLE; DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  it('have another version after every commit, whatever the order of transactions', async () => {
    const versionOf = createKpiVersions(database.pool);
    const versions: string[] = [(await versionOf('A')).version];
    const changed = async (what: string): Promise<void> => {
      const { version } = await versionOf('A');
      expect(versions, what).not.toContain(version);
      versions.push(version);
    };
    const first = await session();
    const second = await session();
    await first.query('BEGIN');
    await first.query(insert('M1', '01 10:00'));
    await second.query('BEGIN');
    // Waits for the first's row of the day, with the time of before it.
    const waiting = second.query(insert('M3', '01 10:15'));
    await first.query(insert('M2', '01 10:00'));
    await first.query('COMMIT');
    await changed('the first commit');
    await waiting;
    await second.query('COMMIT');
    await changed('the second commit');
    await database.pool.query(`UPDATE ami_feeder_days SET changed_at = now() + interval '1 h'`);
    await database.pool.query(insert('M4', '01 10:15'));
    await changed('an insert after the clock was set back');
    await database.pool.query(`DELETE FROM meter_reads_electric WHERE meter_id = 'M4'`);
    await changed('a delete');
    await forget();
    await changed('a meter forgotten');
  });

  it('are cheap enough to plan that Postgres does not compile them', async () => {
    await database.pool.query(
      `INSERT INTO ami_feeder_days (tenant_id, day, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, low_voltage_reads,
         high_voltage_reads, quarter_hours, max_interval_reads, changed_at)
       SELECT 'A', '2025-01-01'::date + day, 'F' || feeder, 96000, 1, 0, 1, 0, 0, ~0::bit(96), 1000, now()
       FROM generate_series(0, 364) day, generate_series(1, 40) feeder`,
    );
    await database.pool.query(
      `INSERT INTO ami_meter_anomalies (tenant_id, day, feeder_id, meter_id, underregistered_reads, registered_kwh, delivered_kwh, low_voltage_reads)
       SELECT 'A', '2025-12-01'::date + day, 'F1', 'M' || meter, 96, 1, 2, 1
       FROM generate_series(0, 29) day, generate_series(1, 1000) meter`,
    );
    await database.pool.query('ANALYZE');
    const threshold = Number((await database.pool.query('SHOW jit_above_cost')).rows[0].jit_above_cost);
    for (const view of Object.keys(KPI_VIEWS)) {
      for (const where of ['', `AND day = '2025-12-31'`]) {
        const { rows } = await database.pool.query(
          `EXPLAIN (FORMAT JSON) SELECT * FROM ${view} WHERE tenant_id = 'A' ${where} ORDER BY day DESC LIMIT 10`,
        );
        const cost = rows[0]['QUERY PLAN'][0].Plan['Total Cost'];
        expect(cost, `${view} ${where}`).toBeLessThan(threshold);
      }
    }
    await database.pool.query('TRUNCATE ami_feeder_days, ami_meter_anomalies');
  });
});
