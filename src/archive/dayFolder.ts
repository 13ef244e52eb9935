import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { loadParquet } from '../columnFiles/parquet.js';
import { sha256Of, sha256OfFile, UNFINISHED, writeWholeFile } from '../columnFiles/wholeFile.js';
import { StartupError } from '../contracts/errors.js';
import { type ArchivedRow, type Figures, RowSums, rowsOf, tableOf } from './rows.js';

/** Rows of a file: some 30 MB while it is written. */
export const PART_ROWS = 100_000;

/** Writes a file whole or not at all. */
export type WriteFile = typeof writeWholeFile;

/** A folder `day=2026-01-31` of the archive: the files of that day's reads, and when all of them are whole this. */
export interface DayManifest extends Figures {
  manifest: 'gridlens-archive';
  version: 1;
  day: string;
  files: { path: string; rows: number; bytes: number; sha256: string }[];
}

const MANIFEST = 'manifest.json';

export function dayFolder(folder: string, day: string): string {
  return join(folder, `day=${day}`);
}

/** The days that have an archive, whole or not. */
export async function daysIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [] as string[];
    throw new StartupError(`${folder} cannot be read: ${error.message}.`);
  });
  return names.flatMap((name) => /^day=(\d{4}-\d{2}-\d{2})$/.exec(name)?.[1] ?? []).sort();
}

/**
 * Writes a day's rows into its folder, which is cleared before, and reads them back.
 *
 * @param pages of rows, in the order of the table's key.
 * @throws StartupError what cannot be written, or that what was read back is not what was written: then there is no manifest.
 */
export async function writeDay(
  folder: string,
  day: string,
  pages: AsyncIterable<readonly ArchivedRow[]>,
  writeFile: WriteFile = writeWholeFile,
): Promise<DayManifest> {
  const at = dayFolder(folder, day);
  await clear(at);
  const parquet = await loadParquet();
  const sums = new RowSums();
  const files: DayManifest['files'] = [];
  let rows: ArchivedRow[] = [];
  const writePart = async (): Promise<void> => {
    const path = `part-${String(files.length + 1).padStart(4, '0')}.parquet`;
    const contents = parquet.write(tableOf(rows));
    await writeFile(join(at, path), contents);
    files.push({ path, rows: rows.length, bytes: contents.length, sha256: sha256Of(contents) });
    rows = [];
  };
  for await (const page of pages) {
    sums.add(page);
    for (const row of page) {
      rows.push(row);
      if (rows.length === PART_ROWS) await writePart();
    }
  }
  if (rows.length > 0 || files.length === 0) await writePart();
  const manifest: DayManifest = { manifest: 'gridlens-archive', version: 1, day, ...sums.figures(), files };
  await requireAsManifest(folder, manifest);
  await writeFile(join(at, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/**
 * Reads a day's files and holds them to the manifest: hashes, count, sums, and the checksum over all rows.
 *
 * @throws StartupError that names the file or the figure that differs.
 */
export async function requireAsManifest(folder: string, manifest: DayManifest): Promise<void> {
  const sums = new RowSums();
  for await (const rows of readRows(folder, manifest)) sums.add(rows);
  const found = sums.figures();
  for (const name of ['rows', 'kwh', 'deliveredKwh', 'receivedKwh', 'checksum'] as const)
    if (found[name] !== manifest[name])
      throw new StartupError(
        `The archive of ${manifest.day} is not as it was written: its ${name} is ${found[name]} and was ${manifest[name]}.`,
      );
}

/**
 * @yields the rows of a day as they were archived, file by file.
 * @throws StartupError for a file that is not there or is not as it was written.
 */
export async function* readRows(folder: string, manifest: DayManifest): AsyncGenerator<ArchivedRow[]> {
  const parquet = await loadParquet();
  for (const { path, sha256 } of manifest.files) {
    const file = join(dayFolder(folder, manifest.day), path);
    if ((await sha256OfFile(file)) !== sha256)
      throw new StartupError(`${file} is not there, or not as it was written.`);
    yield rowsOf(parquet.read(await readFile(file)));
  }
}

/** @throws StartupError where the day has no whole archive. */
export async function dayManifest(folder: string, day: string): Promise<DayManifest> {
  const path = join(dayFolder(folder, day), MANIFEST);
  try {
    const found = JSON.parse(await readFile(path, 'utf8')) as DayManifest;
    if (found.manifest === 'gridlens-archive' && found.day === day) return found;
  } catch (error) {
    throw new StartupError(`There is no whole archive of ${day}: ${path} cannot be read.`, { cause: error });
  }
  throw new StartupError(`${path} is no manifest of the archive of ${day}.`);
}

/** The manifest first: what is left of a folder that cannot be cleared is not taken for whole. */
async function clear(at: string): Promise<void> {
  await rm(join(at, MANIFEST), { force: true });
  const names = await readdir(at).catch(() => [] as string[]);
  for (const name of names)
    if (name.endsWith('.parquet') || name.endsWith(UNFINISHED)) await rm(join(at, name), { force: true });
}
