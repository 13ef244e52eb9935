import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { runUpkeep } from '../../src/upkeep/upkeep.js';
import { createVeeWorker } from '../../src/vee/worker.js';
import { describeOnBothBackends } from '../support/backends.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { waitFor } from '../support/waitFor.js';
import { DAY, NOW, TENANT, type VeeTools, veeTools } from './veeTools.js';

describeOnBothBackends('runs of validation', (backend) => {
  let deployment: Deployment;
  let tools: VeeTools;
  beforeAll(async () => {
    deployment = await createDeployment(backend, {}, () => NOW);
    await deployment.startWorker();
    tools = veeTools(() => deployment);
  });
  afterEach(() => tools.forget());
  afterAll(() => deployment.close());

  const twoWeeks = (...meters: string[]) => tools.fill(meters, '2026-02-23T00:00:00Z', DAY.to);

  it('find nothing in reads as usual, and say how many they looked at', async () => {
    await twoWeeks('A', 'B');
    const run = await tools.run();
    expect(run).toMatchObject({ state: 'done', meters: 2, reads: 192, findings: {}, kept: 0, found: [] });
    expect(await tools.summary()).toMatchObject({
      rules: [],
      qualities: [{ quality: 'raw', reads: 192 }],
      estimates: { standing: 0, gaveWay: 0 },
    });
  });

  it('find what is wrong by each rule, and a later run takes the place of what was found', async () => {
    await twoWeeks('A', 'B', 'C');
    await tools.remove('A', '2026-03-10T10:00:00Z', '2026-03-10T11:00:00Z');
    await tools.change('A', '2026-03-10T12:00:00Z', 'kwh = -0.25');
    await tools.change('B', '2026-03-10T13:00:00Z', 'kwh = 3');
    await tools.change('B', '2026-03-10T14:00:00Z', 'voltage = NULL');
    await tools.change('C', '2026-03-10T15:00:00Z', 'kwh = kwh * 1000');
    const run = await tools.run();
    expect(run.found).toMatchObject([
      {
        meterId: 'A',
        rule: 'missing',
        from: '2026-03-10T10:00:00.000Z',
        to: '2026-03-10T11:00:00.000Z',
        value: 1,
      },
      { meterId: 'A', rule: 'negative', value: -0.25, limit: 0, severity: 'fail' },
      { meterId: 'B', rule: 'spike', value: 3, severity: 'flag' },
      { meterId: 'B', rule: 'voltage-missing', value: 0.25 },
      { meterId: 'C', rule: 'thousandfold', severity: 'fail' },
    ]);
    expect(run.findings).toEqual({
      missing: 1,
      negative: 1,
      spike: 1,
      'voltage-missing': 1,
      thousandfold: 1,
    });
    expect((await tools.summary()).rules).toEqual([
      { rule: 'missing', findings: 1, meters: 1 },
      { rule: 'negative', findings: 1, meters: 1 },
      { rule: 'spike', findings: 1, meters: 1 },
      { rule: 'thousandfold', findings: 1, meters: 1 },
      { rule: 'voltage-missing', findings: 1, meters: 1 },
    ]);
    await tools.change('B', '2026-03-10T14:00:00Z', 'voltage = 120');
    await tools.change('B', '2026-03-10T13:00:00Z', 'kwh = 0.3');
    const again = await tools.run();
    expect(again.findings).toEqual({ missing: 1, negative: 1, thousandfold: 1 });
    expect((await tools.summary()).rules).toHaveLength(3);
  });

  it('mark what fails as questionable, keep what it was, and flag without a mark', async () => {
    await twoWeeks('A');
    await tools.change('A', '2026-03-10T12:00:00Z', 'kwh = -0.25');
    await tools.change('A', '2026-03-10T13:00:00Z', 'kwh = 3');
    const run = await tools.run();
    expect(run.marked).toBe(1);
    const marked = await tools.sql(
      `SELECT kwh::text, quality, quality_method AS method, interval_minutes AS minutes FROM meter_reads_electric WHERE quality IS NOT NULL`,
    );
    expect(marked).toEqual([{ kwh: '-0.25', quality: 'questionable', method: 'negative', minutes: 15 }]);
    const history = await tools.sql(
      `SELECT former.kwh::text, former.quality, import.format, import.file_name AS name
       FROM ami_replaced_reads former JOIN ami_imports import ON import.import_id = replaced_by`,
    );
    expect(history).toEqual([
      { kwh: '-0.25', quality: null, format: 'vee', name: `marks of validation run ${run.runId}` },
    ]);
    expect((await tools.summary()).qualities).toEqual([
      { quality: 'questionable', reads: 1 },
      { quality: 'raw', reads: 95 },
    ]);
    // The sums stay true, and a read is marked once.
    const sums = await tools.sql('SELECT sum(reads)::integer AS reads, sum(kwh) AS kwh FROM ami_feeder_days');
    expect(sums).toEqual(
      await tools.sql('SELECT count(*)::integer AS reads, sum(kwh) AS kwh FROM meter_reads_electric'),
    );
    expect((await tools.run()).marked).toBe(0);
    expect((await deployment.http.get(`/api/ami/imports?tenantId=${TENANT}`)).body.imports).toHaveLength(1);
  });

  it('go by what the tenant has set', async () => {
    await twoWeeks('A');
    await tools.change('A', '2026-03-10T12:00:00Z', 'kwh = -0.25');
    await tools.rules({ rules: { negative: { severity: 'flag' }, spike: { limit: 10_000 } } });
    await tools.change('A', '2026-03-10T13:00:00Z', 'kwh = 3');
    expect(await tools.run()).toMatchObject({ findings: { negative: 1 }, marked: 0 });
    await tools.rules({ rules: { negative: { severity: 'off' } } });
    expect(await tools.run()).toMatchObject({ findings: {} });
    const { body } = await deployment.http.get(`/api/ami/vee/rules?tenantId=${TENANT}`);
    expect(body.isOn).toBe(false);
    expect(body.rules).toContainEqual(
      expect.objectContaining({
        rule: 'negative',
        severity: 'off',
        limit: 0,
        usual: { severity: 'fail', limit: 0 },
      }),
    );
  });

  it('compare sums with what registers show', async () => {
    await twoWeeks('A', 'B');
    const [total] = await tools.sql(
      `SELECT sum(kwh)::double precision AS kwh FROM meter_reads_electric WHERE meter_id = 'A' AND read_at >= $1 AND read_at < $2`,
      [DAY.from, DAY.to],
    );
    const register = (kwh: number, meterId = 'A') => ({ meterId, ...DAY, kwh });
    const off = await tools.run({ registers: [register(total?.kwh + 2.5), register(7, 'nobody')] });
    expect(off.found).toMatchObject([{ meterId: 'A', rule: 'register-sum', limit: 2 }]);
    expect(off.found[0]?.value).toBeCloseTo(-2.5, 6);
    const within = await tools.run({ registers: [register(total?.kwh + 1.5)] });
    expect(within.findings).toEqual({});
    expect((await tools.summary()).rules).toEqual([]);
  });

  it('go over several days, and join what goes on over midnight', async () => {
    await tools.fill(['A', 'B'], '2026-02-20T00:00:00Z', '2026-03-12T00:00:00Z');
    await tools.remove('A', '2026-03-10T22:00:00Z', '2026-03-11T03:00:00Z');
    const run = await tools.run({ to: '2026-03-12T00:00:00Z' });
    expect(run.found).toMatchObject([
      { rule: 'missing', from: '2026-03-10T22:00:00.000Z', to: '2026-03-11T03:00:00.000Z', value: 5 },
    ]);
    // Of the middle alone: the rest stays.
    await tools.fill(['A'], '2026-03-11T00:00:00Z', '2026-03-11T01:00:00Z');
    await tools.run({ from: '2026-03-11T00:00:00Z', to: '2026-03-11T01:00:00Z' });
    const kept = await tools.sql(
      `SELECT to_char(from_at AT TIME ZONE 'UTC', 'DD HH24') AS from, to_char(to_at AT TIME ZONE 'UTC', 'DD HH24') AS to, value::text
       FROM ami_vee_findings ORDER BY from_at`,
    );
    expect(kept).toEqual([
      { from: '10 22', to: '11 00', value: '2' },
      { from: '11 01', to: '11 03', value: '2' },
    ]);
  });

  it('are done once by several processes at a time', async () => {
    await tools.fill(
      Array.from({ length: 1_200 }, (_, meter) => `M${String(meter).padStart(5, '0')}`),
      '2026-03-10T10:00:00Z',
      '2026-03-10T11:00:00Z',
    );
    const options = {
      database: deployment.context.database,
      schema: deployment.context.schema,
      now: () => NOW,
    };
    const workers = [createVeeWorker(options), createVeeWorker(options), createVeeWorker(options)];
    const { body } = await deployment.post('/api/ami/vee/runs', {
      ...{ tenantId: TENANT, from: '2026-03-10T10:00:00Z', to: '2026-03-10T11:00:00Z' },
    });
    await waitFor('the run', async () => {
      await Promise.all(workers.map((worker) => worker.work()));
      return (await deployment.http.get(`/api/ami/vee/runs/${body.runId}`)).body.state === 'done';
    });
    expect(await tools.finished(body.runId)).toMatchObject({ meters: 1_200, reads: 4_800 });
    expect((await tools.summary()).qualities).toEqual([{ quality: 'raw', reads: 4_800 }]);
  });

  it('show in quickcheck, whose tag changes with each', async () => {
    await twoWeeks('A');
    const quickcheck = async () => {
      const { body, headers } = await deployment.http.get(`/api/ami/kpi/quickcheck?tenantId=${TENANT}`);
      return { vee: body.vee, tag: headers.etag };
    };
    const none = await quickcheck();
    expect(none.vee).toBeNull();
    await tools.rules({ timeZone: 'Europe/Berlin' });
    const said = await quickcheck();
    expect(said.vee).toEqual({ isOn: false, validatedTo: null, estimatedTo: null, lastRun: null });
    await tools.change('A', '2026-03-10T12:00:00Z', 'kwh = -0.25');
    const before = await quickcheck();
    const { runId } = await tools.run({ from: '2026-03-10T12:00:00Z', to: '2026-03-10T13:00:00Z' });
    const after = await quickcheck();
    expect(after.vee.lastRun).toMatchObject({
      ...{ runId, reads: 4, findings: { negative: 1 }, marked: 1, estimated: {} },
      ...{ from: '2026-03-10T12:00:00.000Z', to: '2026-03-10T13:00:00.000Z' },
    });
    expect(new Set([none.tag, said.tag, before.tag, after.tag]).size).toBe(4);
    expect((await quickcheck()).tag).toBe(after.tag);
  });

  it('are forgotten with the ledger of their time, and findings with the reads', async () => {
    await twoWeeks('A');
    await tools.remove('A', '2026-03-10T10:00:00Z', '2026-03-10T11:00:00Z');
    await tools.run();
    const { database, queue } = deployment.context;
    const upkeep = (readsRetentionDays: number | undefined, ledgerRetentionDays: number, now: Date) =>
      runUpkeep({ database, queue, readsRetentionDays, ledgerRetentionDays, now: () => now });
    const rows = async () =>
      (
        await tools.sql(
          `SELECT (SELECT count(*)::integer FROM ami_vee_findings) AS findings,
             (SELECT count(*)::integer FROM ami_vee_qualities) AS qualities, (SELECT count(*)::integer FROM ami_vee_runs) AS runs`,
        )
      )[0];
    await upkeep(undefined, 40, new Date(Date.now() + 30 * 86_400_000));
    expect(await rows()).toEqual({ findings: 1, qualities: 92, runs: 1 });
    await upkeep(undefined, 40, new Date(Date.now() + 50 * 86_400_000));
    expect(await rows()).toEqual({ findings: 1, qualities: 92, runs: 0 });
    await upkeep(30, 40, new Date('2026-04-09T12:00:00Z'));
    expect(await rows()).toMatchObject({ findings: 0, qualities: 48 });
  });

  it('refuse what cannot be, with a sentence, and run nothing', async () => {
    const refused = async (path: string, body: object) => {
      const answer = await deployment.post(`/api/ami/vee/${path}`, { tenantId: TENANT, ...body });
      expect(answer.status, JSON.stringify(body)).toBe(400);
      return answer.body.error;
    };
    const { from, to } = DAY;
    expect(await refused('runs', { from: to, to: from })).toBe(
      `from must lie before to, which is ${NOW.toISOString().replace('12T', '10T')}.`,
    );
    expect(await refused('runs', { from, to: '2026-03-12T00:15:00Z' })).toBe(
      'to must not lie in the future.',
    );
    expect(await refused('runs', { from: '2026-03-10T00:05:00Z', to })).toContain('15-minute boundary');
    expect(await refused('runs', { from: '2026-01-10T00:00:00Z', to })).toContain('within 35 days');
    expect(await refused('runs', { from, to, estimate: 'yes' })).toBe('estimate must be true or false.');
    expect(
      await refused('runs', { from, to, registers: [{ meterId: 'A', from: to, to: from, kwh: 1 }] }),
    ).toBe('registers.0.from must lie before its to.');
    expect(
      await refused('runs', { from, to, registers: [{ meterId: 'A', from, to: NOW.toISOString(), kwh: 1 }] }),
    ).toBe('registers.0 must lie within from and to of the run.');
    expect(await refused('rules', { rules: { spikes: {} } })).toContain('is not a field');
    expect(await refused('rules', { rules: { spike: { limit: 5 } } })).toBe(
      'rules.spike.limit must be a number from 10 to 10000 (%).',
    );
    expect(await refused('rules', { rules: { spike: { severity: 'warn' } } })).toBe(
      'rules.spike.severity must be one of off, flag, fail.',
    );
    expect(await refused('rules', { timeZone: 'Mars/Base' })).toContain('timeZone must be a time zone');
    expect(await tools.sql('SELECT FROM ami_vee_runs')).toHaveLength(0);
    expect((await deployment.http.get('/api/ami/vee/runs/999999')).status).toBe(404);
  });
});
