import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  makeFolder,
  sha256OfFile,
  UNFINISHED,
  unwritableFile,
  writeWholeFile,
} from '../columnFiles/wholeFile.js';
import { StartupError } from '../contracts/errors.js';
import type { DatasetFormat, MadeUnit } from './unitFiles.js';

/** What has been made so far, in a folder of its own until the set is whole. */
const PROGRESS = '.progress';
const ASKED = 'asked.json';
export const MANIFEST = 'manifest.json';

/** What a data set is made of; `--resume` goes on with the same only. */
export interface Asked {
  /** Of the scenario with all that its fields default to. */
  scenarioSha256: string;
  format: DatasetFormat;
  version: number;
}

/**
 * Takes a folder for a data set: a new or empty one, or with `resumes` one that was begun with the same.
 *
 * @returns what is in it already, unit by unit, looked at and found as it was written; `isWhole` where nothing lacks.
 * @throws StartupError where the folder holds something else, or cannot be written.
 */
export async function takeFolder(
  folder: string,
  asked: Asked,
  resumes: boolean,
): Promise<{ isWhole: boolean; made: Map<string, MadeUnit> }> {
  const names = await makeFolder(folder)
    .then(() => readdir(folder))
    .catch((error: unknown) => {
      throw unwritableFile(folder, error);
    });
  if (names.length === 0) {
    await writeWholeFile(join(folder, PROGRESS, ASKED), JSON.stringify(asked));
    return { isWhole: false, made: new Map() };
  }
  if (!resumes)
    throw new StartupError(
      `${folder} is not empty: name another folder, or go on with a data set that was begun there by --resume.`,
    );
  const isWhole = names.includes(MANIFEST);
  const before = await readJson<Asked>(join(folder, isWhole ? MANIFEST : join(PROGRESS, ASKED)));
  if (before === undefined)
    throw new StartupError(`${folder} holds no data set that was begun: name another folder.`);
  const differing = (['scenarioSha256', 'format', 'version'] as const).find(
    (field) => before[field] !== asked[field],
  );
  if (differing !== undefined)
    throw new StartupError(
      `${folder} holds a data set of another ${differing === 'scenarioSha256' ? 'scenario' : differing}: name another folder.`,
    );
  await forgetUnfinished(folder);
  return { isWhole, made: isWhole ? new Map() : await madeUnits(folder) };
}

/** Notes that a unit is made; its files are on the disk. */
export async function keepUnit(folder: string, made: MadeUnit): Promise<void> {
  await writeWholeFile(
    join(folder, PROGRESS, `${made.unit.replaceAll('/', '_')}.json`),
    JSON.stringify(made),
  );
}

/** Ends the making: the set is whole. */
export async function forgetProgress(folder: string): Promise<void> {
  await rm(join(folder, PROGRESS), { recursive: true, force: true });
}

async function madeUnits(folder: string): Promise<Map<string, MadeUnit>> {
  const made = new Map<string, MadeUnit>();
  for (const name of (await readdir(join(folder, PROGRESS))).toSorted()) {
    if (name === ASKED || !name.endsWith('.json')) continue;
    const unit = await readJson<MadeUnit>(join(folder, PROGRESS, name));
    if (unit && (await areAsWritten(folder, unit.files))) made.set(unit.unit, unit);
  }
  return made;
}

async function areAsWritten(folder: string, files: MadeUnit['files']): Promise<boolean> {
  for (const { path, sha256 } of files) if ((await sha256OfFile(join(folder, path))) !== sha256) return false;
  return true;
}

/** What a killed run has left under temporary names. */
async function forgetUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true }))
    if (name.endsWith(UNFINISHED)) await rm(join(folder, name), { force: true });
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
