import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareStorage } from '../../src/process/context.js';
import { createLogger } from '../../src/process/log.js';
import { tenantTotals } from '../../src/reads/tenantTotals.js';
import { differenceQuery, KPI_VIEWS, ROLLUPS } from '../support/plainKpis.js';
import { statement, statementOfBoth, TENANTS } from '../support/readsHistory.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

/** Other names, types, a collation for each id, no time zone, and the key in an order of its own. */
const table = (further: string) => `CREATE TABLE "Meter_Reads_Electric" (
  "Id" bigint GENERATED ALWAYS AS IDENTITY, "Utility Code" varchar(20) COLLATE ucs_basic NOT NULL,
  "MeterNo" varchar(30) COLLATE "POSIX" NOT NULL, "FeederCode" char(6) NOT NULL, "ReadTs" timestamp NOT NULL,
  "KwhUsage" double precision, "DeliveredKwh" real, "Volts" numeric(6,1), "QualityCode" smallint,
  updated_at timestamptz,${further}
  CONSTRAINT reads_once UNIQUE ("ReadTs", "MeterNo", "Utility Code"))`;
/** What the tests' plain SQL takes for the table of reads. */
const canonical = (received: string) => `CREATE VIEW canonical_reads AS
  SELECT "Utility Code"::text COLLATE "C" AS tenant_id, "MeterNo"::text COLLATE "C" AS meter_id,
    "FeederCode"::text COLLATE "C" AS feeder_id, "ReadTs" AT TIME ZONE 'UTC' AS read_at, "KwhUsage"::numeric AS kwh,
    "DeliveredKwh"::numeric AS delivered_kwh, "Volts" AS voltage, ${received}::numeric AS received_kwh FROM "Meter_Reads_Electric"`;
const NAMES: Record<string, string> = {
  meter_reads_electric: '"Meter_Reads_Electric"',
  tenant_id: '"Utility Code"',
  meter_id: '"MeterNo"',
  feeder_id: '"FeederCode"',
  read_at: '"ReadTs"',
  kwh: '"KwhUsage"',
  delivered_kwh: '"DeliveredKwh"',
  voltage: '"Volts"',
  received_kwh: '"FeedInKwh"',
};

/** A statement as the customer's own programs would write it. */
const inTheirWords = (sql: string): string => sql.replace(/\b[a-z_]+\b/g, (word) => NAMES[word] ?? word);

describe.each([
  { channels: 'one channel', further: '', received: 'NULL', statements: statement },
  {
    ...{ channels: 'two channels', further: '"FeedInKwh" double precision,', received: '"FeedInKwh"' },
    statements: statementOfBoth,
  },
])('rollups of a table of $channels that GridLens did not make', ({ further, received, statements }) => {
  let database: TestDatabase;
  let mostReads = 0;
  beforeAll(async () => {
    database = await createTestDatabase('empty');
    const { rows } = await database.pool.query('SELECT current_database() AS name');
    // The statements compare times without a zone with instants.
    await database.pool.query(`ALTER DATABASE ${rows[0].name} SET timezone = 'UTC'`);
    await database.pool.query(table(further));
    await prepareStorage(database.url, false, createLogger('test', 'silent'));
    await database.pool.query(canonical(received));
  });
  afterAll(() => database.drop());

  const expectAgreement = async (): Promise<void> => {
    let left: unknown = true;
    while (left !== null)
      left = (await database.pool.query('SELECT ami_recheck_meters() AS tenant')).rows[0].tenant;
    for (const tenant of TENANTS) {
      const { rows: truth } = await database.pool.query(
        'SELECT count(DISTINCT meter_id)::integer AS meters, count(*)::integer AS reads FROM canonical_reads WHERE tenant_id = $1',
        [tenant],
      );
      const { totalDistinctMeters, totalReads } = await tenantTotals(database.pool, tenant);
      mostReads = Math.max(mostReads, totalReads);
      expect({ meters: totalDistinctMeters, reads: totalReads }).toEqual(truth[0]);
      for (const name of [...Object.keys(ROLLUPS), ...Object.keys(KPI_VIEWS)] as (
        | keyof typeof ROLLUPS
        | keyof typeof KPI_VIEWS
      )[]) {
        const query = differenceQuery(name).replaceAll('meter_reads_electric', 'canonical_reads');
        expect((await database.pool.query(query, [tenant])).rows, `${name} of ${tenant}`).toEqual([]);
      }
    }
  };

  it('agree with plain SQL over its rows after any history of statements, and so after a rebuild', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(statements, { minLength: 1, maxLength: 8 }), async (history) => {
        await database.pool.query('TRUNCATE "Meter_Reads_Electric"');
        for (const sql of history) await database.pool.query(inTheirWords(sql));
        await expectAgreement();
      }),
      { numRuns: 30 },
    );
    expect(mostReads).toBeGreaterThan(20);
    await database.pool.query('CALL ami_rebuild_rollups()');
    await expectAgreement();
  });

  it('C3: have an error code of a meter in no sum, and count it apart, as those of our own table do', async () => {
    await database.pool.query('TRUNCATE "Meter_Reads_Electric"');
    await database.pool.query(`INSERT INTO "Meter_Reads_Electric" ("Utility Code", "MeterNo", "FeederCode", "ReadTs", "KwhUsage", "DeliveredKwh")
      VALUES ('A', 'M1', 'F1', '2026-01-01 10:00', 0.9, 1), ('A', 'M2', 'F1', '2026-01-01 10:00', 4294967.295, 1),
             ('A', 'M3', 'F1', '2026-01-01 10:00', 'NaN', 1), ('A', 'M4', 'F1', '2026-01-01 10:00', 1, 65535)`);
    const { rows } = await database.pool.query(
      `SELECT reads::int, kwh::float, delivered_kwh::float AS delivered, loss_pct::float AS loss, implausible_reads::int AS implausible
       FROM v_kpi_electric_overview_daily WHERE tenant_id = 'A'`,
    );
    expect(rows).toEqual([{ reads: 4, kwh: 0.9, delivered: 1, loss: 10, implausible: 3 }]);
    const { rows: suspicious } = await database.pool.query('SELECT FROM v_kpi_suspicious_meters_daily');
    expect(suspicious).toEqual([]);
    await expectAgreement();
  });

  it('are looked up by the index that the table has, whatever its types and collations', async () => {
    const client = await database.pool.connect();
    // The few rows of a test would be read one after the other.
    await client.query('SET enable_seqscan = off; SET enable_bitmapscan = off');
    const planOf = async (call: string): Promise<string> => {
      const { rows } = await client.query(
        `EXPLAIN (COSTS off) SELECT (SELECT true FROM ${call} LIMIT 1) FROM ami_known_meters known`,
      );
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    };
    const byKey = await planOf(`ami_read_at(known.tenant_id, known.meter_id, '2026-01-01Z')`);
    const ofMeter = await planOf(
      `ami_reads_of_meter(known.tenant_id, known.meter_id, '2026-01-01Z', '2026-01-02Z')`,
    );
    client.release(true);
    for (const plan of [byKey, ofMeter]) {
      expect(plan).not.toContain('Function Scan');
      const [condition] = /Index Cond: .*"ReadTs".*/.exec(plan) ?? [];
      expect(condition, plan).toContain('"MeterNo"');
      expect(condition, plan).toContain('"Utility Code"');
    }
  });
});
