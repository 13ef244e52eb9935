import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { importTools, PLAIN } from '../imports/importTools.js';
import { describeOnBothBackends } from '../support/backends.js';
import { createPilot, type Pilot, TENANT } from '../support/pilot.js';
import { differenceQuery, type ROLLUPS } from '../support/plainKpis.js';
import { waitFor } from '../support/waitFor.js';

const ROOFS = { meterCount: 40, feederCount: 10, der: { pv: 1 } };
const at = (time: string) => new Date(`2026-06-01T${time}:00Z`);

describeOnBothBackends('sums of what is fed in', (backend) => {
  let pilot: Pilot;
  const sql = async (text: string, values: unknown[] = []) =>
    (await pilot.deployment.database.pool.query(text, values)).rows;
  beforeAll(async () => {
    pilot = await createPilot(backend);
    await pilot.deployment.startWorker();
  });
  beforeEach(() => pilot.forgetAll());
  afterAll(() => pilot.deployment.close());

  /** What the rollups have is what the reads have, to the last digit. */
  const fedIn = async (): Promise<number> => {
    for (const name of ['ami_feeder_intervals', 'ami_feeder_days'] satisfies (keyof typeof ROLLUPS)[])
      expect(await sql(differenceQuery(name), [TENANT]), name).toEqual([]);
    const [found] = await sql(
      'SELECT sum(received_kwh)::float8 AS kwh FROM ami_feeder_days WHERE tenant_id = $1',
      [TENANT],
    );
    return found.kwh;
  };
  const quickcheck = async () =>
    (await pilot.deployment.http.get(`/api/ami/kpi/quickcheck?tenantId=${TENANT}`)).body;
  /** Sun over the homes: 18:00 in UTC is noon in the middle of the continent. */
  const publish = (time: string) => {
    pilot.setClock(new Date(at(time).getTime() + 420_000));
    return pilot.publishAndFinish({ ...ROOFS, timeZone: 'America/Chicago' });
  };

  it('are right after a publish, and after an event that revises it', async () => {
    await publish('18:00');
    const before = await fedIn();
    expect(before).toBeGreaterThan(1);
    const shown = await quickcheck();
    expect(shown.latest.receivedKwh).toBeCloseTo(before, 9);
    expect(shown.overview[0].receivedKwh).toBeCloseTo(before, 9);
    // Somebody has overwritten a read meanwhile; the revision puts it right.
    await sql(`UPDATE meter_reads_electric SET received_kwh = 99 WHERE feeder_id = 'FEEDER_1'`);
    expect(await fedIn()).toBeGreaterThan(before + 300);
    const answer = await pilot.event('theft', {
      ...{ feederId: 'FEEDER_1', severity: 0.5, startAt: at('18:00'), applyNow: true },
    });
    expect(answer.status).toBe(201);
    await pilot.finished(answer.body.revision.publishId);
    // What is stolen is of what was drawn.
    expect(await fedIn()).toBeCloseTo(before, 9);
    expect((await quickcheck()).latest.receivedKwh).toBeCloseTo(before, 9);
  });

  it('are right when reads are held back, and delivered late', async () => {
    await publish('18:00');
    const whole = await fedIn();
    await pilot.forgetAll();
    const outage = {
      feederId: 'FEEDER_2',
      severity: 1,
      delivery: 'late',
      startAt: at('17:55'),
      durationMinutes: 15,
    };
    expect((await pilot.event('comms-outage', outage)).status).toBe(201);
    await publish('18:00');
    expect(await fedIn()).toBeLessThan(whole);
    pilot.setClock(at('19:30'));
    await waitFor('everything to be delivered', async () => {
      const open = await sql(`SELECT FROM ami_held_reads WHERE state IN ('held', 'sent')`);
      return open.length === 0;
    });
    expect(await fedIn()).toBeCloseTo(whole, 9);
  });

  it('are right when a file of reads comes in, and when a later one takes its place', async () => {
    const tools = importTools(() => pilot.deployment.context, TENANT);
    const given = {
      ...PLAIN.given,
      values: [
        { column: 'kwh', channel: 'kwh', unit: 'kWh' },
        { column: 'received', channel: 'receivedKwh', unit: 'kWh' },
      ],
    } as const;
    const file = (received: string) =>
      tools.text(
        `meter,start,kwh,received\nA,2026-05-30T10:00Z,1.5,${received}\nA,2026-05-30T10:15Z,1.25,0.0625\nB,2026-05-30T10:00Z,1,\n`,
        { given } as never,
      );
    await file('0.125');
    expect(await fedIn()).toBe(0.1875);
    await file('0.375');
    expect(await fedIn()).toBe(0.4375);
    const [day] = await sql(
      'SELECT received_reads::integer AS reads FROM ami_feeder_days WHERE tenant_id = $1',
      [TENANT],
    );
    expect(day).toEqual({ reads: 2 });
  });
});
