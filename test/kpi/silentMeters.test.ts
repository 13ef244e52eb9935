import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type StaleMetersBuckets, staleMetersAt } from '../../src/kpi/staleness.js';
import { statement, TENANTS } from '../support/readsHistory.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

/** The buckets by plain SQL over the reads. */
const TRUTH = `SELECT count(*) FILTER (WHERE last_at >= $2)::double precision AS current,
    count(*) FILTER (WHERE last_at < $2 AND last_at > $2 - interval '1 h')::double precision AS "staleOver15m",
    count(*) FILTER (WHERE last_at <= $2 - interval '1 h' AND last_at > $2 - interval '24 h')::double precision AS "staleOver1h",
    count(*) FILTER (WHERE last_at <= $2 - interval '24 h')::double precision AS "staleOver24h"
  FROM (SELECT max(read_at) AS last_at FROM meter_reads_electric WHERE tenant_id = $1 GROUP BY meter_id) meter`;

const AT = new Date('2026-01-03T12:00:00Z');
const TENANT = 'T';

describe('silent meters', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    await database.pool.query(
      `SELECT ami_ensure_read_partition(day::date) FROM generate_series('2026-01-01'::date, '2026-01-06', '1 day') day`,
    );
  });
  afterAll(() => database.drop());
  beforeEach(() => database.truncate('meter_reads_electric'));

  /** Reads of the first `meters` meters, each a feeder's by its number, in each quarter hour of a span before AT. */
  const report = (meters: number, fromHour: number, toHour: number, feeders = 5) =>
    database.pool.query(
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh)
       SELECT $1, 'M' || lpad(meter::text, 5, '0'), 'F' || meter % $6::integer, read_at, 1
       FROM generate_series(1, $2::integer) meter,
         generate_series($3::timestamptz + $4 * interval '1 h', $3::timestamptz + $5 * interval '1 h', '15 min') read_at`,
      [TENANT, meters, AT, fromHour, toHour, feeders],
    );
  const buckets = async (tenantId = TENANT, at = AT, latest = AT) => {
    const asked: string[] = [];
    const watched = {
      query: (query: pg.QueryConfig) => {
        asked.push(String(query.name));
        return database.pool.query(query);
      },
    };
    const found = await staleMetersAt(watched as never, tenantId, at, latest);
    const { rows } = await database.pool.query<StaleMetersBuckets>(TRUTH, [tenantId, at]);
    expect(found).toEqual(rows[0]);
    return { found, isProbed: asked.includes('silent-meters') };
  };

  it.each<[string, () => Promise<unknown>, Partial<StaleMetersBuckets>]>([
    [
      'a fleet that shrank half an hour ago',
      async () => {
        await report(1_000, -2, -0.5);
        await report(40, -0.25, 0);
      },
      { current: 40, staleOver15m: 960 },
    ],
    [
      'a fleet that shrank hours ago',
      async () => {
        await report(1_000, -8, -6);
        await report(40, -5.75, 0);
      },
      { current: 40, staleOver1h: 960 },
    ],
    [
      'a fleet that shrank days ago',
      async () => {
        await report(1_000, -50, -49);
        await report(40, -48, 0);
      },
      { current: 40, staleOver24h: 960 },
    ],
    [
      'a fleet of which nobody reports any more, the interval itself written by one new meter',
      async () => {
        await report(1_000, -50, -49);
        await database.pool.query(
          `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh) VALUES ($1, 'NEW', 'F1', $2, 1)`,
          [TENANT, AT],
        );
      },
      { current: 1, staleOver24h: 1_000 },
    ],
    [
      'an outage of feeders since three hours',
      async () => {
        await report(1_000, -6, -3);
        await report(1_000, -2.75, 0, 5);
        await database.pool.query(
          `DELETE FROM meter_reads_electric WHERE feeder_id IN ('F1', 'F2', 'F3') AND read_at > $1::timestamptz - interval '3 h'`,
          [AT],
        );
      },
      { current: 400, staleOver1h: 600 },
    ],
  ])('H3: are counted without a look at each of them: %s', async (_name, write, expected) => {
    await write();
    const { found, isProbed } = await buckets();
    expect(found).toMatchObject(expected);
    expect(isProbed).toBe(false);
  });

  it('H3: are probed where intervals have different meters, or have no fingerprint yet', async () => {
    await report(100, -2, -0.25);
    await report(60, 0, 0);
    await database.pool.query(
      `DELETE FROM meter_reads_electric WHERE meter_id = 'M000' || (10 + date_part('minute', read_at))::integer`,
    );
    await report(101, -3, -3);
    await database.pool.query(
      `DELETE FROM meter_reads_electric WHERE meter_id > 'M00090' AND read_at > '2026-01-03T10:00Z'`,
    );
    expect((await buckets()).isProbed).toBe(true);
    await database.truncate('meter_reads_electric');
    await report(100, -2, -1);
    await report(60, -0.75, 0);
    expect((await buckets()).isProbed).toBe(false);
    await database.pool.query(
      'UPDATE ami_feeder_intervals SET meters_fingerprint = NULL WHERE read_at = $1',
      [AT],
    );
    expect((await buckets()).isProbed).toBe(true);
  });

  it('H3: are in the buckets that plain SQL over the reads has, after any history of statements', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(statement, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: 95 }),
        async (history, hour) => {
          await database.truncate('meter_reads_electric');
          for (const sql of history) await database.pool.query(sql);
          for (let left = true; left; ) {
            const { rows } = await database.pool.query('SELECT ami_recheck_meters() IS NOT NULL AS found');
            left = rows[0].found;
          }
          const at = new Date(Date.UTC(2026, 0, 1, hour));
          for (const tenant of TENANTS) await buckets(tenant, at, new Date('2026-01-06Z'));
        },
      ),
      { numRuns: 60 },
    );
  });
});
