import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeOnBothBackends } from '../support/backends.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { csvOf, type ImportTools, importTools, NOW, PLAIN, sampleTotals, TENANT } from './importTools.js';

const NEW_YORK = { zone: 'America/New_York' };
/** The samples with what their text does not say, and whose days the totals are of. */
const SAMPLES: [name: string, given: object, days: string, reads: number][] = [
  ['nem12-15min.csv', {}, '-10:00', 288],
  ['nem12-5min.csv', {}, '-10:00', 288],
  ['greenbutton-hourly-two-usage-points.xml', {}, 'America/New_York', 146],
  ['greenbutton-15min-forward-reverse.xml', {}, 'America/New_York', 196],
  [
    'wide-96-columns-local.csv',
    { ...NEW_YORK, unit: 'kWh', repeatedHour: 'sum' },
    'America/New_York',
    // 92, 100 and two whole days of two meters.
    768,
  ],
  ['wide-100-columns-repeated-names.csv', { ...NEW_YORK, unit: 'kWh' }, 'America/New_York', 196],
  ['long-interval-end-us.csv', NEW_YORK, 'America/New_York', 196],
];

describeOnBothBackends('imports', (backend) => {
  let deployment: Deployment;
  let tools: ImportTools;
  beforeAll(async () => {
    deployment = await createDeployment(backend, {}, () => NOW);
    await deployment.startWorker();
    tools = importTools(() => deployment.context);
  });
  afterEach(() => tools.forget());
  afterAll(() => deployment.close());

  it.each(SAMPLES)('keeps the energy of %s by meter, channel and day', async (name, given, days, reads) => {
    const taken = await tools.sample(name, { given });
    expect(taken.open).toBeUndefined();
    expect(taken.reads).toBe(reads);
    const ended = await tools.finished(taken.importId as number);
    expect(ended).toMatchObject({ state: 'done', rows: { inserted: reads, replaced: 0, refused: 0 } });
    const sums = await tools.sql(
      `SELECT channel, meter_id, json_object_agg(day, kwh ORDER BY day)::text AS days FROM (
         SELECT channel, meter_id, to_char(read_at AT TIME ZONE $2, 'YYYY-MM-DD') AS day, sum(value.energy)::numeric(12, 3)::text AS kwh
         FROM meter_reads_electric, LATERAL (VALUES ('kwh', kwh), ('received', received_kwh)) AS value (channel, energy)
         WHERE tenant_id = $1 AND value.energy IS NOT NULL GROUP BY 1, 2, 3) sums
       GROUP BY 1, 2`,
      [TENANT, days],
    );
    const expected = Object.entries((await sampleTotals())[name] ?? {}).filter(
      ([, { byDay, unit }]) => byDay && !unit,
    );
    const told = sums.map(({ channel, days }) => `${channel} ${JSON.stringify(JSON.parse(days))}`);
    expect(told.toSorted()).toEqual(
      expected
        .map(
          ([title, { byDay }]) =>
            `${/received|into/.test(title) ? 'received' : 'kwh'} ${JSON.stringify(byDay)}`,
        )
        .toSorted(),
    );
    // The rollups follow.
    const [rollup] = await tools.sql(
      'SELECT sum(reads)::integer AS reads, sum(kwh) AS kwh FROM ami_feeder_days WHERE tenant_id = $1',
      [TENANT],
    );
    const [plain] = await tools.sql(
      'SELECT count(*)::integer AS reads, sum(kwh) AS kwh FROM meter_reads_electric WHERE tenant_id = $1',
      [TENANT],
    );
    expect(rollup).toEqual(plain);
  });

  it('keeps length, quality and method of each read, and the channels of an interval in one', async () => {
    await tools.finished((await tools.sample('nem12-5min.csv')).importId as number);
    const five = await tools.reads();
    expect(new Set(five.map(({ minutes }) => minutes))).toEqual(new Set([5]));
    expect(five.every(({ receivedKwh }) => receivedKwh !== null)).toBe(true);
    await tools.forget();
    await tools.finished((await tools.sample('nem12-15min.csv')).importId as number);
    const reads = await tools.reads();
    expect(new Set(reads.map(({ quality, method }) => `${quality} ${method}`))).toEqual(
      new Set(['validated null', 'estimated S14', 'estimated F14']),
    );
  });

  it('changes nothing when the same file comes again', async () => {
    await tools.finished((await tools.sample('nem12-15min.csv')).importId as number);
    const before = await tools.reads();
    const again = await tools.finished((await tools.sample('nem12-15min.csv')).importId as number);
    expect(again.rows).toMatchObject({ inserted: 0, replaced: 0, unchanged: 288, refusedByRules: 0 });
    expect(await tools.reads()).toEqual(before);
    expect(await tools.sql('SELECT FROM ami_replaced_reads')).toHaveLength(0);
  });

  it('does not let bad rows stop good ones, and takes nothing beyond the limit', async () => {
    const text = csvOf([
      ['A', '2026-11-01T00:00:00', '1.5'],
      ['A', '2026-11-01T00:15:00', 'much'],
      ['A', '2026-11-01T00:30:00', '123456789012'],
      ['A', '2026-11-01T00:47:00', '1'],
      ['A', '2026-11-01T01:00:00', '2'],
      ['A', '2026-11-01T01:00:00', '3'],
      ['A', '2026-11-01T01:15:00', '4'],
      ['A', '2026-11-01T01:15:00', '4.0'],
    ]);
    const ended = await tools.text(text, PLAIN);
    expect(ended.rows).toMatchObject({ inserted: 2, refused: 4, repeated: 1 });
    expect(ended.refusals.map(({ line }) => line).toSorted()).toEqual([3, 4, 5, 6]);
    expect((await tools.reads()).map(({ kwh }) => kwh)).toEqual(['1.5', '4']);
    await tools.forget();
    await expect(tools.text(text, { ...PLAIN, mostRefusals: 3 })).rejects.toThrow('more than the limit');
    expect(await tools.reads()).toEqual([]);
    expect(await tools.sql('SELECT FROM meters')).toHaveLength(0);
    const [failed] = (await tools.service().list(TENANT)).imports;
    expect(failed).toMatchObject({ state: 'failed', reads: 0 });
  });

  it('refuses unknown meters unless they are to be taken into the registry', async () => {
    const text = csvOf([
      ['A', '2026-11-01T00:00:00', '1'],
      ['B', '2026-11-01T00:00:00', '2'],
    ]);
    await tools.sql(`INSERT INTO feeders (tenant_id, feeder_id) VALUES ($1, 'F9')`, [TENANT]);
    await tools.sql(`INSERT INTO meters (tenant_id, meter_id, feeder_id) VALUES ($1, 'A', 'F9')`, [TENANT]);
    const ended = await tools.text(text, { ...PLAIN, register: undefined });
    expect(ended).toMatchObject({ rows: { inserted: 1, refused: 1 }, metersRegistered: 0 });
    expect(ended.refusals[0]).toMatchObject({ line: 3, meterId: 'B' });
    const both = await tools.text(text, { ...PLAIN, register: { feederId: 'F10' } });
    expect(both).toMatchObject({ rows: { inserted: 1, unchanged: 1 }, metersRegistered: 1 });
    expect((await tools.reads()).map(({ meterId, feederId }) => [meterId, feederId])).toEqual([
      ['A', 'F9'],
      ['B', 'F10'],
    ]);
  });

  it('says on a dry run what would become of the reads, and writes nothing', async () => {
    await tools.text(
      csvOf([
        ['A', '2026-11-01T00:00:00', '1'],
        ['A', '2026-11-01T00:15:00', '1'],
      ]),
      PLAIN,
    );
    const before = await tools.reads();
    const imports = await tools.sql('SELECT FROM ami_imports');
    const file = csvOf([
      ['A', '2026-11-01T00:00:00', '1'],
      ['A', '2026-11-01T00:15:00', '2'],
      ['A', '2026-11-02T00:15:00', '3'],
      ['N', '2026-11-02T00:15:00', '4'],
    ]);
    const dry = await tools
      .text(file, { ...PLAIN, dryRun: true })
      .catch((error) => JSON.parse(error.message));
    expect(dry).toMatchObject({
      metersRegistered: 1,
      judgement: {
        ...{ written: 2, replaced: 1, unchanged: 1, refused: 0, days: 3 },
        byDay: [
          { meterId: 'A', day: '2026-11-01', written: 0, replaced: 1, unchanged: 1 },
          { meterId: 'A', day: '2026-11-02', written: 1 },
          { meterId: 'N', day: '2026-11-02', written: 1 },
        ],
      },
    });
    expect(await tools.reads()).toEqual(before);
    expect(await tools.sql('SELECT FROM ami_imports')).toHaveLength(imports.length);
    expect(await tools.sql(`SELECT FROM meters WHERE meter_id = 'N'`)).toHaveLength(0);
  });
});
