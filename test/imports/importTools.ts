import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ImportedFile, type ImportOptions, importFile } from '../../src/imports/importFile.js';
import { createImportService } from '../../src/imports/imports.js';
import { innerFiles } from '../../src/imports/packedFile.js';
import type { ImportDetails } from '../../src/imports/progressAnswer.js';
import { createImportSupplier } from '../../src/imports/supplier.js';
import type { Context } from '../../src/process/context.js';
import { createPublishing } from '../../src/process/services.js';
import { waitFor } from '../support/waitFor.js';

export const NOW = new Date('2026-12-01T00:00:00Z');
export const TENANT = 'IMPORT_TENANT';
const SAMPLES = 'test/data/interval-files';

export type Wanted = Partial<Omit<ImportOptions, 'database' | 'schema'>>;

/** A read as the table has it, its numbers as text. */
export interface StoredRead {
  meterId: string;
  feederId: string;
  readAt: string;
  kwh: string;
  receivedKwh: string | null;
  minutes: number | null;
  quality: string | null;
  method: string | null;
}

/** What files become in a deployment's database. */
export function importTools(context: () => Context, tenantId = TENANT) {
  const sql = async (text: string, values: unknown[] = []) =>
    (await context().database.query(text, values)).rows;
  const service = () => createImportService({ database: context().database, maxReadsPerSecond: 2_500 });
  const take = async (path: string, wanted: Wanted = {}): Promise<ImportedFile> => {
    const [file] = await innerFiles(path, path.split('/').at(-1) as string);
    if (!file) throw new Error(`${path} holds no file`);
    return importFile(file, {
      ...{ database: context().database, schema: context().schema, tenantId, now: NOW, dryRun: false },
      ...{
        given: {},
        zone: undefined,
        register: { feederId: 'FEEDER_1' },
        mostRefusals: 100,
        overEmulated: false,
      },
      ...{ readsRetentionDays: undefined, requestId: 'a test' },
      ...wanted,
    });
  };
  /** What workers do of it every second or two, so that what comes after an import need not wait for their passes. */
  const supply = async (): Promise<void> => {
    const { admission } = createPublishing(context(), () => undefined);
    await createImportSupplier({ database: context().database, admission, now: () => NOW }).supply();
  };
  const finished = (importId: number): Promise<ImportDetails> =>
    waitFor(`import ${importId}`, async () => {
      const found = await service().find(importId);
      return found?.finishedAt ? found : false;
    });
  return {
    sql,
    supply,
    service,
    take,
    finished,
    sample: (name: string, wanted: Wanted = {}) => take(`${SAMPLES}/${name}`, wanted),
    /** Takes a file of this text in, and has a worker that runs write it at once. */
    async text(text: string, wanted: Wanted = {}): Promise<ImportDetails> {
      const folder = await mkdtemp(join(tmpdir(), 'gridlens-import-'));
      try {
        await writeFile(join(folder, 'reads.csv'), text);
        const taken = await take(join(folder, 'reads.csv'), wanted);
        if (taken.importId === undefined) throw new Error(JSON.stringify(taken));
        const { importId } = taken;
        return await waitFor(`import ${importId}`, async () => {
          await supply();
          const found = await service().find(importId);
          return found?.finishedAt ? found : false;
        });
      } finally {
        await rm(folder, { recursive: true });
      }
    },
    reads: (): Promise<StoredRead[]> =>
      sql(
        `SELECT meter_id AS "meterId", feeder_id AS "feederId", to_char(read_at AT TIME ZONE 'UTC', 'MM-DD HH24:MI') AS "readAt",
           kwh::text, received_kwh::text AS "receivedKwh", interval_minutes AS minutes, quality, quality_method AS method
         FROM meter_reads_electric WHERE tenant_id = $1 ORDER BY meter_id, read_at`,
        [tenantId],
      ),
    async forget(): Promise<void> {
      for (const table of [
        'meter_reads_electric',
        'ami_imports CASCADE',
        'meters',
        'feeders',
        'ami_import_values',
      ])
        await sql(`TRUNCATE ${table}`);
    },
  };
}

export type ImportTools = ReturnType<typeof importTools>;

/** What the samples must come to. */
export async function sampleTotals(): Promise<
  Record<string, Record<string, { byDay?: Record<string, string>; unit?: string }>>
> {
  return JSON.parse(await readFile(`${SAMPLES}/totals.json`, 'utf8'));
}

/** A mapping that leaves nothing open for the files of `csvOf`. */
export const PLAIN = {
  given: {
    ...{ layout: 'long', delimiter: ',', decimalMark: '.', meterColumn: 'meter', timestampColumn: 'start' },
    ...{ dateOrder: 'ymd', zone: 'UTC', stamp: 'start', repeatedHour: 'refuse', minutes: 15 },
    values: [{ column: 'kwh', channel: 'kwh', unit: 'kWh' }],
  },
} satisfies Wanted;

/** A CSV of quarter hours: meter, start, kWh, and whether it is an estimate. */
export const csvOf = (rows: readonly [meter: string, start: string, kwh: string][]): string =>
  ['meter,start,kwh', ...rows.map((row) => row.join(','))].join('\n').concat('\n');
