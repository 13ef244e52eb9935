/**
 * Room: datasets. Promises: a scenario becomes a folder of labelled reads without a database and a queue, the same bytes on any machine,
 * with any number of threads and however often it was cut off; what has its final name is whole.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shownDecimal } from '../columnFiles/decimals.js';
import { sha256Of, sha256OfFile, writeWholeFile } from '../columnFiles/wholeFile.js';
import { StartupError } from '../contracts/errors.js';
import type { Scenario } from '../scenarios/scenario.js';
import { dataCard } from './card.js';
import { fleetTables } from './fleetTables.js';
import { type Asked, forgetProgress, keepUnit, MANIFEST, takeFolder } from './progress.js';
import { makeUnits } from './threads.js';
import { createTableFiles, type DatasetFile, type DatasetFormat, type MadeUnit } from './unitFiles.js';
import { unitPath, unitsOf } from './units.js';
import { addSums, emptySums, type UnitSums } from './unitTables.js';

export { DATASET_FORMATS, type DatasetFormat } from './unitFiles.js';

/** Of how files, columns and labels are laid out: a later one makes other bytes of the same scenario. */
const VERSION = 2;

/** What `manifest.json` says. */
export interface DatasetManifest extends Asked {
  manifest: 'gridlens-dataset';
  scenario: Scenario['file'];
  from: string;
  /** Exclusive. */
  to: string;
  counts: Record<'meters' | 'feeders' | 'events' | 'reads' | 'labels' | 'missing' | 'late', number>;
  /** Exact, kWh. */
  sums: Record<'kwh' | 'deliveredKwh' | 'stolenKwh', string>;
  files: DatasetFile[];
  /** Of the scenario and the hashes of all files, in the order of their paths: one hash of the whole. */
  sha256: string;
}

export interface DatasetOptions {
  folder: string;
  format: DatasetFormat;
  threads: number;
  resumes: boolean;
  /** Told after each unit: how many are made, of how many. */
  onProgress?: (made: number, of: number) => void;
}

/**
 * Makes the data set of a scenario, or goes on with it.
 *
 * @throws StartupError where the folder holds something else, cannot be written, or is not as its manifest says.
 */
export async function makeDataset(scenario: Scenario, options: DatasetOptions): Promise<DatasetManifest> {
  const { folder, format, threads, resumes, onProgress } = options;
  requireMakeable(scenario);
  const scenarioSha256 = sha256Of(JSON.stringify(scenario.file));
  const asked: Asked = { scenarioSha256, format, version: VERSION };
  const { isWhole, made } = await takeFolder(folder, asked, resumes);
  if (isWhole) {
    await forgetProgress(folder);
    return verifyDataset(folder);
  }
  const units = unitsOf(scenario);
  const first = units[0] && unitPath(units[0]);
  const tasks = units
    .filter((unit) => !made.has(unitPath(unit)))
    .map((unit) => ({ unit, isFirst: unitPath(unit) === first }));
  onProgress?.(made.size, units.length);
  await makeUnits(scenario, tasks, { folder, format, threads }, async (one) => {
    await keepUnit(folder, one);
    made.set(one.unit, one);
    onProgress?.(made.size, units.length);
  });
  // In the order of the scenario, not of their making.
  const ordered = units.map((unit) => made.get(unitPath(unit)) as MadeUnit);
  return finish(scenario, asked, ordered, folder);
}

/** Writes what has no days, and at the very end the manifest: a folder that has one is whole. */
async function finish(
  scenario: Scenario,
  asked: Asked,
  units: readonly MadeUnit[],
  folder: string,
): Promise<DatasetManifest> {
  const sums = units.reduce<UnitSums>((all, one) => addSums(all, one.sums), emptySums());
  const tables = await createTableFiles(folder, asked.format);
  const files = units.flatMap((unit) => unit.files);
  for (const [name, table] of Object.entries(fleetTables(scenario)))
    files.push(await tables.write(name, table));
  const card = dataCard(scenario, asked.format, sums, scenario.file.span.days);
  await writeWholeFile(join(folder, 'README.md'), card);
  files.push({ path: 'README.md', rows: 0, bytes: Buffer.byteLength(card), sha256: sha256Of(card) });
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const { file, from, to, events } = scenario;
  const manifest: DatasetManifest = {
    ...{ manifest: 'gridlens-dataset', ...asked, scenario: file },
    ...{ from: from.toISOString(), to: to.toISOString() },
    counts: {
      ...{
        meters: file.meterCount,
        feeders: Math.min(file.feederCount, file.meterCount),
        events: events.length,
      },
      ...{ reads: sums.reads, labels: sums.labels, missing: sums.missing, late: sums.late },
    },
    sums: {
      kwh: shownDecimal(sums.kwh, 4),
      deliveredKwh: shownDecimal(sums.deliveredKwh, 4),
      stolenKwh: shownDecimal(sums.stolenKwh, 4),
    },
    files,
    sha256: hashOfWhole(asked, files),
  };
  await writeWholeFile(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  await forgetProgress(folder);
  return manifest;
}

function hashOfWhole({ scenarioSha256, format, version }: Asked, files: readonly DatasetFile[]): string {
  const lines = files.map(({ path, sha256 }) => `${sha256}  ${path}`);
  return sha256Of([scenarioSha256, format, version, ...lines].join('\n'));
}

/**
 * What a deployment writes and the files have no column or place for yet: a data set would differ from it in silence.
 *
 * @throws StartupError that names the field.
 */
function requireMakeable({ emulation: { der, network } }: Scenario): void {
  const field = der.pv ? 'der.pv' : network.quality ? 'network' : network.oddities ? 'oddities' : undefined;
  if (field !== undefined)
    throw new StartupError(
      `${field} must be left out of the scenario of a data set, which has no place for it yet; npm run scenario takes it.`,
    );
}

/**
 * Looks whether every file of a data set is as its manifest says.
 *
 * @throws StartupError that names the first one that is not, or says that there is no manifest.
 */
export async function verifyDataset(folder: string): Promise<DatasetManifest> {
  const manifest = await manifestOf(folder);
  for (const { path, sha256 } of manifest.files) {
    const found = await sha256OfFile(join(folder, path));
    if (found === sha256) continue;
    const what = found === undefined ? 'is not there' : 'is not as it was written';
    throw new StartupError(
      `${join(folder, path)} ${what}: the data set is not whole; remove ${folder} and make it anew.`,
    );
  }
  if (hashOfWhole(manifest, manifest.files) !== manifest.sha256)
    throw new StartupError(`${join(folder, MANIFEST)} is not as it was written: make the data set anew.`);
  return manifest;
}

/** @throws StartupError where the folder has no manifest of a data set. */
export async function manifestOf(folder: string): Promise<DatasetManifest> {
  const path = join(folder, MANIFEST);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT')
      throw new StartupError(
        `${folder} holds no whole data set: there is no ${MANIFEST}. Make it by npm run dataset, or go on by --resume.`,
      );
    throw new StartupError(`${path} cannot be read: ${error.message}.`);
  });
  try {
    const found = JSON.parse(text) as DatasetManifest;
    if (found.manifest === 'gridlens-dataset' && Array.isArray(found.files)) return found;
  } catch {
    // Said below, as of any other file by that name.
  }
  throw new StartupError(`${path} is no manifest of a data set.`);
}
