import { afterEach, describe, expect, it } from 'vitest';
import { prepareStorage } from '../../src/process/context.js';
import { createLogger } from '../../src/process/log.js';
import { type CustomerDatabase, createCustomerDatabase, runMigrate } from '../support/customerDatabase.js';
import { catalogDifference, catalogSnapshot } from './existing/catalogLines.js';
import { WITH_READS } from './existing/impossibleBase.js';
import { dumpRows } from './existing/rowDump.js';

const prepare = (url: string) => prepareStorage(url, true, createLogger('test', 'silent'));

describe('starting over an existing schema', () => {
  let database: CustomerDatabase;
  afterEach(() => database.drop());

  it('adds each thing once when five processes start at the same time', async () => {
    database = await createCustomerDatabase({ file: '06_mdm_export_bare.sql' });
    const rows = await dumpRows(database.admin);
    const mappings = await Promise.all(Array.from({ length: 5 }, () => prepare(database.url)));
    // Whoever came second found the columns added; what they are is the same.
    const names = mappings.map(({ reads }) => Object.values(reads.columns).map((column) => column?.name));
    for (const one of names) expect(one).toEqual(names[0]);
    expect(await dumpRows(database.admin, rows)).toEqual(rows);
    const { rows: changes } = await database.admin.query(
      `SELECT kind, column_name, count(*)::integer AS times FROM ami_schema_changes GROUP BY 1, 2, statement HAVING count(*) > 1`,
    );
    expect(changes).toEqual([]);
  });

  it('takes as long as counting the reads must, whatever the statement timeout of the database', async () => {
    database = await createCustomerDatabase({
      sql: `${WITH_READS}
        INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh)
        SELECT 'TOWN', 'X' || n, 'F1', '2026-05-01 00:00Z'::timestamptz + n % 2000 * interval '15 min', 1
        FROM generate_series(1, 60000) n;
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = ''200ms''', current_database()); END $$`,
    });
    const { reads } = await prepare(database.url);
    expect(reads.own).toBe(false);
  });

  it('runs as a role that may create nothing, once the owner has prepared the schema and granted what is said', async () => {
    database = await createCustomerDatabase({ file: '12_least_privilege_kpi_views.sql' });
    const { admin, role, url } = database;
    await prepare(url);
    await admin.query(`REVOKE CREATE ON SCHEMA public FROM ${role}`);
    await admin.query(
      `DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM ${role}', current_database()); END $$`,
    );
    const asRole = new URL(url);
    Object.assign(asRole, { username: role, password: role });
    const catalog = await catalogSnapshot(admin);

    const { code, stderr } = await runMigrate({ ...database, url: asRole.href });
    expect({ code, lines: stderr.trim().split('\n').length }, stderr).toEqual({ code: 1, lines: 1 });
    expect(stderr).toContain(role);
    const statement = /: ((?:GRANT|ALTER) .*;)/.exec(stderr)?.[1];
    expect(statement, stderr).toBeDefined();

    await admin.query(statement as string);
    const granted = await catalogSnapshot(admin);
    await prepare(asRole.href);
    expect(catalogDifference(granted, await catalogSnapshot(admin))).toEqual({ added: [], lost: [] });
    expect(catalogDifference(catalog, granted).added).toEqual([]);
  });
});
