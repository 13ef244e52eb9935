import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tenantTotals } from '../../src/reads/tenantTotals.js';
import { differenceQuery, KPI_VIEWS, ROLLUPS } from '../support/plainKpis.js';
import { insertSql, REVISION, type Selection, statementOfBoth, TENANTS } from '../support/readsHistory.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

/** What the scale request's own SQL over the reads says. */
const DOC2 = `SELECT COUNT(DISTINCT meter_id)::integer AS meters, COUNT(*)::integer AS reads, MAX(read_at) AS latest
  FROM meter_reads_electric WHERE tenant_id = $1`;

const NAMES = [...Object.keys(ROLLUPS), ...Object.keys(KPI_VIEWS)] as (
  | keyof typeof ROLLUPS
  | keyof typeof KPI_VIEWS
)[];

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
      fc.asyncProperty(fc.array(statementOfBoth, { minLength: 1, maxLength: 8 }), async (history) => {
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
      received: '0.75',
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

  const CLIENTS = [0, 1, 2, 3, 4];
  const METERS = [1, 2, 3, 4, 5, 6];
  const selected = (round: number, client: number): Selection => ({
    tenant: 'A',
    meters: METERS,
    hours: [(round + client) % 30],
    kwh: client % 2 === 0 ? '0.1' : '0.95',
    delivered: '1',
    voltage: round % 2 === 0 ? '90.1' : '120.3',
  });
  /** Two clients revise, all insert or delete; the meters that are revised are those that `revised` says. */
  const sideBySide = (write: (sql: string) => Promise<unknown>, revised: number[]) =>
    Promise.all(
      CLIENTS.map(async (client) => {
        for (let round = 0; round < 25; round += 1) {
          const of = selected(round, client);
          await write(
            client < 2 ? insertSql({ ...of, meters: revised }, REVISION) : insertSql(of, 'DO NOTHING'),
          );
          if (round % 5 === client) {
            await write(
              `DELETE FROM meter_reads_electric WHERE tenant_id = 'A' AND meter_id IN ('M1', 'M2')`,
            );
          }
        }
      }),
    );

  it('do not deadlock or lose count when inserts, revisions and deletes of the same meters run side by side', async () => {
    const hours = Array.from({ length: 30 }, (_, hour) => hour);
    await database.pool.query(insertSql({ ...selected(0, 0), hours }, 'DO NOTHING'));
    // Of a deadlock the detail says between which statements, and the context in which function.
    const write = (sql: string) =>
      database.pool.query(sql).catch((error: pg.DatabaseError) => {
        throw new Error(`${error.message}: ${error.detail} ${error.where}`, { cause: error });
      });
    // These are there all the time, so that no statement both inserts and revises.
    await sideBySide(write, [3, 4, 5, 6]);
    await expectAgreement();
  });

  it('do not lose count when statements that both insert and revise are tried again after a deadlock', async () => {
    const write = async (sql: string): Promise<unknown> => {
      try {
        return await database.pool.query(sql);
      } catch (error) {
        if ((error as pg.DatabaseError).code !== '40P01') throw error;
        return write(sql);
      }
    };
    await sideBySide(write, METERS);
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
