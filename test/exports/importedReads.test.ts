import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ExportFormat } from '../../src/contracts/exportRequest.js';
import { exportFile, planExport } from '../../src/exports/exports.js';
import { importTools, NOW, type StoredRead } from '../imports/importTools.js';
import { createDeployment, type Deployment } from '../support/deployment.js';

/** Each sample with a span around it, and the format that says all of it. */
const WAYS: [sample: string, format: ExportFormat, from: string, to: string, zone: string | undefined][] = [
  ['nem12-15min.csv', 'nem12', '2026-04-04', '2026-04-06', undefined],
  ['nem12-5min.csv', 'nem12', '2026-10-04', '2026-10-04', undefined],
  ['greenbutton-15min-forward-reverse.xml', 'green-button', '2026-10-31', '2026-11-01', 'America/New_York'],
  ['greenbutton-hourly-two-usage-points.xml', 'green-button', '2026-10-31', '2026-11-02', 'America/New_York'],
  ['nem12-15min.csv', 'csv', '2026-04-03', '2026-04-07', 'UTC'],
  ['greenbutton-15min-forward-reverse.xml', 'csv', '2026-10-31', '2026-11-01', 'America/New_York'],
  ['greenbutton-15min-forward-reverse.xml', 'parquet', '2026-10-31', '2026-11-01', 'America/New_York'],
  ['nem12-5min.csv', 'parquet', '2026-10-03', '2026-10-05', 'UTC'],
  ['greenbutton-15min-forward-reverse.xml', 'csv-wide', '2026-10-31', '2026-11-01', 'America/New_York'],
];

describe('reads that were imported', () => {
  let deployment: Deployment;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridlens-round-trip-'));
    deployment = await createDeployment('postgres', {}, () => NOW);
    await deployment.startWorker();
  });
  const original = importTools(() => deployment.context, 'A');
  const again = importTools(() => deployment.context, 'B');
  afterEach(() => original.forget());
  afterAll(async () => {
    await deployment.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** What a format that has energies and qualities says of a read; a raw one is an actual one to NEM12. */
  const said = ({ feederId: _, ...read }: StoredRead) => ({
    ...read,
    kwh: Number(read.kwh),
    receivedKwh: read.receivedKwh === null ? null : Number(read.receivedKwh),
  });

  it.each(WAYS)('of %s leave as %s and come back the same', async (sample, format, from, to, zone) => {
    await original.finished((await original.sample(sample)).importId as number);
    const before = await original.reads();
    const { pool } = deployment.database;
    const plan = await planExport(pool, { tenantId: 'A', format, from, to, zone }, 31);
    const { writer, pieces } = exportFile(pool, plan, plan.days, NOW);
    const chunks: Buffer[] = [];
    for await (const piece of pieces) chunks.push(Buffer.from(piece as string));
    expect(writer.tally.counts().left).toEqual({});
    const path = join(folder, `reads.${format}`);
    await writeFile(path, Buffer.concat(chunks));
    const taken = await again.take(path);
    expect(taken).toMatchObject({ report: { refused: 0 } });
    await again.finished(taken.importId as number);
    expect((await again.reads()).map(said)).toEqual(before.map(said));
  });
});
