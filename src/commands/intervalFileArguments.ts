import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { StartupError } from '../contracts/errors.js';
import { MappingTextError, parseMappingText } from '../imports/mappingText.js';
import { type InnerFile, innerFiles } from '../imports/packedFile.js';
import type { CsvMapping } from '../intervalFiles/csv/mapping.js';
import { UnreadableFileError } from '../intervalFiles/intervalFiles.js';
import { LocalZone } from '../intervalFiles/time/localZone.js';

/** The files of interval data that a path holds; one that cannot be unpacked is its own report. */
export async function filesIn(path: string): Promise<(InnerFile | { name: string; refusal: string })[]> {
  try {
    return await innerFiles(path, basename(path));
  } catch (error) {
    if (error instanceof UnreadableFileError) return [{ name: basename(path), refusal: error.message }];
    throw unreadable(path, error);
  }
}

/** The fields of a mapping in a file. @throws StartupError where it cannot be read or is wrong. */
export async function mappingFrom(path: string): Promise<Partial<CsvMapping>> {
  try {
    return parseMappingText(await mappingTextFrom(path));
  } catch (error) {
    throw error instanceof MappingTextError ? new StartupError(error.message) : error;
  }
}

/** The text of a file. @throws StartupError where it cannot be read. */
export function mappingTextFrom(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw unreadable(path, error);
  });
}

function unreadable(path: string, error: unknown): StartupError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new StartupError(
    `${path} cannot be read (${code ?? message}): name a file that is there and may be read.`,
  );
}

/** The value of --zone. @throws what `wrong` throws. */
export function zoneOf(name: string, wrong: (sentence: string) => never): string {
  try {
    return new LocalZone(name).name;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return wrong(`--zone ${name} is no time zone; right would be Europe/Berlin, UTC or +10:00.`);
  }
}
