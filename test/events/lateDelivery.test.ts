import { afterEach, beforeEach, expect, it } from 'vitest';
import { scoreSuspicion } from '../../src/score/score.js';
import { describeOnBothBackends } from '../support/backends.js';
import { createPilot, type Pilot, TENANT } from '../support/pilot.js';
import { differenceQuery, KPI_VIEWS, ROLLUPS } from '../support/plainKpis.js';
import { waitFor } from '../support/waitFor.js';

const INTERVALS = ['10:00', '10:15', '10:30', '10:45', '11:00'];
const at = (time: string) => new Date(`2026-06-01T${time}:00Z`);
const minutesAfter = (time: string, minutes: number) => new Date(at(time).getTime() + minutes * 60_000);

/** What must be as it would have been: the reads but for when they were written, and what is summed up from them. */
const FIGURES = [
  `SELECT meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, quality_flags FROM meter_reads_electric ORDER BY 1, 3`,
  `SELECT ${ROLLUPS.ami_feeder_intervals.columns} FROM ami_feeder_intervals ORDER BY 1, 2`,
  `SELECT ${ROLLUPS.ami_feeder_days.columns} FROM ami_feeder_days ORDER BY 1, 2`,
  `SELECT ${KPI_VIEWS.v_kpi_electric_feeder_loss_daily.columns} FROM v_kpi_electric_feeder_loss_daily ORDER BY 1, 2`,
  `SELECT ${KPI_VIEWS.v_kpi_suspicious_meters_daily.columns} FROM v_kpi_suspicious_meters_daily ORDER BY 1, 2, 3`,
  `SELECT ${KPI_VIEWS.v_kpi_fieldops_daily.columns} FROM v_kpi_fieldops_daily ORDER BY 1, 2`,
];

describeOnBothBackends('late delivery', (backend) => {
  let pilot: Pilot;
  beforeEach(async () => {
    pilot = await createPilot(backend);
  });
  afterEach(() => pilot.deployment.close());

  const sql = async (text: string, values: unknown[] = []) =>
    (await pilot.deployment.database.pool.query(text, values)).rows;
  const figures = async () => JSON.stringify(await Promise.all(FIGURES.map((query) => sql(query))));
  const outage = async (body: object = {}) => {
    const answer = await pilot.event('comms-outage', { severity: 1, delivery: 'late', ...body });
    expect(answer.status).toBe(201);
    return answer.body.event;
  };
  /** Publishes these intervals, each 7 minutes after it began. */
  const publishAll = async (intervals = INTERVALS) => {
    for (const time of intervals) {
      pilot.setClock(minutesAfter(time, 7));
      await pilot.publishAndFinish();
    }
  };
  const holds = async () => {
    const rows = await sql(`SELECT state, sum(reads)::integer AS reads FROM ami_held_reads GROUP BY 1`);
    return Object.fromEntries(rows.map(({ state, reads }) => [state, reads]));
  };
  const lateReads = async (id: string) =>
    (await pilot.deployment.http.get(`/api/ami/events/${id}`)).body.event.lateReads;
  const nothingHeld = () =>
    waitFor('everything to be delivered', async () => {
      const open = await sql(`SELECT FROM ami_held_reads WHERE state IN ('held', 'sent')`);
      return open.length === 0;
    });
  const readsAt = async (time: string, feederId = 'FEEDER_7'): Promise<number> => {
    const [row] = await sql(
      'SELECT count(*)::integer AS n FROM meter_reads_electric WHERE read_at = $1 AND feeder_id = $2',
      [at(time), feederId],
    );
    return row.n;
  };
  /** The figures of the run without outages, after which all is forgotten. */
  const undisturbed = async (before: () => Promise<unknown> = async () => undefined) => {
    await before();
    await publishAll();
    const expected = await figures();
    await pilot.forgetAll();
    return expected;
  };

  it('keeps reads back while the outage lasts, then delivers them out of order; all figures end as without it', async () => {
    const worker = await pilot.deployment.startWorker();
    // All that it takes comes late.
    const theft = { severity: 0.6, startAt: at('10:10'), durationMinutes: 40, meterFraction: 0.2 };
    const expected = await undisturbed(() => pilot.event('theft', theft));
    await pilot.event('theft', theft);
    const event = await outage({ startAt: at('10:05'), durationMinutes: 50 });
    expect(event.delivery).toBe('late');
    await publishAll(INTERVALS.slice(0, 4));
    // 10:05 to 10:55 lies in four intervals, and at 10:52 it lasts.
    expect(await holds()).toEqual({ held: 200 });
    expect(await Promise.all(INTERVALS.map((time) => readsAt(time)))).toEqual([0, 0, 0, 0, 0]);
    expect(JSON.parse(await figures())[0]).toHaveLength(4 * 450);
    expect(await lateReads(event.id)).toEqual({ heldBack: 200, onTheWay: 0, delivered: 0, lost: 0 });

    await publishAll(INTERVALS.slice(4));
    await nothingHeld();
    expect(await lateReads(event.id)).toEqual({ heldBack: 0, onTheWay: 0, delivered: 200, lost: 0 });
    expect(await holds()).toEqual({ delivered: 200 });
    expect(await figures()).toBe(expected);
    for (const name of [...Object.keys(ROLLUPS), ...Object.keys(KPI_VIEWS)] as (keyof typeof ROLLUPS)[])
      expect(await sql(differenceQuery(name), [TENANT]), name).toEqual([]);
    const score = await scoreSuspicion(pilot.deployment.context.database, TENANT);
    expect({ injected: score.injected, right: score.right, named: score.named }).toEqual({
      ...{ injected: 10, right: 10, named: 10 },
    });
    const delivered = await sql(
      `SELECT publish.read_at, publish.is_background, batch.inserted FROM ami_publishes publish
       JOIN ami_publish_batches batch USING (publish_id) WHERE origin = 'late' ORDER BY accepted_at`,
    );
    expect(delivered.every((row) => row.is_background)).toBe(true);
    expect(delivered.reduce((sum, { inserted }) => sum + inserted, 0)).toBe(200);
    const times = delivered.map(({ read_at }) => read_at.getTime());
    expect(times).not.toEqual(times.toSorted());
    await worker.stop();
  });
});
