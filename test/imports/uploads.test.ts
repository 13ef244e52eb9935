import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { type ClientRequest, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { saveMapping } from '../../src/imports/mappings.js';
import { parquetOf, series } from '../intervalFiles/outgoing.js';
import { describeOnBothBackends } from '../support/backends.js';
import { BEARER, createDeployment, type Deployment } from '../support/deployment.js';
import { waitFor } from '../support/waitFor.js';
import { csvOf, type ImportTools, importTools, NOW, PLAIN, sampleTotals, TENANT } from './importTools.js';

const SAMPLES: [name: string, given: object, zone: string, reads: number][] = [
  ['nem12-15min.csv', {}, '-10:00', 288],
  ['nem12-5min.csv', {}, '-10:00', 288],
  ['greenbutton-hourly-two-usage-points.xml', {}, 'America/New_York', 146],
  ['greenbutton-15min-forward-reverse.xml', {}, 'America/New_York', 196],
  [
    'wide-96-columns-local.csv',
    { zone: 'America/New_York', unit: 'kWh', repeatedHour: 'sum' },
    'America/New_York',
    768,
  ],
  ['wide-100-columns-repeated-names.csv', { zone: 'America/New_York', unit: 'kWh' }, 'America/New_York', 196],
  ['long-interval-end-us.csv', { zone: 'America/New_York' }, 'America/New_York', 196],
];
const REGISTER = { register: 'true', feeder: 'FEEDER_1' };

describeOnBothBackends('POST /api/ami/imports', (backend) => {
  let deployment: Deployment;
  let tools: ImportTools;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridlens-uploads-'));
    deployment = await createDeployment(backend, { IMPORT_FOLDER: folder, IMPORT_MAX_MB: '1' }, () => NOW);
    await deployment.startWorker();
    tools = importTools(() => deployment.context);
    await saveMapping(deployment.context.database, TENANT, 'plain', stringify(PLAIN.given));
  });
  afterEach(async () => {
    await tools.forget();
    await waitFor('the folder to be empty', async () => (await readdir(folder)).length === 0);
  });
  afterAll(async () => {
    await deployment.close();
    await rm(folder, { recursive: true });
  });

  const post = (body: string | Buffer, query: Record<string, string> = {}, headers: object = {}) =>
    deployment.http
      .post(`/api/ami/imports?${new URLSearchParams({ tenantId: TENANT, ...query })}`)
      .set({ ...BEARER, 'Content-Type': 'application/octet-stream', ...headers })
      .send(body);

  it('takes Parquet that GridLens has exported, and refuses one that is broken by a sentence', async () => {
    const reads = series('2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z', { meterId: 'PARQUET-1' });
    const file = parquetOf([[reads]]);
    const { status, body } = await post(file, { ...REGISTER, fileName: 'day.parquet' });
    expect(status, JSON.stringify(body)).toBe(202);
    expect(await tools.finished(body.importId)).toMatchObject({ state: 'done', reads: 96 });
    const [stored] = await tools.sql(
      'SELECT sum(kwh)::text AS kwh FROM meter_reads_electric WHERE tenant_id = $1 AND meter_id = $2',
      [TENANT, 'PARQUET-1'],
    );
    const sum = reads.reduce((kwh, read) => kwh + Math.round(Number(read.kwh) * 1e6), 0);
    expect(Math.round(Number(stored.kwh) * 1e6)).toBe(sum);
    const broken = await post(Buffer.concat([file.subarray(0, 900), Buffer.from('PAR1')]), REGISTER);
    expect({ status: broken.status, code: broken.body.code }).toEqual({ status: 400, code: 'file_refused' });
    expect(broken.body.error).toContain('its Parquet is broken');
  });

  it.each(SAMPLES)('keeps the energy of %s by meter, channel and day', async (name, given, zone, reads) => {
    await saveMapping(deployment.context.database, TENANT, 'sample', stringify(given));
    const file = await readFile(`test/data/interval-files/${name}`);
    const { status, body, headers } = await post(file, { ...REGISTER, fileName: name, mapping: 'sample' });
    expect(status, JSON.stringify(body)).toBe(202);
    expect(headers.location).toBe(`/api/ami/imports/${body.importId}`);
    expect(body.imports).toMatchObject([{ importId: body.importId, fileName: name, rows: { refused: 0 } }]);
    const ended = await tools.finished(body.importId);
    expect(ended).toMatchObject({ state: 'done', reads, rows: { inserted: reads } });
    const sums = await tools.sql(
      `SELECT channel, json_object_agg(day, kwh ORDER BY day)::text AS days FROM (
         SELECT channel, meter_id, to_char(read_at AT TIME ZONE $2, 'YYYY-MM-DD') AS day, sum(value.energy)::numeric(12, 3)::text AS kwh
         FROM meter_reads_electric, LATERAL (VALUES ('kwh', kwh), ('received', received_kwh)) AS value (channel, energy)
         WHERE tenant_id = $1 AND value.energy IS NOT NULL GROUP BY 1, 2, 3) sums
       GROUP BY channel, meter_id`,
      [TENANT, zone],
    );
    const expected = Object.entries((await sampleTotals())[name] ?? {}).filter(
      ([, { byDay, unit }]) => byDay && !unit,
    );
    expect(
      sums.map(({ channel, days }) => `${channel} ${JSON.stringify(JSON.parse(days))}`).toSorted(),
    ).toEqual(
      expected
        .map(
          ([title, { byDay }]) =>
            `${/received|into/.test(title) ? 'received' : 'kwh'} ${JSON.stringify(byDay)}`,
        )
        .toSorted(),
    );
  });

  it('takes a packed file, whatever its type is called, and says the same of it by GET', async () => {
    const file = gzipSync(await readFile('test/data/interval-files/nem12-15min.csv'));
    const packed = { 'Content-Type': 'application/gzip' };
    const { status, body } = await post(file, { ...REGISTER, fileName: 'night.csv.gz' }, packed);
    expect(status, JSON.stringify(body)).toBe(202);
    await tools.finished(body.importId);
    const progress = await deployment.http.get(`/api/ami/imports/${body.importId}`);
    expect(progress.body).toMatchObject({ fileName: 'night.csv.gz', format: 'nem12', state: 'done' });
  });

  it('says on a dry run what would become of each meter and day, and writes nothing', async () => {
    const file = csvOf([
      ['A', '2026-11-01T00:00:00', '1'],
      ['A', '2026-11-02T00:15:00', '2'],
      ['B', '2026-11-02T00:15:00', 'much'],
    ]);
    const { status, body } = await post(file, { ...REGISTER, mapping: 'plain', dryRun: 'true' });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.files).toMatchObject([
      {
        ...{ format: 'csv', reads: 2, metersToRegister: 1, moreDays: 0, refusals: [{ line: 4 }] },
        rows: { written: 2, replaced: 0, unchanged: 0, refused: 1 },
        byDay: [
          { meterId: 'A', day: '2026-11-01', written: 1 },
          { meterId: 'A', day: '2026-11-02', written: 1 },
        ],
      },
    ]);
    expect(await tools.sql('SELECT FROM ami_imports')).toEqual([]);
    expect(await tools.sql('SELECT FROM meters')).toEqual([]);
  });

  it('asks what a file does not say, and takes nothing of it', async () => {
    const file = 'meter,start,kwh\nA,2026-11-01T00:00,1\nA,2026-11-01T00:15,1\n';
    const { status, body } = await post(file, REGISTER);
    expect([status, body.code]).toEqual([400, 'file_ambiguous']);
    expect(body.questions.length).toBeGreaterThan(0);
    expect(body.mapping).toContain('# To be answered:');
    expect(body.error).toMatch(/Nothing of it is taken\.$/);
    expect(await tools.sql('SELECT FROM ami_imports')).toEqual([]);
  });

  it('says which rows were refused where nothing is taken, and keeps them', async () => {
    const file = csvOf([
      ['A', '2026-11-01T00:00:00', '1'],
      ['A', '2026-11-01T00:15:00', 'much'],
    ]);
    const { status, body } = await post(file, { ...REGISTER, mapping: 'plain', mostRefusals: '0' });
    expect([status, body.code, body.refusals]).toMatchObject([400, 'file_refused', [{ line: 3 }]]);
    const progress = await deployment.http.get(`/api/ami/imports/${body.importId}`);
    expect(progress.body).toMatchObject({ state: 'failed', reads: 0 });
    expect(await tools.sql('SELECT FROM meters')).toEqual([]);
  });

  it.each<[string, string | Buffer, Record<string, string>, Record<string, string>, number, string]>([
    ['no file', '', {}, {}, 400, 'The body must be the file, and is empty.'],
    ['JSON', '{}', {}, { 'Content-Type': 'application/json' }, 415, 'The body must be the file itself'],
    ['a form', 'x', {}, { 'Content-Type': 'multipart/form-data; boundary=x' }, 415, '--data-binary @FILE'],
    ['a packed transfer', 'x', {}, { 'Content-Encoding': 'gzip' }, 415, 'Content-Encoding must be left out'],
    ['a web page', '<html></html>', {}, {}, 400, 'Nothing is taken of upload: it is a web page'],
    ['a broken gzip', Buffer.from([0x1f, 0x8b, 8, 0, 1]), {}, {}, 400, 'its gzip is broken or cut off'],
    ['too much', 'x'.repeat(2 ** 20 + 1), {}, {}, 413, 'The file must be at most 1 MB (IMPORT_MAX_MB)'],
    ['no such mapping', 'x', { mapping: 'none' }, {}, 400, 'mapping none is not saved for tenant'],
    ['a feeder alone', 'x', { feeder: 'F' }, {}, 400, 'feeder goes with register=true.'],
    ['no feeder', 'x', { register: 'true' }, {}, 400, 'feeder must name the feeder of new meters'],
    ['a column alone', 'x', { feederColumn: 'f' }, {}, 400, 'feederColumn goes with register=true.'],
    ['a path', 'x', { fileName: '../x.csv' }, {}, 400, 'fileName must be a name of a file without folders'],
    ['a wrong zone', 'x', { timeZone: 'Nowhere' }, {}, 400, 'timeZone must be a time zone'],
    [
      'a wrong number',
      'x',
      { mostRefusals: '-1' },
      {},
      400,
      'mostRefusals must be a whole number from 0 on.',
    ],
    ['maybe', 'x', { dryRun: 'yes' }, {}, 400, 'dryRun must be true or false.'],
    ['a wrong key', 'x', {}, { Authorization: 'Bearer wrong-key-0123456789' }, 401, 'The API key'],
  ])('refuses %s', async (_, file, query, headers, status, sentence) => {
    const answer = await post(file, query, headers);
    expect([answer.status, answer.body.error]).toEqual([status, expect.stringContaining(sentence)]);
    expect(await tools.sql('SELECT FROM ami_imports')).toEqual([]);
  });

  it('changes nothing when the same file comes again', async () => {
    const file = csvOf([['A', '2026-11-01T00:00:00', '1']]);
    const first = await post(file, { ...REGISTER, mapping: 'plain' });
    await tools.finished(first.body.importId);
    const again = await post(file, { ...REGISTER, mapping: 'plain' });
    expect((await tools.finished(again.body.importId)).rows).toMatchObject({ inserted: 0, unchanged: 1 });
  });

  it('puts new meters on the feeders of a column, of the request or of a saved mapping', async () => {
    await saveMapping(
      deployment.context.database,
      TENANT,
      'with-feeders',
      stringify({ ...PLAIN.given, feederColumn: 'feeder' }),
    );
    const file = 'meter,feeder,start,kwh\nA,F1,2026-11-01T00:00:00,1\nB,F2,2026-11-01T00:00:00,1\n';
    const query = { register: 'true', dryRun: 'true' };
    for (const said of [{ mapping: 'with-feeders' }, { mapping: 'plain', feederColumn: 'feeder' }]) {
      const { status, body } = await post(file, { ...query, ...said });
      expect([status, body.files?.[0].metersToRegister], JSON.stringify(body)).toEqual([200, 2]);
    }
    const { status, body } = await post(file, { ...query, mapping: 'plain' });
    expect([status, body.error]).toEqual([400, expect.stringContaining('mapping plain has no feederColumn')]);
  });

  it('pages what was refused, rows of an unknown meter as one', async () => {
    const quarters = Array.from({ length: 8 }, (_, index) => `2026-11-01T0${index}:00:00`);
    const file = csvOf([
      ['KNOWN', '2026-11-01T00:00:00', '1'],
      ...quarters.map((start): [string, string, string] => ['UNKNOWN', start, '1']),
      ...quarters.map((start): [string, string, string] => ['KNOWN', start, 'much']),
    ]);
    await tools.text(csvOf([['KNOWN', '2026-10-31T00:00:00', '1']]), PLAIN);
    const { body } = await post(file, { mapping: 'plain' });
    const ended = await tools.finished(body.importId);
    expect(ended).toMatchObject({ state: 'done', reads: 1, rows: { refused: 16 } });
    expect(ended.refusals[0]).toMatchObject({ line: 3, meterId: 'UNKNOWN', rows: 8 });
    const seen: number[] = [];
    let after = '';
    for (let pages = 1; ; pages += 1) {
      const page = await deployment.http.get(`/api/ami/imports/${body.importId}/refusals?limit=4${after}`);
      expect(page.status, JSON.stringify(page.body)).toBe(200);
      seen.push(...page.body.refusals.map(({ line }: { line: number }) => line));
      if (page.body.next === undefined) {
        expect(pages).toBe(3);
        break;
      }
      after = `&after=${page.body.next}`;
    }
    expect(seen).toEqual([3, 11, 12, 13, 14, 15, 16, 17, 18]);
    for (const [path, status] of [
      [`${body.importId}/refusals?after=${2 ** 40}`, 200],
      [`${body.importId}/refusals?limit=0`, 400],
      [`${body.importId}/refusals?after=x`, 400],
      ['999999/refusals', 404],
    ])
      expect((await deployment.http.get(`/api/ami/imports/${path}`)).status, String(path)).toBe(status);
  });

  it('says 503 to a third file while two are under way, and takes it afterwards', async () => {
    const server = createServer(deployment.app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const begin = (): ClientRequest => {
      const sending = request({
        ...{
          port,
          host: '127.0.0.1',
          method: 'POST',
          headers: { ...BEARER, 'Content-Type': 'application/octet-stream' },
        },
        path: `/api/ami/imports?${new URLSearchParams({ tenantId: TENANT, mapping: 'plain', ...REGISTER })}`,
      });
      sending.on('error', () => undefined);
      sending.write('meter,start,kwh\n');
      return sending;
    };
    const sending = [begin(), begin()];
    await waitFor('two files to be on their way', async () => (await readdir(folder)).length === 2);
    const file = csvOf([['A', '2026-11-01T00:00:00', '1']]);
    const third = await post(file, { ...REGISTER, mapping: 'plain' });
    expect([third.status, third.body.code, third.headers['retry-after']]).toEqual([503, 'busy', '30']);
    for (const one of sending) one.destroy();
    await waitFor('the folder to be empty', async () => (await readdir(folder)).length === 0);
    expect((await post(file, { ...REGISTER, mapping: 'plain' })).status).toBe(202);
    server.close();
  });
});
