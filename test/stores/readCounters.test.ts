import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tenantTotals } from '../../src/stores/readCounters.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

/** What doc 2's own SQL says; the counters must always say the same. */
const DOC2 = `SELECT COUNT(DISTINCT meter_id)::integer AS meters, COUNT(*)::integer AS reads, MAX(read_at) AS latest
  FROM meter_reads_electric WHERE tenant_id = $1`;

const TENANTS = ['A', 'B'];

describe('read counters', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    await database.pool.query(
      `SELECT ami_ensure_read_partition(day::date) FROM generate_series('2026-01-01'::date, '2026-01-05', '1 day') day`,
    );
  });
  afterAll(() => database.drop());

  const expectAgreement = async (): Promise<void> => {
    for (const tenant of TENANTS) {
      const { rows } = await database.pool.query(DOC2, [tenant]);
      const totals = await tenantTotals(database.pool, tenant);
      expect({
        meters: totals.totalDistinctMeters,
        reads: totals.totalReads,
        latest: totals.latestReadAt,
      }).toEqual(rows[0]);
    }
  };

  const insert = (tenant: string, meters: readonly number[], hours: readonly number[], conflict: string) =>
    database.pool.query(
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh)
       SELECT $1, 'M' || meter, 'F' || meter % 3, '2026-01-01Z'::timestamptz + hour * interval '1 h', 1
       FROM unnest($2::integer[]) meter, unnest($3::integer[]) hour
       ON CONFLICT (tenant_id, meter_id, read_at) ${conflict}`,
      [tenant, [...new Set(meters)], [...new Set(hours)]],
    );

  it('agree with doc 2’s SQL after any history of inserts, duplicates, revisions, moves and deletes', async () => {
    const tenant = fc.constantFrom(...TENANTS);
    const meters = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 });
    const hours = fc.array(fc.integer({ min: 0, max: 95 }), { minLength: 1, maxLength: 4 });
    const meter = fc.integer({ min: 1, max: 12 });
    const hour = fc.integer({ min: 0, max: 95 });
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('insert' as const), tenant, meters, hours }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('revise' as const), tenant, meters, hours }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete meter' as const), tenant, meter }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete after' as const), tenant, hour }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('move feeder' as const), tenant, meter }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('rename meter' as const), tenant, meter }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('shift day' as const), tenant, meter }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (history) => {
        for (const change of history) {
          switch (change.kind) {
            case 'insert':
              await insert(change.tenant, change.meters, change.hours, 'DO NOTHING');
              break;
            case 'revise':
              await insert(
                change.tenant,
                change.meters,
                change.hours,
                'DO UPDATE SET kwh = excluded.kwh + 1, updated_at = now()',
              );
              break;
            case 'delete meter':
              await database.pool.query(
                `DELETE FROM meter_reads_electric WHERE tenant_id = $1 AND meter_id = 'M' || $2::integer`,
                [change.tenant, change.meter],
              );
              break;
            case 'delete after':
              await database.pool.query(
                `DELETE FROM meter_reads_electric WHERE tenant_id = $1 AND read_at > '2026-01-01Z'::timestamptz + $2 * interval '1 h'`,
                [change.tenant, change.hour],
              );
              break;
            case 'move feeder':
              await database.pool.query(
                `UPDATE meter_reads_electric SET feeder_id = 'F9' WHERE tenant_id = $1 AND meter_id = 'M' || $2::integer`,
                [change.tenant, change.meter],
              );
              break;
            case 'rename meter':
              await database.pool.query(
                `UPDATE meter_reads_electric SET meter_id = 'N' || $2::integer
                 WHERE tenant_id = $1 AND meter_id = 'M' || $2::integer AND read_at < '2026-01-02Z'
                   AND NOT EXISTS (SELECT FROM meter_reads_electric WHERE tenant_id = $1 AND meter_id = 'N' || $2::integer)`,
                [change.tenant, change.meter],
              );
              break;
            case 'shift day':
              await database.pool.query(
                `UPDATE meter_reads_electric SET read_at = read_at + interval '25 h 30 min'
                 WHERE tenant_id = $1 AND meter_id = 'M' || $2::integer AND read_at < '2026-01-02Z'
                   AND date_part('minute', read_at) = 0 AND NOT EXISTS (
                     SELECT FROM meter_reads_electric other WHERE other.tenant_id = $1 AND other.meter_id = 'M' || $2::integer
                       AND date_part('minute', other.read_at) = 30)`,
                [change.tenant, change.meter],
              );
              break;
            case 'truncate':
              await database.pool.query('TRUNCATE meter_reads_electric');
              break;
          }
          await expectAgreement();
        }
      }),
      { numRuns: 60 },
    );
    await database.pool.query('SELECT ami_rebuild_read_counters()');
    await expectAgreement();
  });

  it('do not deadlock or lose count when inserts and deletes of the same meters run side by side', async () => {
    const clients = Array.from({ length: 4 }, (_, client) => client);
    await Promise.all(
      clients.map(async (client) => {
        for (let round = 0; round < 25; round += 1) {
          await insert('A', [1, 2, 3, 4, 5, 6], [(round + client) % 30], 'DO NOTHING');
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
    await insert('A', [1, 2, 3], [1, 30, 50], 'DO NOTHING');
    await insert('A', [40], [2], 'DO NOTHING');
    const { rows } = await database.pool.query(
      `SELECT ami_drop_read_partitions_before('2026-01-02') AS dropped`,
    );
    expect(rows[0].dropped).toContain('meter_reads_electric_p20260101');
    const recheck = async () =>
      (await database.pool.query('SELECT ami_recheck_meters() AS tenant')).rows[0].tenant;
    const rechecked: string[] = [];
    for (let tenant = await recheck(); tenant !== null; tenant = await recheck()) rechecked.push(tenant);
    expect(rechecked).toContain('A');
    await expectAgreement();
    expect(
      (await database.pool.query(`SELECT 1 FROM ami_known_meters WHERE meter_id = 'M40'`)).rowCount,
    ).toBe(0);
  });
});
