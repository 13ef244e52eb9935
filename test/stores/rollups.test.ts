import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tenantTotals } from '../../src/stores/tenantTotals.js';
import { differenceQuery, KPI_VIEWS, ROLLUPS } from '../support/plainKpis.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

/** What doc 2's own SQL says. */
const DOC2 = `SELECT COUNT(DISTINCT meter_id)::integer AS meters, COUNT(*)::integer AS reads, MAX(read_at) AS latest
  FROM meter_reads_electric WHERE tenant_id = $1`;

const TENANTS = ['A', 'B'];
const NAMES = [...Object.keys(ROLLUPS), ...Object.keys(KPI_VIEWS)] as (
  | keyof typeof ROLLUPS
  | keyof typeof KPI_VIEWS
)[];

/** Measured values at and around what the rollups distinguish, as SQL literals. */
const KWH = ['0', '0.1', '0.85', '0.8499', '1'];
const DELIVERED = ['NULL', '0', '0.1', '0.1004', '1', '1.0000'];
const VOLTAGE = ['NULL', '90.1', '113.9', '114', '114.0', '120.3', '126', '126.1'];

interface Selection {
  tenant: string;
  meters: number[];
  hours: number[];
  kwh: string;
  delivered: string;
  voltage: string;
}

const tenant = fc.constantFrom(...TENANTS);
const meter = fc.integer({ min: 1, max: 12 });
const hour = fc.integer({ min: 0, max: 95 });
const measured = {
  kwh: fc.constantFrom(...KWH),
  delivered: fc.constantFrom(...DELIVERED),
  voltage: fc.constantFrom(...VOLTAGE),
};
const selection: fc.Arbitrary<Selection> = fc.record({
  tenant,
  meters: fc.uniqueArray(meter, { minLength: 1, maxLength: 8 }),
  // Few hours, so that statements meet in the same intervals.
  hours: fc.uniqueArray(fc.constantFrom(0, 1, 2, 23, 24, 50, 95), { minLength: 1, maxLength: 4 }),
  ...measured,
});

const rows = ({ tenant: of, meters, hours, kwh, delivered, voltage }: Selection): string =>
  `SELECT '${of}', 'M' || meter, 'F' || meter % 3, '2026-01-01Z'::timestamptz + hour * interval '1 h',
          ${kwh}::numeric, ${delivered}::numeric, CASE WHEN meter % 5 = 0 THEN 121.7 ELSE ${voltage}::numeric END
   FROM unnest(ARRAY[${meters}]) meter, unnest(ARRAY[${hours}]) hour`;
const insertSql = (selected: Selection, conflict: string): string =>
  `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage)
   ${rows(selected)} ON CONFLICT (tenant_id, meter_id, read_at) ${conflict}`;
const REVISION = `DO UPDATE SET kwh = excluded.kwh, delivered_kwh = excluded.delivered_kwh,
  voltage = excluded.voltage, updated_at = now()`;

/** One statement of a history of the table, as anybody might write it. */
const statement: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: selection.map((selected) => insertSql(selected, 'DO NOTHING')) },
  { weight: 4, arbitrary: selection.map((selected) => insertSql(selected, REVISION)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(tenant, meter, measured.voltage)
      .map(
        ([of, which, voltage]) =>
          `UPDATE meter_reads_electric SET voltage = ${voltage} WHERE tenant_id = '${of}' AND meter_id = 'M${which}'`,
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(tenant, meter)
      .map(
        ([of, which]) =>
          `DELETE FROM meter_reads_electric WHERE tenant_id = '${of}' AND meter_id = 'M${which}'`,
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(tenant, hour)
      .map(
        ([of, after]) =>
          `DELETE FROM meter_reads_electric WHERE tenant_id = '${of}' AND read_at > '2026-01-01Z'::timestamptz + ${after} * interval '1 h'`,
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(tenant, meter)
      .map(
        ([of, which]) =>
          `UPDATE meter_reads_electric SET feeder_id = 'F9' WHERE tenant_id = '${of}' AND meter_id = 'M${which}'`,
      ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(tenant, meter).map(
      ([of, which]) =>
        `UPDATE meter_reads_electric SET meter_id = 'N${which}' WHERE tenant_id = '${of}' AND meter_id = 'M${which}' AND read_at < '2026-01-02Z'
           AND NOT EXISTS (SELECT FROM meter_reads_electric WHERE tenant_id = '${of}' AND meter_id = 'N${which}')`,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(tenant, meter).map(
      ([of, which]) =>
        `UPDATE meter_reads_electric SET read_at = read_at + interval '25 h 30 min'
         WHERE tenant_id = '${of}' AND meter_id = 'M${which}' AND read_at < '2026-01-02Z' AND date_part('minute', read_at) = 0
           AND NOT EXISTS (SELECT FROM meter_reads_electric other WHERE other.tenant_id = '${of}'
             AND other.meter_id = 'M${which}' AND date_part('minute', other.read_at) = 30)`,
    ),
  },
  { weight: 1, arbitrary: fc.constant('TRUNCATE meter_reads_electric') },
);

describe('rollups and KPI views', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    await database.pool.query(
      `SELECT ami_ensure_read_partition(day::date) FROM generate_series('2026-01-01'::date, '2026-01-05', '1 day') day`,
    );
  });
  afterAll(() => database.drop());

  /** As the upkeep does every ten seconds. */
  const forget = async (): Promise<string[]> => {
    const rechecked: string[] = [];
    for (;;) {
      const { rows: next } = await database.pool.query('SELECT ami_recheck_meters() AS tenant');
      if (next[0].tenant === null) return rechecked;
      rechecked.push(next[0].tenant);
    }
  };
  const expectAgreement = async (): Promise<void> => {
    await forget();
    for (const of of TENANTS) {
      const { rows: truth } = await database.pool.query(DOC2, [of]);
      const totals = await tenantTotals(database.pool, of);
      expect({
        meters: totals.totalDistinctMeters,
        reads: totals.totalReads,
        latest: totals.latestReadAt,
      }).toEqual(truth[0]);
      for (const name of NAMES) {
        const { rows: different } = await database.pool.query(differenceQuery(name), [of]);
        expect(different, `${name} of ${of}`).toEqual([]);
      }
    }
  };

  it('agree with plain SQL over the reads after any history of statements, and so after a rebuild', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(statement, { minLength: 1, maxLength: 8 }), async (history) => {
        // From nothing each time, so that a history that fails can be shrunk.
        await database.pool.query('TRUNCATE meter_reads_electric');
        for (const sql of history) {
          await database.pool.query(sql);
          await expectAgreement();
        }
      }),
      { numRuns: 40 },
    );
    await database.pool.query('CALL ami_rebuild_rollups()');
    await expectAgreement();
  });

  it('are rebuilt from the reads alone, whatever came past the triggers', async () => {
    const every: Selection = {
      tenant: 'A',
      meters: [1, 2, 3],
      hours: [1, 30],
      kwh: '0.1',
      delivered: '1',
      voltage: '113.9',
    };
    await database.pool.query(insertSql(every, 'DO NOTHING'));
    await database.pool.query('ALTER TABLE meter_reads_electric DISABLE TRIGGER USER');
    await database.pool.query(insertSql({ ...every, meters: [4, 5, 6] }, 'DO NOTHING'));
    await database.pool.query(
      `DELETE FROM meter_reads_electric WHERE meter_id = 'M1' OR (meter_id = 'M2' AND read_at > '2026-01-02Z')`,
    );
    await database.pool.query('ALTER TABLE meter_reads_electric ENABLE TRIGGER USER');
    await database.pool.query('CALL ami_rebuild_rollups()');
    await expectAgreement();
  });

  it('do not deadlock or lose count when inserts, revisions and deletes of the same meters run side by side', async () => {
    const clients = Array.from({ length: 5 }, (_, client) => client);
    const selected = (round: number, client: number): Selection => ({
      tenant: 'A',
      meters: [1, 2, 3, 4, 5, 6],
      hours: [(round + client) % 30],
      kwh: client % 2 === 0 ? '0.1' : '0.95',
      delivered: '1',
      voltage: round % 2 === 0 ? '90.1' : '120.3',
    });
    await Promise.all(
      clients.map(async (client) => {
        for (let round = 0; round < 25; round += 1) {
          const conflict = client < 2 ? REVISION : 'DO NOTHING';
          await database.pool.query(insertSql(selected(round, client), conflict));
          if (round % 5 === client) {
            await database.pool.query(
              `DELETE FROM meter_reads_electric WHERE tenant_id = 'A' AND meter_id IN ('M1', 'M2')`,
            );
          }
        }
      }),
    );
    await expectAgreement();
  });

  it('forget what retention drops, partition by partition', async () => {
    const some = { tenant: 'A', kwh: '1', delivered: '1', voltage: '113.9' };
    await database.pool.query(insertSql({ ...some, meters: [1, 2, 3], hours: [1, 30, 50] }, 'DO NOTHING'));
    await database.pool.query(insertSql({ ...some, meters: [40], hours: [2] }, 'DO NOTHING'));
    const { rows: drop } = await database.pool.query(
      `SELECT ami_drop_read_partitions_before('2026-01-02') AS dropped`,
    );
    expect(drop[0].dropped).toContain('meter_reads_electric_p20260101');
    const rechecked = await forget();
    expect(rechecked).toContain('A');
    await expectAgreement();
    expect(
      (await database.pool.query(`SELECT 1 FROM ami_known_meters WHERE meter_id = 'M40'`)).rowCount,
    ).toBe(0);
  });
});
