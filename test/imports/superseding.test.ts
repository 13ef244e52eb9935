import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { runUpkeep } from '../../src/upkeep/upkeep.js';
import { describeOnBothBackends } from '../support/backends.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { waitFor } from '../support/waitFor.js';
import { type ImportTools, importTools, NOW, PLAIN, TENANT, type Wanted } from './importTools.js';

const AT = '2026-11-30T10:00:00';
const MAPPING = {
  ...PLAIN.given,
  values: [
    { column: 'kwh', channel: 'kwh', unit: 'kWh' },
    { column: 'received', channel: 'receivedKwh', unit: 'kWh' },
  ],
  ...{ estimatedColumn: 'quality', estimatedTexts: ['E'], measuredTexts: ['M'] },
} satisfies Wanted['given'];

describeOnBothBackends('what an import puts in the place of what', (backend) => {
  let deployment: Deployment;
  let tools: ImportTools;
  beforeAll(async () => {
    deployment = await createDeployment(backend, {}, () => NOW);
    await deployment.startWorker();
    tools = importTools(() => deployment.context);
  });
  afterEach(async () => {
    await tools.forget();
    await tools.sql('TRUNCATE ami_publishes CASCADE');
  });
  afterAll(() => deployment.close());

  /** Imports one read of meter A. */
  const put = (
    kwh: string,
    quality: 'E' | 'M',
    { received = '0', ...wanted }: Wanted & { received?: string } = {},
  ) =>
    tools.text(`meter,start,kwh,received,quality\nA,${AT},${kwh},${received},${quality}\n`, {
      given: MAPPING,
      ...wanted,
    });
  const stands = async () => {
    const [read] = await tools.reads();
    return [read?.kwh, read?.quality];
  };
  const history = () =>
    tools.sql(
      `SELECT kwh::text, quality, import_id AS "importId", replaced_by AS "replacedBy" FROM ami_replaced_reads ORDER BY replaced_at`,
    );

  it('a measured value takes the place of an estimate, and an estimate of no measured one', async () => {
    const estimate = await put('1', 'E');
    const measured = await put('2', 'M');
    expect(measured.rows).toMatchObject({ replaced: 1, inserted: 0 });
    expect(await stands()).toEqual(['2', 'raw']);
    expect(await history()).toEqual([
      { kwh: '1', quality: 'estimated', importId: estimate.importId, replacedBy: measured.importId },
    ]);
    const late = await put('3', 'E');
    expect(late.rows).toMatchObject({ replaced: 0, refusedByRules: 1 });
    expect(late.refusals[0]).toMatchObject({
      line: 2,
      meterId: 'A',
      reason: expect.stringContaining('worth more'),
    });
    expect(await stands()).toEqual(['2', 'raw']);
  });

  it('of two of the same rank the newer import counts, also when it is written first', async () => {
    await put('1', 'M');
    expect((await put('2', 'M')).rows).toMatchObject({ replaced: 1 });
    expect(await stands()).toEqual(['2', 'raw']);
    // The import that stands there was asked for later than the next one.
    await tools.sql(`UPDATE ami_imports SET accepted_at = now() + interval '1 hour'`);
    const older = await put('3', 'M');
    expect(older.rows).toMatchObject({ replaced: 0, refusedByRules: 1 });
    expect(older.refusals[0]?.reason).toBe('a newer import has written it');
    expect(await stands()).toEqual(['2', 'raw']);
  });

  it('an estimate that was confirmed has the better quality then', async () => {
    await put('1', 'E');
    expect((await put('1.0', 'M')).rows).toMatchObject({ replaced: 1 });
    expect(await stands()).toEqual(['1', 'raw']);
    expect((await put('1', 'E')).rows).toMatchObject({ unchanged: 1 });
    expect(await stands()).toEqual(['1', 'raw']);
  });

  it('an emulated read stays unless it is to go, and takes what was emulated beside it along', async () => {
    await tools.sql(
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, quality_flags)
       SELECT $1, 'A', 'F1', at, 9, 10, 230, '{LOW_VOLTAGE}' FROM (SELECT $2::timestamptz AS at, ami_ensure_read_partition('2026-11-30')) made`,
      [TENANT, `${AT}Z`],
    );
    const kept = await put('2', 'M');
    expect(kept.rows).toMatchObject({ replaced: 0, refusedByRules: 1 });
    expect(kept.refusals[0]?.reason).toContain('--over-emulated');
    expect(await stands()).toEqual(['9', null]);
    expect((await put('2', 'M', { overEmulated: true })).rows).toMatchObject({ replaced: 1 });
    const [read] = await tools.sql(
      'SELECT feeder_id, kwh::text, delivered_kwh, voltage, quality_flags FROM meter_reads_electric',
    );
    expect(read).toEqual({
      feeder_id: 'F1',
      kwh: '2',
      delivered_kwh: null,
      voltage: null,
      quality_flags: [],
    });
    const [former] = await tools.sql(
      'SELECT kwh::text, delivered_kwh::text, quality, import_id FROM ami_replaced_reads',
    );
    expect(former).toEqual({ kwh: '9', delivered_kwh: '10', quality: null, import_id: null });
    const sums = await tools.sql(
      'SELECT reads::integer, kwh::text, delivered_kwh::text FROM ami_feeder_days',
    );
    expect(sums).toEqual([{ reads: 1, kwh: '2', delivered_kwh: '0' }]);
  });

  it('reads of another length in the same time stay, on either side', async () => {
    const lengths = (minutes: number, start: string, kwh: string) =>
      tools.text(`meter,start,kwh\nA,2026-11-30T${start}:00,${kwh}\n`, {
        given: { ...PLAIN.given, minutes },
      });
    await lengths(60, '10:00', '4');
    for (const [minutes, start] of [
      [15, '10:00'],
      [15, '10:45'],
      [5, '10:55'],
      [30, '10:30'],
    ] as const)
      expect((await lengths(minutes, start, '1')).rows, `${minutes} ${start}`).toMatchObject({
        inserted: 0,
        refusedByRules: 1,
      });
    expect((await lengths(15, '11:00', '1')).rows).toMatchObject({ inserted: 1 });
    expect((await lengths(15, '09:45', '1')).rows).toMatchObject({ inserted: 1 });
    expect((await lengths(60, '09:00', '1')).rows).toMatchObject({ inserted: 0, refusedByRules: 1 });
    expect(await tools.reads()).toHaveLength(3);
  });

  it('a revision of an event and a publish leave what was imported as it is', async () => {
    const readAt = `${AT}.000Z`;
    const body = { tenantId: TENANT, meterCount: 100, feederCount: 10, batchSize: 100, readAt };
    const publish = async (onConflict: 'nothing' | 'update') => {
      const { body: accepted } = await deployment.post('/api/ami/publish-once', { ...body, onConflict });
      await waitFor('the publish', async () => {
        const answer = await deployment.http.get(`/api/ami/publish/${accepted.publishId}`);
        return answer.body.state === 'done';
      });
    };
    await publish('nothing');
    const [emulated] = await tools.reads();
    const meter = emulated?.meterId as string;
    await tools.sql(`INSERT INTO feeders (tenant_id, feeder_id) VALUES ($1, 'FEEDER_1')`, [TENANT]);
    await tools.sql(`INSERT INTO meters (tenant_id, meter_id, feeder_id) VALUES ($1, $2, 'FEEDER_1')`, [
      TENANT,
      meter,
    ]);
    await tools.text(`meter,start,kwh\n${meter},${AT},0.123\n`, { ...PLAIN, overEmulated: true });
    await publish('nothing');
    await publish('update');
    expect((await tools.reads()).filter(({ quality }) => quality !== null)).toMatchObject([
      { meterId: meter, kwh: '0.123' },
    ]);
  });

  it('a meter’s reads can be asked for as they were', async () => {
    const before = new Date(Date.now() - 60_000);
    const states: [Date, string[]][] = [[before, []]];
    for (const [kwh, quality] of [
      ['1', 'E'],
      ['2', 'M'],
      ['3', 'M'],
    ] as const) {
      await put(kwh, quality);
      const [now] = await tools.sql('SELECT clock_timestamp() AS at');
      states.push([now?.at, [kwh]]);
    }
    for (const [asOf, expected] of states) {
      const found = await tools.sql(
        `SELECT kwh::text FROM ami_reads_as_of($1, 'A', $2::timestamptz, $2::timestamptz + interval '1 day', $3)`,
        [TENANT, '2026-11-30T00:00:00Z', asOf],
      );
      expect(
        found.map(({ kwh }) => kwh),
        asOf.toISOString(),
      ).toEqual(expected);
    }
  });

  it('the channel that was missing is added, and the other one stays', async () => {
    await tools.text(`meter,start,kwh\nA,${AT},2\n`, PLAIN);
    const received = await tools.text(`meter,start,kwh\nA,${AT},0.5\n`, {
      given: { ...PLAIN.given, values: [{ column: 'kwh', channel: 'receivedKwh', unit: 'kWh' }] },
    });
    expect(received.rows).toMatchObject({ replaced: 1 });
    expect(await tools.reads()).toMatchObject([{ kwh: '2', receivedKwh: '0.5' }]);
  });

  it('keeps the history of a read for as long as the read', async () => {
    await put('1', 'E');
    await put('2', 'M');
    const { database, queue } = deployment.context;
    const upkeep = (readsRetentionDays: number | undefined, days: number) =>
      runUpkeep({
        ...{ database, queue, readsRetentionDays, ledgerRetentionDays: 400 },
        now: () => new Date(Date.parse(`${AT}Z`) + days * 86_400_000),
      });
    const former = async () => (await tools.sql('SELECT FROM ami_replaced_reads')).length;
    await upkeep(undefined, 30);
    await upkeep(30, 30);
    expect(await former()).toBe(1);
    await upkeep(30, 31);
    expect(await former()).toBe(0);
  });
});
