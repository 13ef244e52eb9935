import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ImportedFile } from '../../src/imports/importFile.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { type ImportTools, importTools, NOW, PLAIN, TENANT, type Wanted } from './importTools.js';

const GIVEN = { ...PLAIN.given, feederColumn: 'feeder' };
const HEAD = 'meter,feeder,start,kwh\n';

describe('feeders that a file names', () => {
  let deployment: Deployment;
  let tools: ImportTools;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridlens-feeders-'));
    deployment = await createDeployment('postgres', {}, () => NOW);
    tools = importTools(() => deployment.context);
  });
  afterEach(() => tools.forget());
  afterAll(async () => {
    await deployment.close();
    await rm(folder, { recursive: true });
  });

  const taken = async (text: string, wanted: Wanted = {}): Promise<ImportedFile> => {
    await writeFile(join(folder, 'reads.csv'), text);
    return tools.take(join(folder, 'reads.csv'), {
      ...{ given: GIVEN, register: { feederId: undefined } },
      ...wanted,
    });
  };
  const meters = async () =>
    (await tools.sql('SELECT meter_id, feeder_id FROM meters WHERE tenant_id = $1 ORDER BY 1', [TENANT])).map(
      ({ meter_id, feeder_id }) => `${meter_id} on ${feeder_id}`,
    );

  it('are those that new meters are put on, and their reads counted under', async () => {
    const file = `${HEAD}A,F1,2026-11-01T00:00:00,1\nB,F2,2026-11-01T00:00:00,1\nA,F1,2026-11-01T00:15:00,1\n`;
    expect(await taken(file)).toMatchObject({ metersRegistered: 2, report: { refused: 0 } });
    expect(await meters()).toEqual(['A on F1', 'B on F2']);
    expect(
      await tools.sql(
        'SELECT meter_id, feeder_id, count(*)::integer AS reads FROM ami_import_values GROUP BY 1, 2 ORDER BY 1',
      ),
    ).toEqual([
      { meter_id: 'A', feeder_id: 'F1', reads: 2 },
      { meter_id: 'B', feeder_id: 'F2', reads: 1 },
    ]);
  });

  it('leave meters where the registry has them', async () => {
    await taken(`${HEAD}A,F1,2026-11-01T00:00:00,1\n`);
    const moved = await taken(`${HEAD}A,F9,2026-11-01T00:15:00,1\n`);
    expect(moved).toMatchObject({ metersRegistered: 0, reads: 1, report: { refused: 0 } });
    expect(await meters()).toEqual(['A on F1']);
  });

  it('are refused where a new meter has two of them, row by row of the second', async () => {
    const file = `${HEAD}A,F1,2026-11-01T00:00:00,1\nA,F2,2026-11-01T00:15:00,1\nA,F2,2026-11-01T00:30:00,1\n`;
    const { reads, report } = await taken(file);
    expect([reads, report?.refused]).toEqual([1, 2]);
    expect(report?.refusals).toMatchObject([
      { line: 3, rows: 2, reason: expect.stringContaining('on feeder F1 in the rows above, but on F2 here') },
    ]);
    expect(await meters()).toEqual(['A on F1']);
  });

  it('may be missing: the feeder that is named beside them takes those meters, and without it their rows are refused', async () => {
    const file = `${HEAD}A,,2026-11-01T00:00:00,1\nB,F2,2026-11-01T00:00:00,1\nC, n/a ,2026-11-01T00:00:00,1\n`;
    const { report } = await taken(file);
    expect(report?.refusals).toMatchObject([
      { line: 2, meterId: 'A', reason: expect.stringContaining('the row names no feeder') },
      { line: 4, meterId: 'C' },
    ]);
    await tools.forget();
    expect((await taken(file, { register: { feederId: 'REST' } })).report?.refused).toBe(0);
    expect(await meters()).toEqual(['A on REST', 'B on F2', 'C on REST']);
  });

  it('say nothing where new meters are not wanted', async () => {
    const { report } = await taken(`${HEAD}A,F1,2026-11-01T00:00:00,1\n`, { register: undefined });
    expect(report?.refusals).toMatchObject([{ line: 2, reason: expect.stringContaining('--register') }]);
    expect(await meters()).toEqual([]);
  });

  it('are asked for where nothing names one', async () => {
    const { feederColumn: _, ...given } = GIVEN;
    const file = `${HEAD}A,F1,2026-11-01T00:00:00,1\n`;
    expect((await taken(file, { given })).refusal).toContain('--feeder-column');
    expect((await taken(file, { given: { ...GIVEN, feederColumn: 'circuit' } })).refusal).toContain(
      'no line has the columns meter, circuit',
    );
    const nem = await tools.sample('nem12-15min.csv', { register: { feederId: undefined } });
    expect(nem.refusal).toContain('a file of this format names no feeders');
    expect(await tools.sql('SELECT FROM meters')).toEqual([]);
  });

  it('are in a wide file too', async () => {
    const times = Array.from({ length: 24 }, (_, hour) => `${String(hour).padStart(2, '0')}:00`);
    const file = `meter,feeder,date,${times.join(',')}\nA,F7,2026-11-01,${times.map(() => 1).join(',')}\n`;
    const given = {
      ...{ layout: 'wide', meterColumn: 'meter', feederColumn: 'feeder', dateColumn: 'date', unit: 'kWh' },
      ...{
        dateOrder: 'ymd',
        zone: 'UTC',
        stamp: 'start',
        repeatedHour: 'refuse',
        channel: 'kwh',
        minutes: 60,
      },
    } satisfies Wanted['given'];
    expect(await taken(file, { given })).toMatchObject({ reads: 24, metersRegistered: 1 });
    expect(await meters()).toEqual(['A on F7']);
  });

  it('are in our own export', async () => {
    const head =
      'meter_id,feeder_id,interval_start,interval_minutes,kwh,received_kwh,delivered_kwh,voltage,quality,quality_method,flags,written_at,revised_at\n';
    const file = `${head}A,F1,2026-11-01T00:00:00Z,15,0.5,0.1,,,raw,,,,\nB,F2,2026-11-01T00:00:00Z,15,0.5,,,,raw,,,,\n`;
    const own = await taken(file, { given: { feederColumn: 'feeder_id' } });
    expect(own, JSON.stringify(own)).toMatchObject({ reads: 2, metersRegistered: 2 });
    expect(await meters()).toEqual(['A on F1', 'B on F2']);
    expect((await taken(file, { given: { feederColumn: 'quality' } })).refusal).toContain(
      'no column quality',
    );
  });
});
