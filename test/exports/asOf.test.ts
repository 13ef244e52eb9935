import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exportFile, planExport } from '../../src/exports/exports.js';
import { type ImportTools, importTools, NOW, PLAIN, TENANT } from '../imports/importTools.js';
import { BEARER, createDeployment, type Deployment } from '../support/deployment.js';

const DAY = '2026-11-30';
const SPAN = { from: `${DAY}T00:00:00Z`, to: '2026-12-01T00:00:00Z' };
const MAPPING = {
  ...PLAIN.given,
  ...{ estimatedColumn: 'quality', estimatedTexts: ['E'], measuredTexts: ['M'] },
};

describe('reads as they stood at an instant', () => {
  let deployment: Deployment;
  let tools: ImportTools;
  beforeAll(async () => {
    deployment = await createDeployment('postgres', {}, () => NOW);
    await deployment.startWorker();
    tools = importTools(() => deployment.context);
  });
  afterEach(async () => {
    await tools.forget();
    await tools.sql('TRUNCATE ami_publishes CASCADE');
  });
  afterAll(() => deployment.close());

  /** Imports one read of a meter at a time of the day; answers an instant behind it, of the database's clock. */
  const put = async (meter: string, time: string, kwh: string, quality: 'E' | 'M'): Promise<string> => {
    const file = `meter,start,kwh,quality\n"${meter}",${DAY}T${time}:00,${kwh},${quality}\n`;
    await tools.text(file, { given: MAPPING });
    await setTimeout(5);
    const [{ at } = { at: new Date() }] = await tools.sql('SELECT clock_timestamp() AS at');
    await setTimeout(5);
    return (at as Date).toISOString();
  };
  const ask = (query: Record<string, string | string[]>) =>
    deployment.http
      .get('/api/ami/reads')
      .query({ tenantId: TENANT, ...SPAN, ...query })
      .set(BEARER);
  const values = async (query: Record<string, string | string[]>) => {
    const { status, body } = await ask(query);
    expect(status, JSON.stringify(body)).toBe(200);
    return body.reads.map(
      ({ meterId, kwh, quality }: Record<string, unknown>) => `${meterId} ${kwh} ${quality}`,
    );
  };
  const exported = async (asOf: string, meters?: string[]) => {
    const { pool } = deployment.database;
    const asked = {
      tenantId: TENANT,
      format: 'csv',
      from: DAY,
      to: DAY,
      meters,
      asOf: new Date(asOf),
    } as const;
    const plan = await planExport(pool, asked, 1);
    const { writer, pieces } = exportFile(pool, plan, plan.days, NOW);
    let text = '';
    for await (const piece of pieces) text += piece;
    const rows = text.trim().split('\n').slice(1);
    return {
      rows: rows.map((row) => row.split(',').slice(0, 5).join(' ')),
      left: writer.tally.counts().left,
    };
  };

  it('are the former values of two revisions, one after the other, and of an estimate that gave way', async () => {
    const [{ before } = { before: new Date() }] = await tools.sql('SELECT clock_timestamp() AS before');
    const estimated = await put('A', '10:00', '1', 'E');
    const measured = await put('A', '10:00', '2', 'M');
    const corrected = await put('A', '10:00', '3', 'M');
    const later = await put('B', '10:15', '7', 'M');
    const of = async (asOf: string) => values({ meters: 'A,B', asOf });
    expect(await of(before.toISOString())).toEqual([]);
    expect(await of(estimated)).toEqual(['A 1 estimated']);
    expect(await of(measured)).toEqual(['A 2 raw']);
    expect(await of(corrected)).toEqual(['A 3 raw']);
    expect(await of(later)).toEqual(['A 3 raw', 'B 7 raw']);
    expect(await values({ meters: 'A,B' })).toEqual(['A 3 raw', 'B 7 raw']);
    const { body } = await ask({ meters: 'A', asOf: measured });
    expect(new Date(body.reads[0].writtenAt) < new Date(body.reads[0].replacedAt)).toBe(true);
    expect(new Date(body.reads[0].replacedAt) > new Date(measured)).toBe(true);
    // The same as a file, of all meters and of one.
    for (const meters of [undefined, ['A']]) {
      expect((await exported(estimated, meters)).rows).toEqual([`A FEEDER_1 ${DAY}T10:00:00Z 15 1`]);
      expect((await exported(measured, meters)).rows).toEqual([`A FEEDER_1 ${DAY}T10:00:00Z 15 2`]);
    }
    expect((await exported(later)).rows).toHaveLength(2);
  });

  it('are there too where what stands has taken the place of an estimate by being written anew', async () => {
    const estimated = await put('A', '10:00', '1', 'E');
    await put('B', '10:00', '1', 'M');
    // As a publish that comes late does it.
    await tools.sql(
      `INSERT INTO ami_replaced_reads (tenant_id, meter_id, read_at, replaced_at, replaced_by, written_at, feeder_id, kwh,
         interval_minutes, quality, import_id)
       SELECT tenant_id, meter_id, read_at, clock_timestamp(), import_id, updated_at, feeder_id, kwh, interval_minutes, quality,
         import_id FROM meter_reads_electric WHERE meter_id = 'A'`,
    );
    await tools.sql(`DELETE FROM meter_reads_electric WHERE meter_id = 'A'`);
    expect(await values({ meters: 'A', asOf: estimated })).toEqual(['A 1 estimated']);
    expect((await exported(estimated)).rows).toEqual([`A FEEDER_1 ${DAY}T10:00:00Z 15 1`]);
    expect(await values({ meters: 'A' })).toEqual([]);
  });

  it('are counted, and left out, where something changed them that keeps no history', async () => {
    const measured = await put('A', '10:00', '2', 'M');
    await tools.sql(
      `UPDATE meter_reads_electric SET kwh = 9, updated_at = clock_timestamp() WHERE meter_id = 'A'`,
    );
    const { body } = await ask({ meters: 'A', asOf: measured });
    expect([body.reads, body.unknown]).toEqual([[], 1]);
    expect((await exported(measured)).left).toEqual({ unknown: 1 });
    expect(await values({ meters: 'A' })).toEqual(['A 9 raw']);
  });

  it('come page by page, each once, and by quality', async () => {
    const times = Array.from(
      { length: 9 },
      (_, index) => `0${Math.floor(index / 4)}:${['00', '15', '30', '45'][index % 4]}`,
    );
    const rows = ['A', 'B', 'C'].flatMap((meter) =>
      times.map((time, index) => `${meter},${DAY}T${time}:00,${index},${index % 3 === 0 ? 'E' : 'M'}`),
    );
    await tools.text(`meter,start,kwh,quality\n${rows.join('\n')}\n`, { given: MAPPING });
    const seen: string[] = [];
    let after: Record<string, string> = {};
    for (let pages = 1; ; pages += 1) {
      const { body } = await ask({ meters: 'C,A,B', limit: '4', ...after });
      seen.push(
        ...body.reads.map(
          ({ meterId, start }: Record<string, string>) => `${meterId} ${start?.slice(11, 16)}`,
        ),
      );
      if (body.next === undefined) {
        expect(pages).toBe(7);
        break;
      }
      after = { after: body.next };
    }
    expect(seen).toEqual(['C', 'A', 'B'].flatMap((meter) => times.map((time) => `${meter} ${time}`)));
    expect(await values({ meters: 'B', quality: 'estimated' })).toEqual([
      'B 0 estimated',
      'B 3 estimated',
      'B 6 estimated',
    ]);
    expect(await values({ meters: 'B', after: `0~NOBODY` })).toEqual([]);
  });

  it('are of meters with a comma in their names, each named by itself', async () => {
    await put('A,B', '10:00', '2', 'M');
    await put('C', '10:00', '3', 'M');
    expect(await values({ meter: 'A,B' })).toEqual(['A,B 2 raw']);
    expect(await values({ meter: ['C', 'A,B'] })).toEqual(['C 3 raw', 'A,B 2 raw']);
    expect(await values({ meter: 'A,B', meters: 'C' })).toEqual(['C 3 raw', 'A,B 2 raw']);
    const file = await deployment.http
      .get('/api/ami/exports')
      .query({ tenantId: TENANT, from: DAY, to: DAY, format: 'csv', meter: ['A,B', 'C'] })
      .set(BEARER)
      .buffer(true);
    expect(file.text).toContain('"A,B",FEEDER_1');
    expect(file.text.trim().split('\n')).toHaveLength(3);
  });

  it.each([
    [{}, 'meters must name the meters'],
    [{ meters: 'A', from: '2026-01-01T00:00:00Z' }, 'from must lie within 62 days before to'],
    [{ meters: 'A', from: SPAN.to }, 'from must lie before to'],
    [{ meters: 'A', asOf: 'yesterday' }, 'asOf must be an ISO 8601 instant'],
    [{ meters: 'A', quality: 'good' }, 'quality must be a list of raw'],
    [{ meters: 'A', limit: '5001' }, 'limit must be a whole number from 1 to 5000'],
    [{ meters: 'A', after: 'x' }, 'after must be as `next` of the page before says'],
    [{ meter: '' }, 'meter must be a meter id, repeated'],
  ])('are refused by a sentence where %j is asked', async (query, sentence) => {
    const { status, body } = await ask(query as Record<string, string>);
    expect([status, body.error]).toEqual([400, expect.stringContaining(sentence)]);
  });

  it('are not found of a meter that has none', async () => {
    const { status, body } = await ask({ meters: 'NOBODY' });
    expect([status, body.error]).toEqual([404, 'Tenant IMPORT_TENANT has no reads of a meter NOBODY.']);
  });

  it('need a key', async () => {
    const { status } = await deployment.http.get(`/api/ami/reads?tenantId=${TENANT}&from=x`);
    expect(status).toBe(401);
  });
});
