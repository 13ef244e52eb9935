import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { deleteUnnamedSnapshot, unnamedSnapshots } from '../../src/registry/snapshots.js';
import { findFeederId } from '../../src/registry/survey.js';
import { ownMapping } from '../../src/schema/detect/ownMapping.js';
import { runUpkeep } from '../../src/upkeep/upkeep.js';
import { deployBudget } from '../support/answerBudget.js';
import { describeOnBothBackends } from '../support/backends.js';
import { customerRegistry } from '../support/fleetRegistry.js';
import { createPilot, type Pilot, TENANT } from '../support/pilot.js';

const REGISTRY = { fleet: 'registry', meterCount: undefined, feederCount: undefined };

describeOnBothBackends('registry fleets at their edges', (backend) => {
  let pilot: Pilot;
  beforeEach(async () => {
    pilot = await createPilot(backend);
  });
  afterEach(() => pilot.deployment.close());

  const sql = async (text: string, values: unknown[] = []) =>
    (await pilot.deployment.database.pool.query(text, values)).rows;
  /** Meters of EAST and WEST in turn, `M01` on. */
  const register = async (meters = 20, feeders = ['EAST', 'WEST']): Promise<void> => {
    await sql(
      `INSERT INTO feeders (tenant_id, feeder_id, name) SELECT $1, feeder, 'Feeder ' || feeder FROM unnest($2::text[]) feeder`,
      [TENANT, feeders],
    );
    await sql(
      `INSERT INTO meters (tenant_id, meter_id, feeder_id)
       SELECT $1, 'M' || lpad(n::text, 5, '0'), ($2::text[])[n % cardinality($2::text[]) + 1] FROM generate_series(1, $3::integer) n`,
      [TENANT, feeders, meters],
    );
  };
  const published = (body: object = {}) => pilot.publishAndFinish({ ...REGISTRY, ...body });
  const quickcheck = async () =>
    (await pilot.deployment.http.get(`/api/ami/kpi/quickcheck?tenantId=${TENANT}`)).body;
  /** Meters expected and silent of each feeder, as quickcheck and the views have them; they must agree. */
  const expected = async (): Promise<Record<string, [number, number]>> => {
    const rows = await sql(
      `SELECT feeder_id AS id, expected_meters::integer AS meters, silent_meters::integer AS silent
       FROM ami_feeder_completeness($1, '2026-06-01')`,
      [TENANT],
    );
    const views: Record<string, [number, number]> = Object.fromEntries(
      rows.map(({ id, meters, silent }) => [id, [meters, silent]]),
    );
    const { latestFeeders, reportingSummary } = await quickcheck();
    const dashboard = latestFeeders.map(
      (feeder: { feederId: string; expectedMeters: number; reportingMeters: number }) => [
        feeder.feederId,
        [feeder.expectedMeters, feeder.expectedMeters - feeder.reportingMeters],
      ],
    );
    expect(Object.fromEntries(dashboard)).toEqual(views);
    expect(reportingSummary.expectedMeters).toBe(
      Object.values(views).reduce((sum, [meters]) => sum + meters, 0),
    );
    return views;
  };
  const fleetIds = async (): Promise<string[]> =>
    (await sql('SELECT fleet_id FROM ami_fleets ORDER BY 1')).map((row) => row.fleet_id);
  /** Changes the registry and takes the snapshot of it, in a publish that is then as if it had been refused. */
  const leaveSnapshot = async (change: string): Promise<void> => {
    await sql(change);
    const id = await pilot.publish(REGISTRY);
    await sql('DELETE FROM ami_publishes WHERE publish_id = $1', [id]);
  };
  const upkeep = async () => {
    const { context, database } = pilot.deployment;
    return runUpkeep({
      database: database.pool,
      queue: context.queue,
      readsRetentionDays: undefined,
      ledgerRetentionDays: 35,
      now: () => new Date(),
    });
  };

  it('a snapshot of 25,000 meters runs no trigger for each of them', async () => {
    const keys = await sql(
      `SELECT FROM pg_trigger WHERE tgrelid = 'ami_fleet_meters'::regclass AND tgtype & 4 = 4`,
    );
    expect(keys).toEqual([]);
  });

  it('deletes snapshots that no publish names an hour later, all but the latest', async () => {
    await register();
    await pilot.publish(REGISTRY);
    await leaveSnapshot(`UPDATE meters SET feeder_id = 'EAST' WHERE meter_id = 'M00001'`);
    await leaveSnapshot(`DELETE FROM meters WHERE meter_id = 'M00002'`);
    const [named, unnamed, latest] = await fleetIds();
    expect(await upkeep()).toMatchObject({ fleetsDeleted: 0 });
    await sql(`UPDATE ami_fleets SET created_at = created_at - interval '61 min'`);
    expect(await upkeep()).toMatchObject({ fleetsDeleted: 1 });
    expect(await fleetIds()).toEqual([named, latest]);
    for (const table of ['ami_fleet_meters', 'ami_fleet_feeders'])
      expect(await sql(`SELECT FROM ${table} WHERE fleet_id = $1`, [unnamed])).toEqual([]);
    expect(await pilot.count('ami_fleet_meters')).toBe(39);
    expect(await upkeep()).toMatchObject({ fleetsDeleted: 0 });
  });

  it('leaves a snapshot that a publish names meanwhile, and a publish whose snapshot is gone takes another', async () => {
    await register();
    await leaveSnapshot('SELECT 1');
    await leaveSnapshot(`DELETE FROM meters WHERE meter_id = 'M00002'`);
    await sql(`UPDATE ami_fleets SET created_at = created_at - interval '61 min'`);
    const { pool } = pilot.deployment.database;
    const [first] = await unnamedSnapshots(pool, 20);
    expect([first]).toEqual((await fleetIds()).slice(0, 1));
    await sql(`INSERT INTO meters (tenant_id, meter_id, feeder_id) VALUES ($1, 'M00002', 'EAST')`, [TENANT]);
    const naming = await pool.connect();
    try {
      await naming.query('BEGIN');
      await naming.query('SELECT FROM ami_fleets WHERE fleet_id = $1 FOR KEY SHARE', [first]);
      expect(await deleteUnnamedSnapshot(pool, first as string)).toBe(false);
      await naming.query('COMMIT');
      // Deleted, and not yet committed, when the publish looks for it.
      await naming.query('BEGIN');
      await naming.query('DELETE FROM ami_fleets WHERE fleet_id = $1', [first]);
      const answering = pilot.publish(REGISTRY);
      await vi.waitFor(async () => {
        const waiting = await sql(`SELECT FROM pg_stat_activity WHERE wait_event = 'transactionid'`);
        expect(waiting).toHaveLength(1);
      });
      await naming.query('COMMIT');
      await answering;
    } finally {
      naming.release();
    }
    const [publish] = await sql('SELECT fleet_id, meter_count FROM ami_publishes');
    expect(publish).toMatchObject({ fleet_id: (await fleetIds()).at(-1), meter_count: 20 });
    expect(publish.fleet_id).not.toBe(first);
    expect(await deleteUnnamedSnapshot(pool, publish.fleet_id)).toBe(false);
  });

  it('knows a feeder by its name before the first publish and after a synthetic one, and says when nobody does', async () => {
    await register();
    const named = async (feederId: string) => {
      const { status, body } = await pilot.event('theft', { feederId });
      expect(status).toBe(201);
      return [body.event.feederId, body.safetyWarnings];
    };
    expect(await named('Feeder EAST')).toEqual(['EAST', []]);
    expect(await named('WEST')).toEqual(['WEST', []]);
    expect(await named('FEEDER_7')).toEqual(['FEEDER_7', []]);
    expect(await named('Nowhere')).toEqual([
      'Nowhere',
      [
        'feederId Nowhere is not a feeder of the registry, nor FEEDER_1 to FEEDER_40 as in a synthetic fleet: the event shows once a fleet with that feeder is published.',
      ],
    ]);
    await pilot.deployment.startWorker();
    await pilot.publishAndFinish();
    expect(await named('Feeder EAST')).toEqual([
      'EAST',
      [expect.stringContaining('feederId EAST is not one of')],
    ]);
    expect(await named('Nowhere')).toEqual(['Nowhere', [expect.stringContaining('Nowhere is not one of')]]);
    expect(await named('FEEDER_7')).toEqual(['FEEDER_7', []]);
    // A registry without a table of feeders has those of its meters.
    const { pool } = pilot.deployment.database;
    const { tenantId, feeder, meterId } = ownMapping('public').registry.meters;
    const meters = customerRegistry({ name: 'meters', tenantId, feeder, meterId }, null);
    expect(await findFeederId(pool, meters, TENANT, 'EAST')).toBe('EAST');
    expect(await findFeederId(pool, meters, TENANT, 'Feeder EAST')).toBeUndefined();
  });

  it('a meter that moved between two publishes of one interval is not silent: the first one’s reads stand', async () => {
    await register();
    await pilot.deployment.startWorker();
    await published();
    await sql(`UPDATE meters SET feeder_id = 'EAST' WHERE meter_id = 'M00001'`);
    await published();
    expect(await expected()).toEqual({ EAST: [10, 0], WEST: [10, 0] });
  });

  it('an interval published both ways expects both, and an event revises the one that has its feeder', async () => {
    await register(20, ['EAST', 'FEEDER_7']);
    // The synthetic fleet's 9 meters of FEEDER_7, and one more.
    await sql(
      `UPDATE meters SET meter_id = $1 || '-MTR-' || lpad((5 * substr(meter_id, 2)::integer + 2)::text, 5, '0')
       WHERE feeder_id = 'FEEDER_7'`,
      [TENANT],
    );
    await pilot.deployment.startWorker();
    await pilot.publishAndFinish({ meterCount: 95 });
    await published();
    const both = await expected();
    expect(Object.keys(both)).toHaveLength(11);
    expect(both).toMatchObject({ EAST: [10, 0], FEEDER_1: [10, 0], FEEDER_6: [9, 0], FEEDER_7: [10, 0] });
    for (const feederId of ['EAST', 'Feeder EAST', 'FEEDER_3']) {
      const { status, body } = await pilot.event('theft', { feederId, applyNow: true });
      expect([status, body.revision.computedMeters, body.safetyWarnings]).toEqual([201, 10, []]);
      const { rows } = await pilot.finished(body.revision.publishId);
      expect(rows).toMatchObject({ updated: 10 });
    }
    await sql(`DELETE FROM meter_reads_electric WHERE feeder_id = 'EAST' AND meter_id < 'M00008'`);
    expect((await expected()).EAST).toEqual([10, 3]);
  });

  it('a dry run that comes too late leaves no doubt: nothing was accepted', async () => {
    deployBudget();
    await register();
    const blocking = await pilot.deployment.database.pool.connect();
    try {
      await blocking.query('BEGIN; LOCK TABLE meters');
      const { status, body } = await pilot.deployment.post('/api/ami/publish-once', {
        tenantId: TENANT,
        fleet: 'registry',
        dryRun: true,
      });
      expect([status, body.code]).toEqual([503, 'unavailable']);
      expect(body.error).not.toContain('accepted');
    } finally {
      await blocking.query('ROLLBACK');
      blocking.release();
    }
  });
});
