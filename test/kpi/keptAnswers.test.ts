import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createKpiService, type KpiService } from '../../src/kpi/quickcheck.js';
import { createKpiVersions } from '../../src/kpi/version.js';
import { ownMapping } from '../../src/schema/detect/ownMapping.js';
import { createPilot, NOW, type Pilot, TENANT } from '../support/pilot.js';
import { waitFor } from '../support/waitFor.js';

/** What is kept from poll to poll, against an answer of a service that has kept nothing. */
describe('kept answers', () => {
  let pilot: Pilot;
  let clock: Date;
  beforeAll(async () => {
    pilot = await createPilot('postgres');
    await pilot.deployment.startWorker();
  });
  afterAll(() => pilot.deployment.close());
  beforeEach(async () => {
    setClock(NOW);
    await pilot.forgetAll();
  });

  const setClock = (now: Date): void => {
    clock = now;
    pilot.setClock(now);
  };
  const pool = () => pilot.deployment.database.pool;
  const service = (): KpiService => createKpiService(pool(), () => clock, ownMapping('public').kpiViews);
  const poll = async (kpi: KpiService) => {
    const tag = await kpi.quickcheckTag(TENANT);
    return { tag, answer: await kpi.quickcheck(TENANT, tag) };
  };

  it('are what a fresh answer is after each kind of write, in each of two processes', async () => {
    const processes = [service(), service()];
    const tags = new Set<string>();
    const expectFresh = async (after: string): Promise<void> => {
      const fresh = await poll(service());
      for (const kpi of processes) expect(await poll(kpi), after).toEqual(fresh);
      // Again, now from what is kept.
      for (const kpi of processes) expect(await poll(kpi), after).toEqual(fresh);
      expect(tags, after).not.toContain(fresh.tag);
      tags.add(fresh.tag);
    };
    const write = async (what: string, sql: string): Promise<void> => {
      // In one transaction: the worker's upkeep forgets meters whenever it likes, which is a change of its own.
      await pool().query(`${sql}; SELECT ami_recheck_meters()`);
      await expectFresh(what);
    };
    await expectFresh('nothing');
    await pilot.publishAndFinish({ readAt: '2026-06-01T09:45:00Z' });
    await expectFresh('a publish');
    await pilot.publishAndFinish({ meterCount: 400 });
    await expectFresh('a publish of fewer meters');
    const event = await pilot.event('theft', { applyNow: true });
    await pilot.finished(event.body.revision.publishId);
    await expectFresh('an event with its revision');
    await write(
      'an insert',
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage)
      SELECT tenant_id, meter_id || 'x', feeder_id, read_at, kwh, delivered_kwh, 110 FROM meter_reads_electric
      WHERE meter_id LIKE '%-00009'`,
    );
    await write('an update', `UPDATE meter_reads_electric SET kwh = kwh / 2 WHERE meter_id LIKE '%-00007'`);
    await write(
      'a moved meter',
      `UPDATE meter_reads_electric SET feeder_id = 'FEEDER_9' WHERE meter_id LIKE '%-00003'`,
    );
    await write('a delete', `DELETE FROM meter_reads_electric WHERE meter_id LIKE '%-00008'`);
    setClock(new Date('2026-06-01T11:08:00Z'));
    await expectFresh('the end of an event');
  });

  it('do not show an event that began while they were worked out', async () => {
    const kpi = service();
    await pilot.publishAndFinish();
    const before = await kpi.quickcheckTag(TENANT);
    await pilot.event('theft', { durationMinutes: 1 });
    expect((await kpi.quickcheck(TENANT, before)).activeEvents).toEqual([]);
    expect((await poll(kpi)).answer.activeEvents).toHaveLength(1);
    setClock(new Date(NOW.getTime() + 60_000));
    const { tag, answer } = await poll(kpi);
    expect([tag, answer.activeEvents]).toEqual([before, []]);
  });

  it('have the tag of before while nobody has written, and another by the clock within a second', async () => {
    await pilot.publishAndFinish();
    const startAt = new Date(NOW.getTime() + 500);
    await pilot.event('theft', { startAt });
    const versionOf = createKpiVersions(pool(), () => clock);
    const before = await versionOf(TENANT);
    // The very same object: the server has not worked it out again.
    await waitFor('a moment in which nobody wrote', async () => {
      const [one, other] = [await versionOf(TENANT), await versionOf(TENANT)];
      return one === other;
    });
    await pool().query('SELECT pg_current_xact_id()');
    const again = await versionOf(TENANT);
    expect(again).not.toBe(before);
    expect(again).toMatchObject({ version: before.version, events: [] });
    setClock(new Date(NOW.getTime() + 1_000));
    expect((await versionOf(TENANT)).events).toHaveLength(1);
  });

  it('cost one question to the database', async () => {
    await pilot.publishAndFinish();
    const database = pool();
    const asked: string[] = [];
    const watched = new Proxy(database, {
      get(target, name) {
        if (name !== 'query') return Reflect.get(target, name);
        return (query: { name: string; text: string }) => {
          asked.push(query.name);
          return target.query(query);
        };
      },
    });
    const kpi = createKpiService(watched, () => NOW, ownMapping('public').kpiViews);
    await poll(kpi);
    expect(asked.length).toBeGreaterThan(8);
    // A transaction of another test has the version worked out anew, and so has the second after which it stands no more.
    await waitFor('a poll that asks for the snapshot alone', async () => {
      asked.length = 0;
      await poll(kpi);
      const questions = asked.join();
      expect(['kpi-snapshot', 'kpi-version', 'kpi-snapshot,kpi-version']).toContain(questions);
      return questions === 'kpi-snapshot';
    });
  });
});
