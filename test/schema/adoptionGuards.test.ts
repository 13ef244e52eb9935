import { afterEach, describe, expect, it } from 'vitest';
import { prepareStorage } from '../../src/process/context.js';
import { createLogger } from '../../src/process/log.js';
import {
  type CustomerDatabase,
  type CustomerDeployment,
  createCustomerDatabase,
  startOver,
} from '../support/customerDatabase.js';
import { waitFor } from '../support/waitFor.js';

const NOW = new Date('2026-06-01T10:07:00Z');
const READ_AT = '2026-06-01T10:00:00.000Z';
const FLEET = `CREATE TABLE meters (meter_id text PRIMARY KEY, feeder_id text);
  INSERT INTO meters VALUES ('m1', 'F1'), ('m2', 'F1'), ('m3', 'F1');`;
const READS = `CREATE TABLE meter_reads_electric (tenant_id text DEFAULT 'T', meter_id text, feeder_id text,
  read_at timestamptz, usage_kwh numeric, quality_flags text, UNIQUE (tenant_id, meter_id, read_at));`;

/** What must not happen to a table that is somebody else's. */
describe('an adopted table', () => {
  let database: CustomerDatabase;
  let deployment: CustomerDeployment | undefined;
  afterEach(async () => {
    await deployment?.stop();
    deployment = undefined;
    await database.drop();
  });
  const start = async (sql: string): Promise<CustomerDeployment> => {
    database = await createCustomerDatabase({ sql });
    deployment = await startOver(database, 'postgres', () => NOW);
    return deployment;
  };
  const prepare = () => prepareStorage(database.url, false, createLogger('test', 'silent'));
  const rows = async (sql: string) => (await database.admin.query(sql)).rows;
  const finished = (publishId: string) =>
    waitFor(`publish ${publishId}`, async () => {
      const { body } = await (deployment as CustomerDeployment).http.get(`/api/ami/publish/${publishId}`);
      return body.state === 'done' && body.rows;
    });

  it('keeps what its meters have measured through revisions, which change the reads of GridLens alone', async () => {
    const { post } = await start(`${FLEET}${READS}
      INSERT INTO meter_reads_electric VALUES ('T', 'm1', 'F1', '${READ_AT}', 77, 'REAL')`);
    const publish = async (body: object) => {
      const answer = await post('/api/ami/publish-once', { tenantId: 'T', fleet: 'registry', ...body });
      return finished(answer.body.publishId);
    };
    expect(await publish({ readAt: READ_AT })).toMatchObject({ inserted: 2, duplicate: 1 });
    const theft = { tenantId: 'T', feederId: 'F1', durationMinutes: 60, severity: 0.9, applyNow: true };
    const event = await post('/api/ami/event/theft', theft);
    expect(await finished(event.body.revision.publishId)).toMatchObject({ updated: 2, duplicate: 1 });
    expect(await publish({ readAt: READ_AT, onConflict: 'update' })).toMatchObject({
      updated: 2,
      duplicate: 1,
    });
    expect(
      await rows(`SELECT usage_kwh::float, quality_flags FROM meter_reads_electric WHERE meter_id = 'm1'`),
    ).toEqual([{ usage_kwh: 77, quality_flags: 'REAL' }]);
    expect(await rows('SELECT count(*)::integer FROM meter_reads_electric WHERE usage_kwh < 77')).toEqual([
      { count: 2 },
    ]);
  });

  it('keeps the columns it was adopted with, and is counted anew when one becomes another', async () => {
    await start(`${READS}
      INSERT INTO meter_reads_electric VALUES ('T', '01', 'F1', '${READ_AT}', 2, NULL), ('T', '02', 'F1', '${READ_AT}', 3, NULL)`);
    await database.admin.query('ALTER TABLE meter_reads_electric ADD COLUMN kwh numeric DEFAULT 45000');
    expect((await prepare()).reads.columns.kwh.name).toBe('usage_kwh');

    await database.admin.query('ALTER TABLE meter_reads_electric RENAME COLUMN usage_kwh TO interval_kwh');
    await database.admin.query('ALTER TABLE meter_reads_electric DROP COLUMN kwh');
    await database.admin.query(
      'ALTER TABLE meter_reads_electric ALTER COLUMN meter_id TYPE bigint USING meter_id::bigint',
    );
    expect((await prepare()).reads.columns.kwh.name).toBe('interval_kwh');
    expect(await rows('SELECT feeder_id, reads::integer, kwh::integer FROM ami_feeder_days')).toEqual([
      { feeder_id: 'F1', reads: 2, kwh: 5 },
    ]);
    expect(await rows('SELECT meter_id FROM ami_known_meters ORDER BY 1')).toEqual([
      { meter_id: '1' },
      { meter_id: '2' },
    ]);
    await database.admin.query('DELETE FROM meter_reads_electric');
    expect(await rows('SELECT FROM ami_feeder_days')).toEqual([]);
  });

  it('is not left behind unnoticed when another takes its name, or its triggers are disabled', async () => {
    await start(`${FLEET}${READS}`);
    await database.admin.query('ALTER TABLE meter_reads_electric DISABLE TRIGGER USER');
    await expect(prepare()).rejects.toThrow(
      /is disabled: ALTER TABLE .* ENABLE TRIGGER ami_fold_deleted_reads;/,
    );
    await database.admin.query('ALTER TABLE meter_reads_electric ENABLE TRIGGER USER');
    await database.admin.query(`ALTER TABLE meter_reads_electric RENAME TO reads_2025; ${READS}`);
    const refused = await prepare().catch((error: Error) => error.message);
    expect(refused).toMatch(
      /^The adopted table of reads is called public.reads_2025 now, and public.meter_reads_electric/,
    );
    await database.admin.query(String(refused).replace(/^.*part with the table: /, ''));
    expect((await prepare()).reads.table.name).toBe('meter_reads_electric');
  });

  it('gives nobody the functions that act as their owner', async () => {
    await start(`${FLEET}${READS}
      INSERT INTO meter_reads_electric VALUES ('T', 'm1', 'F1', '${READ_AT}', 2, NULL)`);
    const url = new URL(database.url);
    const client = await database.admin.connect();
    try {
      await client.query(`SET ROLE ${database.role}; CREATE TEMP TABLE own (x int)`);
      const forge = client.query(
        'CREATE TRIGGER x AFTER TRUNCATE ON own EXECUTE FUNCTION public.ami_adopted_fold_truncated_reads()',
      );
      await expect(forge, url.host).rejects.toThrow('permission denied for function');
    } finally {
      client.release(true);
    }
    expect(await rows('SELECT count(*)::integer FROM ami_feeder_days')).toEqual([{ count: 1 }]);
  });

  it('does not fail a loader for values that no meter measures, nor miss what is loaded at repeatable read', async () => {
    await start(`${FLEET}${READS} DO $$ BEGIN
      EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = ''repeatable read''', current_database()); END $$`);
    await database.admin.query(
      `INSERT INTO meter_reads_electric SELECT 'T', 'w' || n, 'F1', '${READ_AT}', 45000000 FROM generate_series(1, 30000) n`,
    );
    expect(await rows('SELECT reads::integer, kwh::integer FROM ami_feeder_days')).toEqual([
      { reads: 30000, kwh: 0 },
    ]);
  });
});
