import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { importTools, PLAIN } from '../imports/importTools.js';
import { describeOnBothBackends } from '../support/backends.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { waitFor } from '../support/waitFor.js';
import { DAY, NOW, TENANT, type VeeTools, veeTools } from './veeTools.js';

describeOnBothBackends('estimates', (backend) => {
  let deployment: Deployment;
  let tools: VeeTools;
  let now = NOW;
  beforeAll(async () => {
    deployment = await createDeployment(backend, {}, () => now);
    await deployment.startWorker();
    tools = veeTools(() => deployment);
  });
  afterEach(async () => {
    now = NOW;
    await tools.forget();
    for (const table of ['meters', 'feeders']) await deployment.database.truncate(table);
  });
  afterAll(() => deployment.close());

  /** Runs with estimates, and waits until they are written. */
  const estimated = async (wanted: object = {}) => {
    const run = await tools.run({ estimate: true, ...wanted });
    await written();
    return run;
  };
  const written = () =>
    waitFor('the estimates to be written', async () => {
      await importTools(() => deployment.context, TENANT).supply();
      const open = await tools.sql('SELECT FROM ami_imports WHERE finished_at IS NULL');
      return open.length === 0;
    });
  const standing = (meterId = 'A') =>
    tools.sql(
      `SELECT to_char(read_at AT TIME ZONE 'UTC', 'DD HH24:MI') AS at, kwh::text, quality, quality_method AS method, feeder_id AS feeder,
         interval_minutes AS minutes
       FROM meter_reads_electric WHERE meter_id = $1 AND quality IS NOT NULL ORDER BY read_at`,
      [meterId],
    );

  it('fill gaps by lines and like days, with feeder, length and method, and are in the sums', async () => {
    await tools.fill(['A', 'B'], '2026-02-10T00:00:00Z', DAY.to);
    await tools.remove('A', '2026-03-10T10:00:00Z', '2026-03-10T10:30:00Z');
    await tools.remove('B', '2026-03-10T12:00:00Z', '2026-03-10T15:00:00Z');
    const run = await estimated();
    expect(run).toMatchObject({ estimated: { linear: 2, 'like-day': 12 }, state: 'done' });
    expect(await standing()).toMatchObject([
      { at: '10 10:00', quality: 'estimated', method: 'linear', feeder: 'FEEDER_1', minutes: 15 },
      { at: '10 10:15', quality: 'estimated', method: 'linear' },
    ]);
    expect(await standing('B')).toHaveLength(12);
    const [day] = await tools.sql(
      `SELECT count(*)::integer AS reads FROM meter_reads_electric WHERE read_at >= $1 AND read_at < $2`,
      [DAY.from, DAY.to],
    );
    expect(day).toEqual({ reads: 192 });
    expect(
      await tools.sql('SELECT sum(reads)::integer AS reads, sum(kwh) AS kwh FROM ami_feeder_days'),
    ).toEqual(
      await tools.sql('SELECT count(*)::integer AS reads, sum(kwh) AS kwh FROM meter_reads_electric'),
    );
    expect(await tools.summary()).toMatchObject({
      estimates: { standing: 14, gaveWay: 0 },
      reads: { arrived: 192, estimated: 14, estimatedPct: 7.292 },
    });
    // Again: what is estimated stays, and nothing is missing.
    expect(await estimated()).toMatchObject({ estimated: {}, findings: {} });
    expect((await tools.summary()).estimates).toEqual({ standing: 14, gaveWay: 0 });
  });

  it('take the place of what failed, and the history has it', async () => {
    await tools.fill(['A'], '2026-02-23T00:00:00Z', DAY.to);
    await tools.change('A', '2026-03-10T12:00:00Z', 'kwh = -5');
    await estimated();
    const [read] = await standing();
    expect(read).toMatchObject({ quality: 'estimated', method: 'linear' });
    expect(Number(read?.kwh)).toBeGreaterThan(0);
    expect(
      await tools.sql(
        'SELECT kwh::text, quality, quality_method AS method FROM ami_replaced_reads ORDER BY replaced_at',
      ),
    ).toEqual([
      { kwh: '-5', quality: null, method: null },
      { kwh: '-5', quality: 'questionable', method: 'negative' },
    ]);
  });

  it('give way to an imported actual, never the other way round', async () => {
    await tools.fill(['A'], '2026-02-23T00:00:00Z', DAY.to);
    await tools.remove('A', '2026-03-10T10:00:00Z', '2026-03-10T10:30:00Z');
    await estimated();
    const [estimate] = await standing();
    const imports = importTools(() => deployment.context, TENANT);
    const done = await imports.text('meter,start,kwh\nA,2026-03-10T10:00:00,0.777\n', PLAIN);
    expect(done.rows).toMatchObject({ replaced: 1, inserted: 0 });
    expect(await standing()).toMatchObject([
      { at: '10 10:00', kwh: '0.777', quality: 'raw' },
      { at: '10 10:15', quality: 'estimated' },
    ]);
    const [former] = await tools.sql(
      `SELECT kwh::text, quality, quality_method AS method FROM ami_replaced_reads`,
    );
    expect(former).toEqual({ kwh: estimate?.kwh, quality: 'estimated', method: 'linear' });
    expect((await tools.summary()).estimates).toEqual({ standing: 1, gaveWay: 1 });
    await estimated();
    expect((await standing())[0]).toMatchObject({ kwh: '0.777', quality: 'raw' });
  });

  it('give way to reads that a publish brings late, and those are in the history too', async () => {
    const publish = { tenantId: TENANT, meterCount: 100, feederCount: 10, batchSize: 100 };
    const at = (time: string) => `2026-03-10T${time}:00.000Z`;
    const publishAt = async (time: string) => {
      const { body } = await deployment.post('/api/ami/publish-once', { ...publish, readAt: at(time) });
      await waitFor('the publish', async () => {
        const answer = await deployment.http.get(`/api/ami/publish/${body.publishId}`);
        return answer.body.state === 'done';
      });
    };
    for (const time of ['10:00', '10:15', '10:30']) await publishAt(time);
    const [meter] = await tools.sql('SELECT min(meter_id) AS id FROM meter_reads_electric');
    await tools.remove(meter?.id, at('10:15'), at('10:30'));
    await estimated({ from: at('10:00'), to: at('11:00') });
    expect(await standing(meter?.id)).toMatchObject([{ at: '10 10:15', method: 'linear' }]);
    await publishAt('10:15');
    expect(await standing(meter?.id)).toEqual([]);
    const [read] = await tools.sql(
      'SELECT quality, voltage IS NOT NULL AS whole FROM meter_reads_electric WHERE meter_id = $1 AND read_at = $2',
      [meter?.id, at('10:15')],
    );
    expect(read).toEqual({ quality: null, whole: true });
    expect(await tools.sql('SELECT quality FROM ami_replaced_reads')).toEqual([{ quality: 'estimated' }]);
    expect((await tools.summary()).estimates).toEqual({ standing: 0, gaveWay: 1 });
  });

  it('leave out what may still come, and what nothing is like', async () => {
    await tools.fill(['A'], '2026-03-11T20:00:00Z', '2026-03-11T22:00:00Z');
    await tools.fill(['B'], '2026-03-11T20:00:00Z', '2026-03-12T00:00:00Z');
    const run = await estimated({ from: '2026-03-11T20:00:00Z', to: '2026-03-12T00:00:00Z' });
    // Four quarter hours may be late: 22:00 to 23:00, for which there are no like days.
    expect(run.estimated).toEqual({ none: 4 });
    await tools.rules({ graceIntervals: 0 });
    expect((await estimated({ from: '2026-03-11T20:00:00Z', to: '2026-03-12T00:00:00Z' })).estimated).toEqual(
      {
        none: 8,
      },
    );
    expect(await standing()).toEqual([]);
  });

  it('come by themselves with the intervals, once they are on', async () => {
    await tools.fill(['A', 'B', 'C'], '2026-02-20T00:00:00Z', '2026-03-11T22:15:00Z');
    await tools.rules({ isOn: true, estimates: true, graceIntervals: 2 });
    const runs = () =>
      tools.sql(
        `SELECT to_char(from_at AT TIME ZONE 'UTC', 'HH24:MI') AS from, to_char(to_at AT TIME ZONE 'UTC', 'HH24:MI') AS to, state, findings
         FROM ami_vee_runs WHERE origin = 'interval' ORDER BY run_id`,
      );
    const run = (count: number) =>
      waitFor(`run ${count}`, async () => {
        const found = await runs();
        return found.length >= count && found.every(({ state }) => state === 'done') && found;
      });
    expect(await run(1)).toMatchObject([{ from: '22:00', to: '22:15', findings: {} }]);
    // Incomplete, and its time to be late is over.
    await tools.fill(['A', 'B'], '2026-03-11T22:15:00Z', '2026-03-11T22:30:00Z');
    expect((await run(2)).slice(1)).toMatchObject([{ from: '22:15', to: '22:30', findings: { missing: 1 } }]);
    await tools.fill(['A', 'B', 'C'], '2026-03-11T22:30:00Z', '2026-03-11T23:15:00Z');
    expect((await run(3)).slice(2)).toMatchObject([{ from: '22:30', to: '23:15' }]);
    await written();
    expect(await standing('C')).toMatchObject([{ at: '11 22:15', quality: 'estimated', method: 'linear' }]);
    await tools.rules({ isOn: false });
    await tools.fill(['A', 'B', 'C'], '2026-03-11T23:15:00Z', '2026-03-11T23:30:00Z');
    expect(await runs()).toHaveLength(3);
  });
});
