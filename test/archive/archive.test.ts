import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { archiveDueDays } from '../../src/archive/archive.js';
import { archiveState } from '../../src/archive/archivedDays.js';
import { dayManifest, requireAsManifest, type WriteFile } from '../../src/archive/dayFolder.js';
import { restoreDay } from '../../src/archive/restore.js';
import { unwritableFile, writeWholeFile } from '../../src/columnFiles/wholeFile.js';
import { mountSmallDisk, noSmallDisk } from '../support/smallDisk.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const WITHOUT_DISK = (await noSmallDisk()) !== undefined;
const NOW = new Date('2026-03-10T12:00:00Z');
/** Numbers with more digits than the emulator has, none, and odd texts; NULLs in every column that may have one. */
const ROWS = `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, quality_flags,
    received_kwh, interval_minutes, quality, quality_method)
  SELECT 'T', 'M-' || n, 'F' || n % 2, at, CASE n WHEN 3 THEN 0.123456789012345678 WHEN 4 THEN 1.50 ELSE n / 8.0 END,
    CASE WHEN n <> 2 THEN n / 7.9 END, CASE WHEN n <> 5 THEN 110.1 + n END,
    CASE n WHEN 1 THEN '{LOW_VOLTAGE}'::text[] WHEN 2 THEN '{"a,\\"b\\""," "}'::text[] ELSE '{}' END,
    CASE n WHEN 3 THEN 0.25 END, CASE n WHEN 3 THEN 15 END, CASE n WHEN 3 THEN 'estimated' END, CASE n WHEN 3 THEN 'S14' END
  FROM generate_series(1, 5) AS n, generate_series('2026-03-01T00:00Z'::timestamptz, '2026-03-04T23:59Z', '15 min') AS at`;

describe('the archive', () => {
  let database: TestDatabase;
  let folder: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    for (const day of [1, 2, 3, 4]) await ensure(`2026-03-0${day}`);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    folder = join(mkdtempSync(join(tmpdir(), 'gridlens-archive-')), 'archive');
    await database.pool.query('TRUNCATE ami_archive_days');
    for (const day of [1, 2, 3, 4]) await ensure(`2026-03-0${day}`);
    await database.pool.query(`${ROWS} ON CONFLICT DO NOTHING`);
  });
  afterEach(() => {
    rmSync(join(folder, '..'), { recursive: true, force: true });
  });

  const ensure = (day: string) => database.pool.query('SELECT ami_ensure_read_partition($1::date)', [day]);
  /** Days before 3 March are due. */
  const archive = (writeFile: WriteFile = writeWholeFile) =>
    archiveDueDays({ database: database.pool, folder, readsRetentionDays: 7, now: NOW, writeFile });
  const rowsOf = async (day: string): Promise<string[]> =>
    (
      await database.pool.query<{ row: string }>(
        `SELECT reads::text AS row FROM meter_reads_electric reads WHERE read_at >= $1::date AND read_at < $1::date + 1 ORDER BY 1`,
        [day],
      )
    ).rows.map(({ row }) => row);
  const figures = async (): Promise<unknown> =>
    (
      await database.pool.query(
        `SELECT (SELECT json_agg(days ORDER BY days::text) FROM (SELECT day, feeder_id, reads, kwh, delivered_kwh FROM ami_feeder_days) days) AS days,
           (SELECT json_agg(odd ORDER BY odd::text) FROM (SELECT day, meter_id, low_voltage_reads FROM ami_meter_anomalies) odd) AS odd`,
      )
    ).rows[0];

  it('drops what is due when all of it stands in files, keeps what was counted, and puts it back row by row', async () => {
    const before = {
      first: await rowsOf('2026-03-01'),
      second: await rowsOf('2026-03-02'),
      figures: await figures(),
    };
    expect(before.first).toHaveLength(5 * 96);
    expect(await archive()).toEqual({ archived: ['2026-03-01', '2026-03-02'] });
    expect(await rowsOf('2026-03-01')).toEqual([]);
    expect(await rowsOf('2026-03-03')).toHaveLength(5 * 96);
    expect(await figures()).toEqual(before.figures);
    expect(await archiveState(database.pool)).toEqual({ days: 2, reads: 2 * 5 * 96, failing: null });
    expect(await archive()).toEqual({ archived: [] });

    const manifest = await dayManifest(folder, '2026-03-01');
    await requireAsManifest(folder, manifest);
    const duck = await (await DuckDBInstance.create()).connect();
    const read = await duck.runAndReadAll(
      `SELECT count(*)::text AS reads, min(read_at) = '2026-03-01 00:00:00Z'::timestamptz AS first FROM read_parquet('${folder}/day=2026-03-01/*.parquet')`,
    );
    expect(read.getRowObjectsJson()).toEqual([{ reads: String(manifest.rows), first: true }]);
    duck.disconnectSync();

    expect(await restoreDay(database.pool, folder, '2026-03-01')).toEqual({
      day: '2026-03-01',
      reads: 480,
      there: 0,
    });
    expect(await rowsOf('2026-03-01')).toEqual(before.first);
    expect(await figures()).toEqual(before.figures);
    // It stays for a while, though it is due; again, it changes nothing.
    expect(await archive()).toEqual({ archived: [] });
    expect(await restoreDay(database.pool, folder, '2026-03-01')).toMatchObject({ reads: 0, there: 480 });
    expect(await figures()).toEqual(before.figures);
  });

  it('archives a day without a read', async () => {
    await ensure('2026-02-27');
    try {
      expect(await archive()).toEqual({ archived: ['2026-02-27', '2026-03-01', '2026-03-02'] });
      const restored = await restoreDay(database.pool, folder, '2026-02-27');
      expect(restored).toEqual({ day: '2026-02-27', reads: 0, there: 0 });
    } finally {
      await database.pool.query('DROP TABLE IF EXISTS meter_reads_electric_p20260227');
    }
  });

  const kept = async (reason: RegExp): Promise<void> => {
    expect(await rowsOf('2026-03-01')).toHaveLength(480);
    expect(await rowsOf('2026-03-02')).toHaveLength(480);
    const { failing, days } = await archiveState(database.pool);
    expect({ day: failing?.day, days }).toEqual({ day: '2026-03-01', days: 0 });
    expect(failing?.failure).toMatch(reason);
  };

  it('drops nothing where the folder cannot be written, and goes on when it can', async () => {
    writeFileSync(folder, 'a file by that name');
    expect(await archive()).toMatchObject({ archived: [], failure: { day: '2026-03-01' } });
    await kept(/cannot be written|ENOTDIR/);
    rmSync(folder);
    expect(await archive()).toEqual({ archived: ['2026-03-01', '2026-03-02'] });
    expect((await archiveState(database.pool)).failing).toBeNull();
  });

  it('drops nothing where the disk is full', async () => {
    const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' });
    const onFullDisk: WriteFile = async (path) => {
      throw unwritableFile(path, full);
    };
    expect(await archive(onFullDisk)).toMatchObject({ archived: [] });
    await kept(/the disk is full/);
  });

  it.skipIf(WITHOUT_DISK)(
    'drops nothing on a real disk that is full, and goes on when it has room',
    async () => {
      const disk = await mountSmallDisk(4);
      try {
        folder = join(disk.folder, 'archive');
        await disk.fill(2);
        expect(await archive()).toMatchObject({ archived: [], failure: { day: '2026-03-01' } });
        await kept(/the disk is full/);
        disk.empty();
        expect(await archive()).toEqual({ archived: ['2026-03-01', '2026-03-02'] });
      } finally {
        await disk.remove();
      }
    },
  );

  it('drops nothing where what is read back is not what was written', async () => {
    const onBadDisk: WriteFile = async (path, contents) => {
      const bytes = Uint8Array.from(contents as Uint8Array);
      if (path.endsWith('.parquet')) bytes[100] = (bytes[100] as number) ^ 1;
      await writeWholeFile(path, typeof contents === 'string' ? contents : bytes);
    };
    expect(await archive(onBadDisk)).toMatchObject({ archived: [] });
    await kept(/not as it was written/);
    expect(existsSync(join(folder, 'day=2026-03-01/manifest.json'))).toBe(false);
  });

  it.each([
    ['kwh', 'kwh = kwh + 1'],
    ['fingerprint', 'voltage = voltage + 1'],
    ['fingerprint', `quality_flags = '{VOLTAGE_LOW}'`],
    ['fingerprint', `quality = 'questionable'`],
  ])('archives a day anew whose %s changes meanwhile: %s', async (figure, change) => {
    let writes = 0;
    const meanwhile: WriteFile = async (path, contents) => {
      await writeWholeFile(path, contents);
      writes += 1;
      if (writes === 1)
        await database.pool.query(
          `UPDATE meter_reads_electric SET ${change} WHERE meter_id = 'M-1' AND read_at = '2026-03-01T10:00Z'`,
        );
    };
    expect(await archive(meanwhile)).toMatchObject({ archived: [] });
    await kept(new RegExp(`are not what was archived: their ${figure} is`));
    expect(await archive()).toEqual({ archived: ['2026-03-01', '2026-03-02'] });
  });

  it('begins a day anew that was cut off, and restores nothing of an archive that was changed', async () => {
    mkdirSync(join(folder, 'day=2026-03-01'), { recursive: true });
    writeFileSync(join(folder, 'day=2026-03-01/part-0007.parquet'), 'left over');
    await archive();
    expect(readdirSync(join(folder, 'day=2026-03-01')).sort()).toEqual([
      'manifest.json',
      'part-0001.parquet',
    ]);
    const part = join(folder, 'day=2026-03-01/part-0001.parquet');
    const bytes = readFileSync(part);
    bytes[200] = (bytes[200] as number) ^ 1;
    writeFileSync(part, bytes);
    await expect(restoreDay(database.pool, folder, '2026-03-01')).rejects.toThrow('not as it was written');
    await expect(restoreDay(database.pool, folder, '2026-02-01')).rejects.toThrow(
      'no whole archive of 2026-02-01',
    );
    expect(await rowsOf('2026-03-01')).toEqual([]);
  });
});
