import { afterEach, describe, expect, it } from 'vitest';
import { prepareStorage } from '../../src/process/context.js';
import { createLogger } from '../../src/process/log.js';
import { countUncountedDays } from '../../src/reads/uncountedDays.js';
import { applyMigrations, pendingMigrations } from '../../src/schema/migrations.js';
import { readSchemaFile } from '../../src/schema/schemaFiles.js';
import type { UpkeepOptions } from '../../src/upkeep/duty.js';
import { countFedIn } from '../../src/upkeep/uncountedDays.js';
import { differenceQuery, ROLLUPS } from '../support/plainKpis.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const MIGRATION = 'phase12_received_rollups.sql';
const silent = createLogger('test', 'silent');

describe('an upgrade to rollups of what is fed in', () => {
  const made: TestDatabase[] = [];
  afterEach(async () => {
    for (const database of made.splice(0)) await database.drop();
  });

  /** A database as the version before has left it: by its migrations, and with reads of three days of UTC. */
  const olderDatabase = async (): Promise<TestDatabase> => {
    const database = await createTestDatabase('empty');
    made.push(database);
    const client = await database.pool.connect();
    await client.query('BEGIN');
    await client.query(await readSchemaFile('migrations.sql'));
    await client.query('SET LOCAL check_function_bodies = off');
    const files = await pendingMigrations(client);
    await applyMigrations(
      client,
      files.slice(
        0,
        files.findIndex(({ name }) => name === MIGRATION),
      ),
    );
    await client.query('COMMIT');
    client.release();
    await database.pool.query(
      `SELECT ami_ensure_read_partition(day::date) FROM generate_series('2026-05-30'::date, '2026-06-04', '1 day') day`,
    );
    await database.pool.query(
      `INSERT INTO ami_zone_spans VALUES ('Tokyo', '1980-01-01T15:00Z', '1980-01-02', NULL);
       INSERT INTO ami_tenant_zones (tenant_id, time_zone, clock) VALUES ('EAST', 'Asia/Tokyo', 'Tokyo')`,
    );
    await insert(database, ['EAST', 'WEST'], '2026-06-01', 0.25);
    await insert(database, ['WEST'], '2026-05-30', null);
    await insert(database, ['NONE'], '2026-06-02', null);
    return database;
  };
  /** A day of quarter hours of three meters, of which one has a roof. */
  const insert = (database: TestDatabase, tenants: string[], day: string, received: number | null) =>
    database.pool.query(
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, received_kwh)
       SELECT tenant, 'M' || number, 'F' || number % 2, at, 1, 1.1, CASE WHEN number = 1 THEN $3::numeric END
       FROM unnest($1::text[]) tenant, generate_series(1, 3) number,
         generate_series($2::timestamptz, $2::timestamptz + interval '1 d' - interval '1 min', '15 min') at`,
      [tenants, `${day}T00:00Z`, received],
    );
  const rows = async (database: TestDatabase, text: string, values: unknown[] = []) =>
    (await database.pool.query(text, values)).rows;
  const expectAgreement = async (database: TestDatabase): Promise<void> => {
    for (const [tenant, zone] of [
      ['EAST', 'Asia/Tokyo'],
      ['WEST', 'UTC'],
      ['NONE', 'UTC'],
    ] as const)
      for (const name of Object.keys(ROLLUPS) as (keyof typeof ROLLUPS)[])
        expect(await rows(database, differenceQuery(name, zone), [tenant]), `${name} of ${tenant}`).toEqual(
          [],
        );
  };
  const days = (database: TestDatabase) =>
    rows(
      database,
      `SELECT tenant_id AS tenant, day::text, received_kwh::float8 AS fed FROM ami_feeder_days WHERE feeder_id = 'F1' ORDER BY 1, 2`,
    );
  const count = (database: TestDatabase) => countUncountedDays(database.pool, Number.POSITIVE_INFINITY);

  it('counts the reads that are there day by day, by the days of zones too, and is then done', async () => {
    const database = await olderDatabase();
    await prepareStorage(database.url, false, silent);
    const owed = await rows(database, 'SELECT day::text FROM ami_uncounted_days ORDER BY 1');
    expect(owed.map(({ day }) => day)).toEqual(
      expect.arrayContaining(['2026-05-30', '2026-06-01', '2026-06-02']),
    );
    expect((await days(database)).every(({ fed }) => fed === null)).toBe(true);
    const versions = () =>
      rows(
        database,
        `SELECT tenant_id, day::text, version FROM ami_feeder_days WHERE feeder_id = 'F0' ORDER BY 1, 2`,
      );
    const untouched = await versions();

    expect(await countUncountedDays(database.pool, 0)).toBe(owed.length);
    expect(await count(database)).toBe(0);
    await expectAgreement(database);
    expect(await days(database)).toEqual([
      { tenant: 'EAST', day: '2026-06-01', fed: 15 },
      { tenant: 'EAST', day: '2026-06-02', fed: 9 },
      { tenant: 'NONE', day: '2026-06-02', fed: null },
      { tenant: 'WEST', day: '2026-05-30', fed: null },
      { tenant: 'WEST', day: '2026-06-01', fed: 24 },
    ]);
    // What no meter feeds in to is not written to: a poll that has seen it sees nothing new.
    expect(await versions()).toEqual(untouched);
    expect(await rows(database, 'SELECT FROM ami_uncounted_days')).toEqual([]);
    await prepareStorage(database.url, false, silent);
    expect(await rows(database, 'SELECT FROM ami_uncounted_days')).toEqual([]);
  });

  it('counts right what was written, revised and deleted between the upgrade and the count', async () => {
    const database = await olderDatabase();
    await prepareStorage(database.url, false, silent);
    await database.pool.query(
      `UPDATE meter_reads_electric SET received_kwh = 2 WHERE meter_id = 'M1' AND read_at < '2026-06-01T06:00Z'`,
    );
    await database.pool.query(
      `DELETE FROM meter_reads_electric WHERE meter_id = 'M1' AND tenant_id = 'EAST'`,
    );
    await database.pool.query(
      `UPDATE meter_reads_electric SET received_kwh = NULL WHERE tenant_id = 'WEST' AND read_at >= '2026-06-01T20:00Z'`,
    );
    await insert(database, ['EAST'], '2026-06-03', 0.5);
    expect(await count(database)).toBe(0);
    await database.pool.query('SELECT ami_recheck_meters() FROM generate_series(1, 3)');
    await expectAgreement(database);
  });

  it('is done by the upkeep, which waits for writers under way and goes on with the same day later', async () => {
    const database = await olderDatabase();
    await prepareStorage(database.url, false, silent);
    const writer = await database.pool.connect();
    await writer.query(
      `BEGIN; UPDATE meter_reads_electric SET received_kwh = 3 WHERE tenant_id = 'WEST' AND meter_id = 'M1'`,
    );
    const upkeep = () =>
      countFedIn({ database: database.pool } as unknown as UpkeepOptions, Number.POSITIVE_INFINITY);
    const left = async () => (await rows(database, 'SELECT FROM ami_uncounted_days')).length;
    await upkeep();
    expect(await left()).toBeGreaterThan(0);
    await writer.query('COMMIT');
    writer.release();
    await upkeep();
    expect(await left()).toBe(0);
    await expectAgreement(database);
  });
});
