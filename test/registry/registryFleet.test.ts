import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withTransaction } from '../../src/db/db.js';
import { batchPayload } from '../../src/ledger/batchPayload.js';
import { type OverdueBatch, overdueBatches, recordPublishes } from '../../src/ledger/publishLedger.js';
import { restoreLostBatches } from '../../src/publishing/lostBatches.js';
import { currentFleet } from '../../src/registry/currentFleet.js';
import { snapshotBatch } from '../../src/registry/snapshots.js';
import { findFeederId } from '../../src/registry/survey.js';
import { ownMapping } from '../../src/schema/detect/ownMapping.js';
import type { ColumnKind, MappedColumn, RegistryMapping } from '../../src/schema/mapping.js';
import { scoreSuspicion } from '../../src/score/score.js';
import { describeOnBothBackends } from '../support/backends.js';
import { openPool } from '../support/openPool.js';
import { createPilot, measured, ofFeeder, type Pilot, TENANT } from '../support/pilot.js';

const NEXT = new Date('2026-06-01T10:16:00Z');
/** In byte order; none is named as the synthetic fleet's are. */
const FEEDERS = ['EAST', 'North 1', 'Zürich', 'b-west'];
const REGISTRY = { fleet: 'registry', meterCount: undefined, feederCount: undefined };

describeOnBothBackends('a registry fleet', (backend) => {
  let pilot: Pilot;
  beforeEach(async () => {
    pilot = await createPilot(backend);
  });
  afterEach(() => pilot.deployment.close());

  const sql = async (text: string, values: unknown[] = []) =>
    (await pilot.deployment.database.pool.query(text, values)).rows;
  /** Meters `M01`… of 30, in turn on the four feeders; their order is none that a table has by itself. */
  const register = async (meters = 30, tenantId = TENANT): Promise<void> => {
    await sql(
      `INSERT INTO feeders (tenant_id, feeder_id, name) SELECT $1, feeder, 'Feeder ' || feeder FROM unnest($2::text[]) feeder`,
      [tenantId, FEEDERS],
    );
    await sql(
      `INSERT INTO meters (tenant_id, meter_id, feeder_id)
       SELECT $1, 'M' || lpad(n::text, 2, '0'), ($2::text[])[n % 4 + 1] FROM generate_series(1, $3::integer) n ORDER BY md5(n::text)`,
      [tenantId, FEEDERS, meters],
    );
  };
  const publish = (body: object = {}) =>
    pilot.deployment.post('/api/ami/publish-once', { tenantId: TENANT, fleet: 'registry', ...body });
  const published = (body: object = {}) => pilot.publishAndFinish({ ...REGISTRY, ...body });
  const quickcheck = async () =>
    (await pilot.deployment.http.get(`/api/ami/kpi/quickcheck?tenantId=${TENANT}`)).body;
  const feedersOf = async () => {
    const { latestFeeders } = await quickcheck();
    return Object.fromEntries(latestFeeders.map((feeder: { feederId: string }) => [feeder.feederId, feeder]));
  };
  const tables = ['ami_fleets', 'ami_fleet_meters', 'ami_fleet_feeders', 'ami_publishes'];
  const written = async () => Promise.all(tables.map((table) => pilot.count(table)));

  it('publishes each meter on its own feeder, in jobs that carry no list of them', async () => {
    await register();
    await register(3, 'SOMEONE_ELSE');
    await sql(`UPDATE meters SET is_active = false WHERE tenant_id = $1 AND meter_id = 'M01'`, [TENANT]);
    await sql(
      `INSERT INTO meters (tenant_id, meter_id, feeder_id) VALUES ($1, 'M40', NULL), ($1, 'M41', 'nowhere')`,
      [TENANT],
    );
    const answer = await publish({ batchSize: 10, feederCount: 12 });
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ computedMeters: 29, computedFeederCount: 4, computedBatches: 3 });
    expect(answer.body.safetyWarnings).toEqual([
      '1 meter of the registry is inactive and left out.',
      '2 meters of the registry are on no known feeder and left out.',
      "feederCount 12 is ignored: a registry fleet is on the registry's own feeders, here 4.",
    ]);
    const line = await sql('SELECT position, feeder_id, meter_id FROM ami_fleet_meters ORDER BY position');
    const names = line.map((row) => `${row.feeder_id}/${row.meter_id}`);
    expect(names).toEqual(names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    expect(line.map((row) => row.position)).toEqual(names.map((_, index) => index));

    const [batch] = (await overdueBatches(pilot.deployment.database.pool, 'live', -3_600, 10)) as [
      OverdueBatch,
    ];
    const payload = JSON.stringify(batchPayload(batch, batch.batch));
    expect(payload.length).toBeLessThan(450);
    expect(payload).not.toContain('M0');

    await pilot.deployment.startWorker();
    expect((await pilot.finished(answer.body.publishId)).rows).toMatchObject({ inserted: 29 });
    const reads = [...(await pilot.reads()).values()].map(({ meterId: id, feederId }) => `${feederId}/${id}`);
    expect(reads.toSorted()).toEqual(names.toSorted());
    const logged = pilot.deployment.logLines.filter((entry) => entry.msg === 'batch written');
    for (const entry of logged) expect(FEEDERS).toEqual(expect.arrayContaining(entry.feederIds as string[]));
  });

  it('makes the reads of the synthetic fleet for meters named and placed like its', async () => {
    await pilot.deployment.startWorker();
    await pilot.publishAndFinish();
    const synthetic = await pilot.reads();
    await pilot.deployment.database.truncate('meter_reads_electric');
    await sql(
      `INSERT INTO feeders (tenant_id, feeder_id) SELECT $1, 'FEEDER_' || n FROM generate_series(1, 10) n`,
      [TENANT],
    );
    for (const { meterId: id, feederId } of synthetic.values())
      await sql('INSERT INTO meters (tenant_id, meter_id, feeder_id) VALUES ($1, $2, $3)', [
        TENANT,
        id,
        feederId,
      ]);
    await published({ batchSize: 37 });
    const registry = await pilot.reads();
    expect([...registry.values()].map(measured)).toEqual([...synthetic.values()].map(measured));
  });

  it('a dry run says what a publish would do and writes nothing', async () => {
    await register();
    const dry = await publish({ dryRun: true, batchSize: 7 });
    expect(dry.status).toBe(200);
    expect(dry.body).toMatchObject({ computedMeters: 30, computedFeederCount: 4, estimatedJobs: 5 });
    expect(await written()).toEqual([0, 0, 0, 0]);
    expect(await pilot.deployment.context.queue.counts()).toMatchObject({ waiting: 0, delayed: 0 });
    const { body } = await publish({ batchSize: 7 });
    expect(body.computedBatches).toBe(5);
  });

  it('refuses an empty registry, and says in which way it is empty', async () => {
    const refused = async (): Promise<string> => {
      for (const dryRun of [true, false]) {
        const { status, body } = await publish({ dryRun });
        expect([status, body.code, body.details[0].path]).toEqual([400, 'registry_empty', 'fleet']);
        expect(body.error).toContain(TENANT);
        if (!dryRun) return body.error;
      }
      return '';
    };
    await register(2, 'SOMEONE_ELSE');
    expect(await refused()).toContain(`npm run fleet -- synthesize --tenant ${TENANT}`);
    await sql(`INSERT INTO meters (tenant_id, meter_id, feeder_id) VALUES ($1, 'A', 'nowhere')`, [TENANT]);
    expect(await refused()).toContain('none of the 1 active meters');
    await sql('UPDATE meters SET is_active = false');
    expect(await refused()).toContain('active: set them active there');
    expect(await written()).toEqual([0, 0, 0, 0]);
  });

  it('takes one snapshot of a registry, however many publish it at once, and another when it has changed', async () => {
    await register();
    const otherProcess = openPool({ connectionString: pilot.deployment.database.url, max: 10 });
    try {
      const [answers, fleets] = await Promise.all([
        Promise.all(Array.from({ length: 10 }, () => publish())),
        Promise.all(
          Array.from({ length: 10 }, () => currentFleet(otherProcess, ownMapping('public').registry, TENANT)),
        ),
      ]);
      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(202));
      expect(new Set(fleets.map(({ snapshotId }) => snapshotId)).size).toBe(1);
      expect(await written()).toEqual([1, 30, 4, 10]);
      await sql(`DELETE FROM meters WHERE meter_id = 'M07'`);
      expect((await publish()).body.computedMeters).toBe(29);
      expect(await pilot.count('ami_fleets')).toBe(2);
      await sql(`INSERT INTO meters (tenant_id, meter_id, feeder_id) VALUES ($1, 'M07', 'b-west')`, [TENANT]);
      expect((await publish()).body.computedMeters).toBe(30);
      expect(await pilot.count('ami_fleets')).toBe(2);
    } finally {
      await otherProcess.end();
    }
  });

  it('lets meters join, leave and move with the next publish, and not with one that was accepted before', async () => {
    await register();
    const first = await pilot.publish({ ...REGISTRY, batchSize: 9 });
    await sql(`INSERT INTO meters (tenant_id, meter_id, feeder_id) VALUES ($1, 'M00', 'EAST')`, [TENANT]);
    await sql(`DELETE FROM meters WHERE meter_id = 'M02'`);
    await sql(`UPDATE meters SET feeder_id = 'b-west' WHERE meter_id = 'M04'`);
    pilot.setClock(NEXT);
    const second = await pilot.publish({ ...REGISTRY, batchSize: 9 });
    await pilot.deployment.startWorker();
    await pilot.finished(first);
    await pilot.finished(second);
    const before = await pilot.reads();
    const after = await pilot.reads('2026-06-01T10:15:00Z');
    expect([before.size, after.size]).toEqual([30, 30]);
    expect([before.has('M00'), before.has('M02'), before.get('M04')?.feederId]).toEqual([
      false,
      true,
      'EAST',
    ]);
    expect([after.has('M00'), after.has('M02'), after.get('M04')?.feederId]).toEqual([true, false, 'b-west']);
    expect(await feedersOf()).toMatchObject({ 'b-west': { expectedMeters: 8, reportingMeters: 8 } });
  });

  it('publishes the first meters of the line when asked for some, and says when there are not as many', async () => {
    await register();
    const some = await publish({ meterCount: 10 });
    expect(some.body).toMatchObject({ computedMeters: 10, computedFeederCount: 2, safetyWarnings: [] });
    const more = await publish({ meterCount: 600 });
    expect(more.body).toMatchObject({ computedMeters: 30, computedFeederCount: 4 });
    expect(more.body.safetyWarnings).toEqual([
      'meterCount was lowered from 600 to 30: the registry has no more meters that can be published.',
    ]);
    expect(await pilot.count('ami_fleets')).toBe(1);
  });

  it('shows a theft on a feeder known by its name, at once, in quickcheck and in the score', async () => {
    await register();
    await pilot.deployment.startWorker();
    await published();
    const before = await pilot.reads();
    const theft = await pilot.event('theft', { feederId: 'Feeder North 1', applyNow: true, severity: 0.9 });
    expect(theft.status).toBe(201);
    expect(theft.body).toMatchObject({ event: { feederId: 'North 1' }, revision: { computedMeters: 8 } });
    await pilot.finished(theft.body.revision.publishId);
    const after = await pilot.reads();
    const feeders = await feedersOf();
    expect(feeders['North 1'].lossPct).toBeGreaterThan(80);
    expect(feeders['North 1'].activeEvents).toEqual(['theft']);
    expect(feeders.EAST.lossPct).toBeLessThan(12);
    for (const read of before.values())
      if (read.feederId !== 'North 1') expect(after.get(read.meterId)).toEqual(read);
    const score = await scoreSuspicion(pilot.deployment.database.pool, TENANT);
    expect(score).toMatchObject({ injected: 8, precision: 1, missed: [] });
  });

  it("reads a customer's own tables, where a meter may stand twice and a feeder has a key, a code and a name", async () => {
    await sql(`CREATE TABLE circuits (id integer, code text, name text);
      INSERT INTO circuits VALUES (1, 'C-1', 'Old town'), (2, 'C-2', 'Harbour'), (3, 'C-3', 'Harbour'), (4, 'C-4', 'C-1');
      CREATE TABLE service_points (serial bigint, circuit integer);
      INSERT INTO service_points VALUES (10, 2), (9, 1), (10, 1), (10, 1), (11, NULL), (12, 7)`);
    const text = (name: string, kind: ColumnKind = 'text') =>
      ({ ...ownMapping('public').registry.meters.meterId, name, kind, type: kind }) as MappedColumn;
    const registry: RegistryMapping = {
      meters: {
        table: { schema: 'public', name: 'service_points' },
        own: false,
        tenantId: null,
        meterId: text('serial', 'integer'),
        feeder: text('circuit', 'integer'),
        isActive: null,
      },
      feeders: {
        table: { schema: 'public', name: 'circuits' },
        own: false,
        tenantId: null,
        key: text('id', 'integer'),
        feederId: text('code'),
        aliases: [text('name')],
      },
    };
    const { pool } = pilot.deployment.database;
    const { survey, snapshotId } = await currentFleet(pool, registry, TENANT);
    expect(survey).toMatchObject({ meters: 4, inactive: 0, withoutFeeder: 2, repeated: 1, feeders: 1 });
    expect(await snapshotBatch(pool, snapshotId as string, 0, 2)).toEqual({
      syntheticFeederCount: null,
      runs: [{ feederId: 'C-1', meterIds: ['10', '9'] }],
    });
    const found = (name: string) => findFeederId(pool, registry, TENANT, name);
    expect([await found('C-2'), await found('2'), await found('Old town')]).toEqual(['C-2', 'C-2', 'C-1']);
    // An id comes before a name; the name of two feeders is none's.
    expect([await found('C-1'), await found('Harbour'), await found('?')]).toEqual([
      'C-1',
      undefined,
      undefined,
    ]);
  });

  it('revises the meters that were published, whatever has become of the registry', async () => {
    await register();
    await pilot.deployment.startWorker();
    await published();
    await sql(`DELETE FROM meters WHERE feeder_id = 'EAST' AND meter_id <> 'M04'`);
    await sql(`INSERT INTO meters (tenant_id, meter_id, feeder_id) VALUES ($1, 'M99', 'EAST')`, [TENANT]);
    const sag = await pilot.event('voltage-sag', { feederId: 'EAST', severity: 1, applyNow: true });
    expect(sag.body.revision.computedMeters).toBe(7);
    await pilot.finished(sag.body.revision.publishId);
    const reads = await pilot.reads();
    expect(reads.size).toBe(30);
    expect(ofFeeder(reads, 'EAST').map(({ voltage }) => voltage < 91)).toEqual(Array(7).fill(true));
  });

  it('follows a synthetic fleet and is followed by one, each interval with its own feeders', async () => {
    await register();
    await pilot.deployment.startWorker();
    await pilot.publishAndFinish();
    pilot.setClock(NEXT);
    await published();
    expect(Object.keys(await feedersOf()).toSorted()).toEqual(FEEDERS.toSorted());
    expect((await quickcheck()).reportingSummary).toMatchObject({ expectedMeters: 30, reportingMeters: 30 });
    const [day] = await sql(
      `SELECT sum(expected_reads)::integer AS expected, sum(arrived_reads)::integer AS arrived,
         count(*)::integer AS feeders FROM ami_feeder_completeness($1, '2026-06-01')`,
      [TENANT],
    );
    expect(day).toEqual({ expected: 530, arrived: 530, feeders: 14 });
    pilot.setClock(new Date('2026-06-01T10:31:00Z'));
    await pilot.publishAndFinish();
    expect(Object.keys(await feedersOf())).toHaveLength(10);
  });

  it('narrows an event to a share of a feeder or to some of its meters, and says which are not there', async () => {
    await register();
    await pilot.deployment.startWorker();
    await published({ batchSize: 3 });
    const before = await pilot.reads();
    const east = ofFeeder(before, 'EAST').map((read) => read.meterId);
    const share = await pilot.event('theft', { feederId: 'EAST', meterFraction: 0.5, applyNow: true });
    await pilot.finished(share.body.revision.publishId);
    const after = await pilot.reads();
    const changed = [...after.values()].filter((read) => read.kwh !== before.get(read.meterId)?.kwh);
    expect(changed).toHaveLength(4);
    for (const read of changed) expect(east).toContain(read.meterId);
    expect(await scoreSuspicion(pilot.deployment.database.pool, TENANT)).toMatchObject({ injected: 4 });

    const named = await pilot.event('voltage-sag', { feederId: 'EAST', meterIds: [east[0], 'M01'] });
    expect(named.body.safetyWarnings).toEqual([
      'Only 1 of the 2 meterIds is on EAST in the latest published fleet: the event does not concern the others.',
    ]);
    const unknown = await pilot.event('theft', { feederId: 'FEEDER_1', applyNow: true });
    expect([unknown.status, unknown.body.error]).toEqual([
      400,
      expect.stringContaining('must be one of EAST, North 1, Zürich, b-west, the feeders of the latest'),
    ]);
  });

  it('expects what its snapshot has: an outage shows as missing meters, in quickcheck and in the views', async () => {
    await register();
    await pilot.deployment.startWorker();
    await pilot.event('comms-outage', { feederId: 'Zürich', severity: 1 });
    await published();
    const { reportingSummary } = await quickcheck();
    expect(reportingSummary).toMatchObject({ expectedMeters: 30, reportingMeters: 22 });
    expect(await feedersOf()).toMatchObject({
      Zürich: { expectedMeters: 8, reportingMeters: 0, reportingPct: 0 },
      EAST: { expectedMeters: 7, reportingMeters: 7, reportingPct: 100 },
    });
    const [overview] = await sql(
      'SELECT expected_meters, completeness_pct FROM v_kpi_electric_overview_daily',
    );
    expect([Number(overview.expected_meters), Number(overview.completeness_pct)]).toEqual([30, 73.333]);
    const expected = await sql(
      `SELECT feeder_id, expected_meters::integer AS meters, silent_meters::integer AS silent
       FROM ami_feeder_completeness($1, '2026-06-01') ORDER BY feeder_id COLLATE "C"`,
      [TENANT],
    );
    expect(expected).toEqual([
      { feeder_id: 'EAST', meters: 7, silent: 0 },
      { feeder_id: 'North 1', meters: 8, silent: 0 },
      { feeder_id: 'Zürich', meters: 8, silent: 8 },
      { feeder_id: 'b-west', meters: 7, silent: 0 },
    ]);
  });

  it('puts back what the queue lost, with the snapshot it was accepted with', async () => {
    await register();
    await pilot.publish(REGISTRY);
    const { pool } = pilot.deployment.database;
    const [accepted] = (await overdueBatches(pool, 'live', -3_600, 10)) as [OverdueBatch];
    expect(accepted.snapshotId).toMatch(/^\d+$/);
    // As if a process had died between ledger and queue: accepted, and in no queue.
    const lost = { ...accepted, publishId: randomUUID(), rangeFrom: 5, rangeTo: 30 };
    const batch = { publishId: lost.publishId, number: 0, tenantId: TENANT, meters: 25, dueInMs: -60_000 };
    await withTransaction(pool, (client) => recordPublishes(client, [lost], [batch]));
    await sql('DELETE FROM meters');
    const { context } = pilot.deployment;
    expect(await restoreLostBatches(context.database, context.queue)).toBe(1);
    await pilot.deployment.startWorker();
    const { rows } = await pilot.finished(lost.publishId);
    expect((rows.inserted ?? 0) + (rows.duplicate ?? 0)).toBe(25);
  });

  it('C4: holds a large registry to the caps of the synthetic fleet, cuts at the end of a feeder, and says what it leaves out', async () => {
    await sql(
      `INSERT INTO feeders (tenant_id, feeder_id) SELECT $1, 'F' || n FROM generate_series(10, 51) n`,
      [TENANT],
    );
    await sql(
      `INSERT INTO meters (tenant_id, meter_id, feeder_id)
       SELECT $1, 'M' || lpad(n::text, 5, '0'), 'F' || n % 42 + 10 FROM generate_series(1, 27000) n`,
      [TENANT],
    );
    const whole = await publish({ batchSize: 600 });
    expect(whole.body).toMatchObject({
      computedMeters: 24_432,
      computedFeederCount: 38,
      computedBatches: 49,
    });
    expect(whole.body.safetyWarnings).toEqual([
      "2 feeders of the registry's 42, with 1284 meters, are left out: a fleet has at most 40 feeders, the first by name.",
      'batchSize was lowered from 600 to 500: a job carries at most 500 meters.',
      '1284 meters of the registry are left out: a publish covers at most 25000 meters, of whole feeders by name.',
    ]);
    expect(await written()).toEqual([1, 24_432, 38, 1]);
    const small = await publish({ batchSize: 100, meterCount: 30_000, dryRun: true });
    expect(small.body).toMatchObject({ computedMeters: 19_932, estimatedJobs: 200 });
    expect(small.body.safetyWarnings.slice(1)).toEqual([
      'meterCount was lowered from 30000 to 25000: a publish covers at most 25000 meters.',
      'meterCount was lowered from 25000 to 20000: a publish enqueues at most 200 jobs, of 100 meters each.',
      'meterCount was lowered from 20000 to 19932: a cap leaves no part of a feeder, here of F41.',
    ]);
  });
});
