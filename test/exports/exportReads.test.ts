import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exportFile, planExport } from '../../src/exports/exports.js';
import { readPages } from '../../src/exports/readPages.js';
import type { OutgoingRead } from '../../src/intervalFiles/outgoing.js';
import { byHour, readBack } from '../intervalFiles/outgoing.js';
import { createDeployment, type Deployment } from '../support/deployment.js';

const SPAN = { from: new Date('2026-03-01T00:00:00Z'), to: new Date('2026-03-02T00:00:00Z') };
const NOW = new Date('2026-06-01T00:00:00Z');

describe('reads of an export', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment('postgres');
    for (const day of ['2026-02-28', '2026-03-01', '2026-03-02'])
      await deployment.database.pool.query('SELECT ami_ensure_read_partition($1)', [day]);
  });
  afterEach(async () => {
    await deployment.database.truncate('meter_reads_electric');
    await deployment.database.truncate('ami_publishes CASCADE');
  });
  afterAll(() => deployment.close());

  const sql = (text: string) => deployment.database.pool.query(text);
  const insert = (meters: number, step = '15 min', tenant = 'T') =>
    sql(`INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, quality_flags)
         SELECT '${tenant}', 'M-' || n, 'F' || n % 2, at, round(n + extract(hour FROM at) / 100, 4), 1.5, 113, '{LOW_VOLTAGE}'
         FROM generate_series(1, ${meters}) AS n,
           generate_series('2026-03-01T00:00Z'::timestamptz, '2026-03-01T23:59Z', '${step}') AS at`);
  const meters = async (asked: object = {}): Promise<OutgoingRead[][]> => {
    const all: OutgoingRead[][] = [];
    for await (const page of readPages(deployment.database.pool, { tenantId: 'T', ...SPAN, ...asked }))
      all.push(...page);
    return all;
  };

  it('come meter by meter, each whole and in order, over pages, with all that the table says', async () => {
    await insert(120);
    await insert(3, '15 min', 'OTHER');
    const all = await meters();
    expect(all).toHaveLength(120);
    expect(all.every((reads) => reads.length === 96)).toBe(true);
    const names = all.map((reads) => reads[0]?.meterId);
    expect(names).toEqual(names.toSorted());
    expect(new Set(all.flat().map(({ meterId, startUs }) => `${meterId} ${startUs}`)).size).toBe(11_520);
    expect(all[0]?.[4]).toMatchObject({
      ...{ meterId: 'M-1', feederId: 'F1', startUs: Date.parse('2026-03-01T01:00Z') * 1_000, minutes: 15 },
      ...{ kwh: '1.0100', receivedKwh: null, deliveredKwh: '1.5', voltage: '113', flags: ['LOW_VOLTAGE'] },
      quality: { kind: 'raw' },
    });
  });

  it('of a meter that has more than a page are not cut', async () => {
    await insert(2, '10 s');
    expect((await meters()).map((reads) => reads.length)).toEqual([8_635, 8_635]);
  });

  it('are of the meters, the feeder and the qualities that are asked for', async () => {
    await insert(4);
    const names = async (asked: object) => (await meters(asked)).map((reads) => reads[0]?.meterId);
    expect(await names({ meters: ['M-3', 'M-1'] })).toEqual(['M-3', 'M-1']);
    expect(await names({ feederId: 'F0' })).toEqual(['M-2', 'M-4']);
    expect(await names({ feederId: 'F0', meters: ['M-1', 'M-2'] })).toEqual(['M-2']);
    expect(await names({ qualities: ['raw'] })).toHaveLength(4);
    expect(await names({ qualities: ['estimated', 'validated'] })).toEqual([]);
  });

  it('take their length from the ledger, else from the shortest time between two of the meter, else as its series does', async () => {
    const length = async () => [...new Set((await meters()).flat().map(({ minutes }) => minutes))];
    await insert(1, '5 min');
    expect(await length()).toEqual([5]);
    await sql(`DELETE FROM meter_reads_electric WHERE extract(minute FROM read_at) % 30 <> 0`);
    expect(await length()).toEqual([30]);
    await sql(`DELETE FROM meter_reads_electric WHERE read_at <> '2026-03-01T10:00Z'`);
    expect(await length()).toEqual([60]);
    await sql(`UPDATE meter_reads_electric SET read_at = '2026-03-01T10:15Z'`);
    expect(await length()).toEqual([15]);
    await sql(`UPDATE meter_reads_electric SET read_at = '2026-03-01T10:00Z'`);
    const publish = await deployment.post('/api/ami/publish-once', {
      ...{
        tenantId: 'T',
        meterCount: 10,
        feederCount: 10,
        readAt: '2026-03-01T10:00:00Z',
        intervalMinutes: 15,
      },
    });
    expect(publish.status).toBe(202);
    expect(await length()).toEqual([15]);
  });

  it('keep digits, microseconds and revisions', async () => {
    await sql(`INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, created_at, updated_at)
               VALUES ('T', 'M', 'F', '2026-03-01T10:00:00.000250Z', 0.${'1'.repeat(28)}, '2026-03-01T11:00:00.000001Z', '2026-03-02T00:00Z')`);
    const [[read] = []] = await meters();
    expect(read).toMatchObject({
      startUs: Date.parse('2026-03-01T10:00Z') * 1_000 + 250,
      kwh: `0.${'1'.repeat(28)}`,
      writtenUs: Date.parse('2026-03-01T11:00Z') * 1_000 + 1,
      revisedUs: Date.parse('2026-03-02T00:00Z') * 1_000,
    });
  });

  it('of a page are a piece of the key’s index: no page sorts or reads a day', async () => {
    await insert(200);
    await sql('ANALYZE meter_reads_electric');
    const { rows } = await deployment.database.pool.query(
      `EXPLAIN SELECT * FROM ami_exported_reads('T', 'M-5', '2026-03-01T00:00Z', '2026-03-02T12:00Z') LIMIT 500`,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/Index Scan using/);
    expect(plan).toContain('meter_id');
    expect(plan).not.toMatch(/Sort\b(?! Key)|Seq Scan on meter_reads_electric_2026_03_01|Function Scan/);
  });

  it.each([
    ['csv', 'UTC'],
    ['csv-wide', 'America/New_York'],
    ['green-button', 'Asia/Kolkata'],
    ['nem12', '+10:00'],
  ] as const)('as %s are read back with the energy of each hour', async (format, zone) => {
    await sql(`SELECT ami_ensure_read_partition('2026-03-02')`);
    await sql(`INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh)
               SELECT 'T', 'M-' || n, 'F', at, round((n + extract(epoch FROM at)::numeric / 900 % 97) / 7, 4) FROM generate_series(1, 3) AS n,
                 generate_series('2026-02-28T00:00Z'::timestamptz, '2026-03-02T23:59Z', '15 min') AS at`);
    const asked = { tenantId: 'T', format, zone, from: '2026-03-01', to: '2026-03-01' };
    const plan = await planExport(deployment.database.pool, asked, 10);
    const { pieces, writer } = exportFile(deployment.database.pool, plan, plan.days, NOW);
    let text = '';
    for await (const piece of pieces) text += piece;
    const { reads, refusals } = await readBack(text);
    expect(refusals).toEqual([]);
    expect(reads).toHaveLength(288);
    const from = plan.zone.startOf(plan.days[0] as number);
    const { rows } = await deployment.database.pool.query(
      `SELECT extract(epoch FROM read_at) * 1000 AS "startMs", kwh FROM meter_reads_electric WHERE read_at >= $1 AND read_at < $2`,
      [new Date(from), new Date(from + 86_400_000)],
    );
    expect(byHour(reads)).toEqual(
      byHour(rows.map((row) => ({ startMs: Number(row.startMs), kwh: row.kwh }))),
    );
    const sum = await deployment.database.pool.query(
      `SELECT trim_scale(sum(kwh))::text AS kwh FROM meter_reads_electric WHERE read_at >= $1 AND read_at < $2`,
      [new Date(from), new Date(from + 86_400_000)],
    );
    expect(writer.tally.counts()).toMatchObject({ reads: 288, kwh: sum.rows[0].kwh, left: {} });
  });

  it('of a day whose midnight the clocks skip are of that day and no other', async () => {
    const plan = await planExport(
      deployment.database.pool,
      { tenantId: 'T', format: 'csv', zone: 'Africa/Cairo', from: '2026-04-23', to: '2026-04-24' },
      10,
    );
    expect(plan.days.map((day) => new Date(plan.zone.startOf(day)).toISOString())).toEqual([
      ...['2026-04-22T22:00:00.000Z', '2026-04-23T22:00:00.000Z'],
    ]);
  });

  it.each([
    [{ from: '2026-03-02' }, 'from must not lie after to, which is 2026-03-01.'],
    [{ from: '2026-01-01' }, 'from must lie within 10 days before to.'],
    [
      { zone: 'Mars/Olympus' },
      'zone must be a time zone, for example "America/New_York", "UTC" or "+10:00".',
    ],
    [
      { format: 'nem12', zone: 'UTC' },
      'zone must be +10:00 or left out with nem12, whose days are of that clock.',
    ],
    [{ meters: ['NO'] }, 'meters must have reads: tenant T has none of a meter NO.'],
    [{ feederId: 'NO' }, 'feederId must have reads: tenant T has none of a feeder NO.'],
  ])('are refused with a sentence: %j', async (wrong, sentence) => {
    const asked = { tenantId: 'T', format: 'csv', from: '2026-03-01', to: '2026-03-01', ...wrong } as const;
    await expect(planExport(deployment.database.pool, asked as never, 10)).rejects.toThrow(sentence);
  });
});
