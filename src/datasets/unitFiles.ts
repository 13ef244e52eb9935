import { join } from 'node:path';
import type { Table } from '../columnFiles/columns.js';
import { loadParquetWriter } from '../columnFiles/parquet.js';
import { sha256Of, writeWholeFile } from '../columnFiles/wholeFile.js';
import { csvOf } from '../columnFiles/writeCsv.js';
import type { Scenario } from '../scenarios/scenario.js';
import { type Unit, unitPath } from './units.js';
import { createUnitMaker, type UnitSums } from './unitTables.js';

export const DATASET_FORMATS = ['parquet', 'csv'] as const;
export type DatasetFormat = (typeof DATASET_FORMATS)[number];

/** A file of a data set, with its path in it. */
export interface DatasetFile {
  path: string;
  rows: number;
  bytes: number;
  sha256: string;
}

/** A unit that has been made: its files are whole and on the disk. */
export interface MadeUnit {
  unit: string;
  files: readonly DatasetFile[];
  sums: UnitSums;
}

/** Tables as files of a folder. */
export interface TableFiles {
  write(path: string, table: Table): Promise<DatasetFile>;
}

export async function createTableFiles(folder: string, format: DatasetFormat): Promise<TableFiles> {
  const parquet = format === 'parquet' ? await loadParquetWriter() : undefined;
  return {
    async write(name, table) {
      const path = `${name}.${format}`;
      const contents = parquet ? parquet.write(table) : csvOf(table);
      await writeWholeFile(join(folder, path), contents);
      return { path, rows: table.rows, bytes: contents.length, sha256: sha256Of(contents) };
    },
  };
}

/**
 * Makes units of a scenario in a folder.
 *
 * @throws StartupError what cannot be written; of that unit nothing counts then.
 */
export async function createUnitWriter(scenario: Scenario, folder: string, format: DatasetFormat) {
  const make = createUnitMaker(scenario);
  const files = await createTableFiles(folder, format);
  return async (unit: Unit, isFirst: boolean): Promise<MadeUnit> => {
    const { reads, labels, sums } = make(unit);
    const path = unitPath(unit);
    const written = [await files.write(`reads/${path}`, reads)];
    // One file at least: a reader of a folder without any does not know its columns.
    if (labels.rows > 0 || isFirst) written.push(await files.write(`labels/${path}`, labels));
    return { unit: path, files: written, sums };
  };
}
