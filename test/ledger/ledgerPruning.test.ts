import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { scoreReport } from '../../src/commands/scoreReport.js';
import type { TurnName } from '../../src/db/locks.js';
import { insertEvent } from '../../src/events/eventTable.js';
import { latestIntervals, publishedFleetAt } from '../../src/kpi/latestIntervals.js';
import { createKpiVersions } from '../../src/kpi/version.js';
import { pruneLedger } from '../../src/ledger/pruning.js';
import { publishOfLatestInterval } from '../../src/ledger/publishedIntervals.js';
import type { AmiQueue } from '../../src/queues/amiQueue.js';
import { scoreSuspicion } from '../../src/score/score.js';
import { oneProcessAtATime } from '../../src/timing/oneProcessAtATime.js';
import { runUpkeep } from '../../src/upkeep/upkeep.js';
import { type History, writeHistory } from '../support/history.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

/** Days that are long past whenever the tests run. */
const MONDAY = Date.UTC(2026, 0, 5);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TENANT = 'OLD';
const KEPT_DAYS = 35;

describe('the ledger is pruned', () => {
  let database: TestDatabase;
  const sql = async (text: string, values: unknown[] = []) => (await database.pool.query(text, values)).rows;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await sql('TRUNCATE meter_reads_electric');
    await sql('TRUNCATE ami_publishes, ami_fleets, ami_pruned_days CASCADE');
    await sql('TRUNCATE ami_events');
  });

  const prune = (until = Number.POSITIVE_INFINITY) =>
    pruneLedger(database.pool, KEPT_DAYS, new Date(), until);
  const count = async (table: string): Promise<number> =>
    (await sql(`SELECT count(*)::integer AS n FROM ${table}`))[0].n;
  const history = (more: Partial<History> = {}): History => ({
    tenantId: TENANT,
    meterCount: 100,
    feederCount: 10,
    from: new Date(MONDAY),
    quarterHours: 4,
    ...more,
  });
  /** As if each interval had been published when it began. */
  const published = async (more: Partial<History> = {}): Promise<void> => {
    await writeHistory(database.pool, history(more));
    await sql(`UPDATE ami_publishes SET accepted_at = read_at + interval '1 s' WHERE tenant_id = $1`, [
      more.tenantId ?? TENANT,
    ]);
  };
  const readAts = async (tenantId = TENANT): Promise<number[]> =>
    (await sql('SELECT read_at FROM ami_publishes WHERE tenant_id = $1 ORDER BY 1', [tenantId])).map(
      ({ read_at }) => (read_at.getTime() - MONDAY) / 900_000,
    );
  const setPending = (slot: number) =>
    sql(
      `UPDATE ami_publish_batches SET state = 'pending', started_at = NULL, finished_at = NULL, inserted = NULL,
         updated = NULL, duplicate = NULL, skipped = NULL, due_at = now() + interval '1 h'
       WHERE publish_id IN (SELECT publish_id FROM ami_publishes WHERE read_at = $1)`,
      [new Date(MONDAY + slot * 900_000)],
    );
  const prunedDays = () =>
    sql('SELECT tenant_id, day::text, has_quarters, has_hours FROM ami_pruned_days ORDER BY 1, 2');
  const completeness = async (): Promise<Record<string, number>> =>
    Object.fromEntries(
      (
        await sql(
          `SELECT day::text, completeness_pct::double precision AS pct FROM v_kpi_electric_overview_daily
           WHERE tenant_id = $1 ORDER BY day`,
          [TENANT],
        )
      ).map(({ day, pct }) => [day, pct]),
    );

  it('of what was accepted before, with batches, notes and claims; of the reads nothing', async () => {
    await published();
    await published({ tenantId: 'OTHER', quarterHours: 2 });
    await sql(
      `INSERT INTO ami_written_reads SELECT publish_id, 0, tenant_id, read_at, '{M1}' FROM ami_publishes WHERE tenant_id = $1`,
      [TENANT],
    );
    await sql(
      `INSERT INTO ami_ticks (tenant_id, read_at, publish_id) SELECT tenant_id, read_at, publish_id FROM ami_publishes`,
    );
    expect(await prune()).toBe(4);
    expect([await readAts(), await readAts('OTHER')]).toEqual([[3], [1]]);
    expect(await count('ami_publish_batches')).toBe(2);
    expect(await count('ami_written_reads')).toBe(1);
    expect(await count('ami_ticks')).toBe(2);
    expect(await count('meter_reads_electric')).toBe(600);
    const quarters = { day: '2026-01-05', has_quarters: true, has_hours: false };
    expect(await prunedDays()).toEqual([
      { tenant_id: TENANT, ...quarters },
      { tenant_id: 'OTHER', ...quarters },
    ]);
    expect(await prune()).toBe(0);
  });

  it('and which lengths the intervals of a day had of which anything was written is known after', async () => {
    await published({ quarterHours: 97 });
    await sql(`UPDATE ami_publishes SET interval_minutes = 60 WHERE read_at IN ($1, $2)`, [
      new Date(MONDAY),
      new Date(MONDAY + HOUR),
    ]);
    await sql(
      `UPDATE ami_publish_batches SET state = 'cancelled' WHERE publish_id IN (
         SELECT publish_id FROM ami_publishes WHERE read_at > $1)`,
      [new Date(MONDAY)],
    );
    // The latest that is there.
    await published({ from: new Date(MONDAY + 7 * DAY), quarterHours: 1 });
    const day = { tenant_id: TENANT, day: '2026-01-05' };
    await sql('UPDATE ami_publishes SET accepted_at = now() WHERE read_at > $1', [new Date(MONDAY)]);
    expect(await prune()).toBe(1);
    expect(await prunedDays()).toEqual([{ ...day, has_quarters: false, has_hours: true }]);
    await sql(
      `UPDATE ami_publish_batches SET state = 'done' WHERE publish_id IN (
         SELECT publish_id FROM ami_publishes WHERE read_at = $1)`,
      [new Date(MONDAY + 900_000)],
    );
    await sql('UPDATE ami_publishes SET accepted_at = read_at');
    expect(await prune()).toBe(96);
    expect(await prunedDays()).toEqual([
      { ...day, has_quarters: true, has_hours: true },
      { ...day, day: '2026-01-06', has_quarters: false, has_hours: false },
    ]);
  });

  it('not of what was accepted lately, of whatever interval', async () => {
    await writeHistory(database.pool, history());
    expect(await prune()).toBe(0);
    await sql(`UPDATE ami_publishes SET accepted_at = now() - interval '34 days 23 hours'`);
    expect(await prune()).toBe(0);
    await sql(`UPDATE ami_publishes SET accepted_at = now() - interval '35 days 1 hour'`);
    expect(await prune()).toBe(3);
  });

  it('never of what is still to be written, nor of the latest finished interval or a later one', async () => {
    await published();
    await setPending(0);
    await setPending(3);
    expect(await prune()).toBe(1);
    expect(await readAts()).toEqual([0, 2, 3]);
    const intervals = await latestIntervals(database.pool, TENANT);
    expect(intervals.settled).toEqual(new Date(MONDAY + 2 * 900_000));
    expect(await publishedFleetAt(database.pool, TENANT, intervals.settled as Date)).toMatchObject({
      meterCount: 100,
    });
    expect(await publishOfLatestInterval(database.pool, TENANT, 'FEEDER_7')).toMatchObject({
      readAt: new Date(MONDAY + 3 * 900_000),
    });
  });

  it('of a tenant for whom nothing was ever written too, but for the latest', async () => {
    await published();
    await sql(`UPDATE ami_publish_batches SET state = 'cancelled'`);
    expect(await prune()).toBe(3);
    expect(await readAts()).toEqual([3]);
  });

  it('revisions with their interval, those of the latest kept', async () => {
    await published();
    await sql(
      `INSERT INTO ami_publishes (publish_id, tenant_id, origin, read_at, interval_minutes, seed, meter_count, feeder_count,
         batch_size, batch_count, on_conflict, range_from, range_to, accepted_at)
       SELECT gen_random_uuid(), tenant_id, 'revision', read_at, 15, seed, meter_count, feeder_count, 500, 1, 'update', 0, 10,
         accepted_at FROM ami_publishes`,
    );
    expect(await prune()).toBe(6);
    expect(await readAts()).toEqual([3, 3]);
  });

  it('the oldest first, some at a time, and not while somebody holds one', async () => {
    await published({ quarterHours: 130, meterCount: 10 });
    const holder = await database.pool.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM ami_publishes WHERE read_at = $1 FOR KEY SHARE', [new Date(MONDAY)]);
    expect(await prune(performance.now() - 1)).toBe(0);
    expect(await prune()).toBe(128);
    expect(await readAts()).toEqual([0, 129]);
    await holder.query('ROLLBACK');
    holder.release();
    expect(await prune()).toBe(1);
  });

  it('and a day that was published whole stays complete, a tag is another one', async () => {
    for (let day = 0; day < 2; day += 1)
      await published({ from: new Date(MONDAY + day * DAY), quarterHours: 96, meterCount: 50 });
    const versionOf = createKpiVersions(database.pool);
    const before = (await versionOf(TENANT)).version;
    const whole = { '2026-01-05': 100, '2026-01-06': 100 };
    expect(await completeness()).toEqual(whole);
    // In the middle of a day too.
    await sql(
      `UPDATE ami_publishes SET accepted_at = now() WHERE read_at >= '2026-01-05 14:30Z' AND tenant_id = $1`,
      [TENANT],
    );
    expect(await prune()).toBe(58);
    expect(await completeness()).toEqual(whole);
    expect((await versionOf(TENANT)).version).not.toBe(before);
    await sql(`UPDATE ami_publishes SET accepted_at = read_at`);
    expect(await prune()).toBe(133);
    expect(await completeness()).toEqual(whole);
    const fieldOps = await sql(
      `SELECT DISTINCT day::text, completeness_pct::integer AS pct, silent_meters::integer AS silent
       FROM v_kpi_fieldops_daily WHERE tenant_id = $1 ORDER BY 1`,
      [TENANT],
    );
    expect(fieldOps).toEqual([
      { day: '2026-01-05', pct: 100, silent: 0 },
      { day: '2026-01-06', pct: 100, silent: 0 },
    ]);
  });

  it('and the score leaves out the days of which it does not know the thefts any more', async () => {
    for (let day = 0; day < 3; day += 1) {
      await insertEvent(database.pool, {
        tenantId: TENANT,
        feederId: 'FEEDER_7',
        eventType: 'theft',
        severity: 0.9,
        startAt: new Date(MONDAY + day * DAY),
        endAt: new Date(MONDAY + day * DAY + HOUR),
        meterIds: null,
        meterFraction: null,
      });
      await published({ from: new Date(MONDAY + day * DAY) });
    }
    await sql('UPDATE ami_events SET created_at = $1', [new Date(MONDAY)]);
    const whole = await scoreSuspicion(database.pool, TENANT);
    expect(whole).toMatchObject({ injected: 30, named: 30, right: 30, meterDays: 300, leftOutDays: 0 });
    // Of the first day a part alone.
    await sql(`UPDATE ami_publishes SET accepted_at = now() WHERE read_at > $1`, [
      new Date(MONDAY + 900_000),
    ]);
    expect(await prune()).toBe(2);
    const rest = await scoreSuspicion(database.pool, TENANT);
    expect(rest).toMatchObject({
      from: '2026-01-06',
      to: '2026-01-08',
      injected: 20,
      named: 20,
      right: 20,
      meterDays: 200,
      leftOutDays: 1,
      missed: [],
      wronglyNamed: [],
    });
    expect(scoreReport(TENANT, rest)).toContain('One other day is left out: the ledger');
    await sql('UPDATE ami_publishes SET accepted_at = read_at');
    await prune();
    await expect(scoreSuspicion(database.pool, TENANT)).rejects.toThrow('The ledger of all 3 days');
  });

  it('by upkeep, whose other parts follow: a snapshot that no publish names any more', async () => {
    await published();
    const fleets = await sql(
      `INSERT INTO ami_fleets (tenant_id, fingerprint, meter_count, feeder_count, created_at)
       SELECT $1, 'f' || n, 10, 1, now() - interval '2 h' FROM generate_series(1, 2) n RETURNING fleet_id AS id`,
      [TENANT],
    );
    const [{ id: named }, { id: latest }] = fleets as [{ id: string }, { id: string }];
    await sql('UPDATE ami_publishes SET fleet_id = $1, feeder_count = 0 WHERE read_at = $2', [
      named,
      new Date(MONDAY),
    ]);
    const upkeep = () =>
      runUpkeep({
        database: database.pool,
        queue: {} as AmiQueue,
        readsRetentionDays: undefined,
        ledgerRetentionDays: KEPT_DAYS,
        now: () => new Date(),
      });
    expect(await upkeep()).toMatchObject({ publishesPruned: 3, fleetsDeleted: 1, batchesRestored: 0 });
    expect(await sql('SELECT fleet_id AS id FROM ami_fleets')).toEqual([{ id: latest }]);
    // While another process is at it nothing is done here, and nobody waits.
    await published({ from: new Date(MONDAY + DAY) });
    await oneProcessAtATime(database.pool, 'tidying', async () => {
      expect(await upkeep()).toMatchObject({ publishesPruned: 0, partitionsMade: 0 });
    });
    expect(await upkeep()).toMatchObject({ publishesPruned: 4 });
  });

  it('in a sole turn, which one of many has, and which ends with its work', async () => {
    const works = async (name: TurnName) => oneProcessAtATime(database.pool, name, async () => name);
    const meanwhile = await oneProcessAtATime(database.pool, 'watchdog', () =>
      Promise.all([works('watchdog'), works('watchdog'), works('dispatch')]),
    );
    expect(meanwhile).toEqual([undefined, undefined, 'dispatch']);
    expect(await works('watchdog')).toBe('watchdog');
    await expect(
      oneProcessAtATime(database.pool, 'watchdog', () => Promise.reject(new Error('no'))),
    ).rejects.toThrow('no');
    expect(await works('watchdog')).toBe('watchdog');
  });
});
