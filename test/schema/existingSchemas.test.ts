import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { BackendName } from '../support/backends.js';
import {
  type CustomerDatabase,
  type CustomerDeployment,
  createCustomerDatabase,
  runMigrate,
  startOver,
} from '../support/customerDatabase.js';
import { EXISTING_CASES } from './existing/cases.js';
import { type CatalogSnapshot, catalogDifference, catalogSnapshot } from './existing/catalogLines.js';
import type { ExistingCase } from './existing/existingCase.js';
import { foundMapping } from './existing/foundMapping.js';
import { asPlanned, isOurs, plannedObjects } from './existing/plan.js';
import { type CanonicalRead, readsAt, readsOfDay } from './existing/readsAt.js';
import { dumpRows, type RowDump } from './existing/rowDump.js';

const READ_AT = '2026-06-01T10:00:00.000Z';
const NEXT = '2026-06-01T10:15:00.000Z';
const EARLIER = '2026-06-01T09:00:00.000Z';
/** A day on which the fixtures have reads. */
const DAY_BEFORE = '2026-05-31';
const NOTHING = { added: [], lost: [] };

// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field, as a dashboard would
type Answer = any;

const ON_BACKENDS = EXISTING_CASES.flatMap((one): [string, BackendName, ExistingCase][] => [
  [one.file, 'postgres', one],
  // The queue knows nothing of the schema: one is enough to see that no SQL of it is needed.
  ...(one.file.startsWith('02') ? [[one.file, 'redis', one] as [string, BackendName, ExistingCase]] : []),
]);

for (const [file, backend, one] of ON_BACKENDS) {
  describe.skipIf(backend === 'redis' && inject('redisUrl') === undefined)(
    `${file} (${backend} queue)`,
    () => {
      const { tenant, feeder, registry } = one;
      const fleet = registry
        ? { fleet: 'registry' }
        : { fleet: 'synthetic', meterCount: 50, feederCount: 10 };
      const published = registry?.published ?? 50;
      let clock = new Date('2026-06-01T10:07:00Z');
      let database: CustomerDatabase;
      let deployment: CustomerDeployment | undefined;
      let catalog: CatalogSnapshot;
      let rows: RowDump;
      let planned: string[];
      beforeAll(async () => {
        database = await createCustomerDatabase(one, one.asRole);
        [catalog, rows] = [await catalogSnapshot(database.admin), await dumpRows(database.admin)];
      });
      afterAll(async () => {
        await deployment?.stop();
        await database.drop();
      });

      const started = (): CustomerDeployment => {
        if (!deployment) throw new Error('it has not started');
        return deployment;
      };
      const publish = async (body: object) => {
        const answer = await started().post('/api/ami/publish-once', { tenantId: tenant, ...fleet, ...body });
        expect(answer.status, JSON.stringify(answer.body)).toBe(202);
        const progress = await started().finished(answer.body.publishId);
        expect(progress, JSON.stringify(progress)).toMatchObject({ state: 'done' });
        return { answer: answer.body as Answer, progress };
      };
      const event = async (type: string, body: object = {}) => {
        const answer = await started().post(`/api/ami/event/${type}`, {
          tenantId: tenant,
          feederId: feeder.id,
          durationMinutes: 60,
          severity: 0.8,
          ...body,
        });
        expect(answer.status, JSON.stringify(answer.body)).toBe(201);
        if (answer.body.revision) await started().finished(answer.body.revision.publishId);
      };
      const quickcheck = async (): Promise<Answer> => {
        const answer = await started().http.get('/api/ami/kpi/quickcheck').query({ tenantId: tenant });
        expect(answer.status, JSON.stringify(answer.body)).toBe(200);
        return answer.body;
      };
      const feederIn = (answer: Answer) =>
        answer.latestFeeders.find(({ feederId }: Answer) => feederId === feeder.id);
      const othersIn = (answer: Answer) =>
        answer.latestFeeders.filter(({ feederId }: Answer) => feederId !== feeder.id);
      const reads = (readAt: string) => readsAt(database.admin, one.reads, tenant, readAt);
      const ofFeeder = (all: Map<string, CanonicalRead>) =>
        [...all.values()].filter(({ feederId }) => feederId === feeder.id);

      const expectDayBefore = async (): Promise<void> => {
        const { overview } = await quickcheck();
        const { count, kwh } = await readsOfDay(database.admin, one.reads, tenant, DAY_BEFORE);
        const day = overview.find((row: Answer) => row.day === DAY_BEFORE);
        expect(day).toMatchObject({ reads: count });
        expect(day.kwh).toBeCloseTo(kwh, 2);
      };

      it('a plan says what would be added and changes nothing', async () => {
        [catalog, rows] = [await catalogSnapshot(database.admin), await dumpRows(database.admin)];
        const { code, stdout, stderr } = await runMigrate(
          database,
          ['--plan'],
          backend === 'redis' ? { REDIS_URL: inject('redisUrl') as string } : {},
        );
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        expect(catalogDifference(catalog, await catalogSnapshot(database.admin))).toEqual(NOTHING);
        expect(await dumpRows(database.admin, rows)).toEqual(rows);
        planned = plannedObjects(stdout);
      });

      it('the first start adds exactly that, and what the utility had is as it was', async () => {
        deployment = await startOver(database, backend, () => clock);
        const difference = catalogDifference(catalog, await catalogSnapshot(database.admin));
        expect(difference.lost).toEqual([]);
        expect(asPlanned(difference.added)).toEqual(planned);
        expect(difference.added.filter((object) => !isOurs(object, one))).toEqual([...one.repairs].sort());
        expect(await dumpRows(database.admin, rows)).toEqual(rows);
        expect(foundMapping(deployment.context.schema)).toEqual(foundMapping(one));
      });

      it('the reads there were count in the key figures', async () => {
        const { overview } = await quickcheck();
        const { count, kwh } = await readsOfDay(database.admin, one.reads, tenant, DAY_BEFORE);
        const day = overview.find((row: Answer) => row.day === DAY_BEFORE);
        expect(day).toMatchObject({ reads: count });
        expect(day.kwh).toBeCloseTo(kwh, 2);
      });

      it('a publish writes a read of each meter on a feeder, and the same again nothing', async () => {
        const { answer, progress } = await publish({});
        expect(answer).toMatchObject({ computedMeters: published, readAt: READ_AT });
        if (registry) expect(answer.safetyWarnings.join(' ')).toMatch(/left out/);
        expect(progress.rows).toMatchObject({ inserted: published, duplicate: 0 });
        const written = await reads(READ_AT);
        expect(written.size).toBe(published);
        expect(ofFeeder(written)).toHaveLength(feeder.meters);
        for (const read of written.values()) {
          expect(read.kwh).toBeGreaterThanOrEqual(0);
          expect(read.deliveredKwh).toBeGreaterThanOrEqual(read.kwh * 0.9);
          expect(read.voltage).toBeGreaterThan(105);
          expect(read.voltage).toBeLessThan(135);
          expect(read.isLow).toBe(read.voltage < 114);
        }
        expect((await publish({})).progress.rows).toMatchObject({ inserted: 0, duplicate: published });
        expect(await reads(READ_AT)).toEqual(written);
      });

      it('the series of its feeder and of a meter on it show what was written', async () => {
        const ask = async (path: string): Promise<Answer> => {
          const query = { tenantId: tenant, from: READ_AT, to: NEXT };
          const answer = await started().http.get(`/api/ami/kpi/${path}/intervals`).query(query);
          expect(answer.status, JSON.stringify(answer.body)).toBe(200);
          return answer.body;
        };
        const written = [...(await reads(READ_AT))].filter(([, { feederId }]) => feederId === feeder.id);
        const sum = written.reduce((total, [, { kwh }]) => total + kwh, 0);
        const ofItsFeeder = await ask(`feeders/${encodeURIComponent(feeder.id)}`);
        expect(ofItsFeeder).toMatchObject({ times: [READ_AT], reportingMeters: [feeder.meters] });
        expect(ofItsFeeder.kwh[0]).toBeCloseTo(sum, 2);
        const [meterId, read] = written[0] as [string, CanonicalRead];
        const ofMeter = await ask(`meters/${encodeURIComponent(meterId)}`);
        expect(ofMeter).toMatchObject({ times: [READ_AT], feederId: feeder.id });
        expect(ofMeter.kwh[0]).toBeCloseTo(read.kwh, 2);
        expect(ofMeter.voltage[0]).toBeCloseTo(read.voltage, 1);
      });

      it('a theft shows on its feeder and on no other', async () => {
        const [before, stored] = [await quickcheck(), await reads(READ_AT)];
        expect(before.reportingSummary).toMatchObject({ intervalStart: READ_AT, reportingMeters: published });
        await event('theft', { applyNow: true });
        const [after, revised] = [await quickcheck(), await reads(READ_AT)];
        expect(feederIn(after)).toMatchObject({ reportingMeters: feeder.meters, activeEvents: ['theft'] });
        expect(feederIn(after).lossPct).toBeGreaterThan(feederIn(before).lossPct + 40);
        expect(othersIn(after)).toEqual(othersIn(before));
        for (const [meterId, read] of stored) {
          const now = revised.get(meterId);
          // Narrow types round what is taken away: a hundredth of a kWh is the coarsest there is.
          if (read.feederId === feeder.id)
            expect(Math.abs((now?.kwh ?? 0) - read.kwh * 0.2)).toBeLessThan(0.011);
          else expect(now).toEqual(read);
        }
      });

      it('a sag puts voltage and flags of its feeder low', async () => {
        await event('voltage-sag', { applyNow: true });
        for (const read of (await reads(READ_AT)).values()) {
          if (read.feederId !== feeder.id) continue;
          expect(read.voltage).toBeGreaterThanOrEqual(90);
          expect(read.voltage).toBeLessThan(114);
          expect(read.isLow).toBe(true);
        }
        expect(feederIn(await quickcheck())).toMatchObject({ lowVoltageMeters: feeder.meters });
      });

      it('an outage keeps the next reads of its feeder away', async () => {
        clock = new Date('2026-06-01T10:16:00Z');
        await event('comms-outage', { severity: 1 });
        const { progress } = await publish({ readAt: NEXT });
        expect(progress.rows).toMatchObject({
          inserted: published - feeder.meters,
          skippedByOutage: feeder.meters,
        });
        expect(ofFeeder(await reads(NEXT))).toEqual([]);
        expect(feederIn(await quickcheck())).toMatchObject({
          reportingMeters: 0,
          expectedMeters: feeder.meters,
        });
      });

      it('the other fleet is published where its ids fit, and refused where not', async () => {
        const other = registry
          ? { fleet: 'synthetic', meterCount: 50, feederCount: 10 }
          : { fleet: 'registry', meterCount: undefined, feederCount: undefined };
        if (registry && one.synthetic) {
          expect((await publish({ ...other, readAt: EARLIER })).progress.rows).toMatchObject({
            inserted: 50,
          });
          expect((await reads(EARLIER)).size).toBe(50);
          return;
        }
        const body = { tenantId: tenant, ...other, readAt: EARLIER };
        const answer = await started().post('/api/ami/publish-once', body);
        expect(answer.status, JSON.stringify(answer.body)).toBe(400);
        expect(answer.body.code).toBe(registry ? 'fleet_unavailable' : 'registry_empty');
      });

      it("the key figures follow what the utility's own programs change", async () => {
        const { table, readAt } = one.reads;
        const kwh = `"${one.columns.kwh}"`;
        const asLoader = one.hasLoader ? `SET LOCAL ROLE ${database.role}_loader;` : '';
        await database.admin.query(`${asLoader}
          UPDATE ${table} SET ${kwh} = ${kwh} + 1 WHERE ${readAt} = '${DAY_BEFORE}T06:00Z';
          DELETE FROM ${table} WHERE ${readAt} = '${DAY_BEFORE}T12:00Z';`);
        await expectDayBefore();
      });

      it('the next start changes nothing', async () => {
        await deployment?.stop();
        deployment = undefined;
        // Events are let expire by the worker whenever it runs, by the real clock.
        const theirs: RowDump = new Map([...rows].filter(([table]) => !table.endsWith('.ami_events')));
        const [catalogThen, rowsThen] = [
          await catalogSnapshot(database.admin),
          await dumpRows(database.admin, theirs),
        ];
        deployment = await startOver(database, backend, () => clock, false);
        expect(catalogDifference(catalogThen, await catalogSnapshot(database.admin))).toEqual(NOTHING);
        expect(await dumpRows(database.admin, theirs)).toEqual(rowsThen);
        expect(foundMapping(deployment.context.schema)).toEqual(foundMapping(one));
      });
    },
  );
}
