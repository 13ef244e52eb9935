import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** By the package, not by the place of this file, which is in a bundle when it runs. */
const SQL_FOLDER = join(dirname(createRequire(import.meta.url).resolve('#product/package.json')), 'sql');

/**
 * The text of a file, by its path below `sql/`, with line feeds at its line ends, however it was checked out: checksums
 * are compared with those of other checkouts, and Postgres keeps the text of functions and comments as it gets it.
 */
export async function readSqlFile(path: string): Promise<string> {
  return (await readFile(join(SQL_FOLDER, path), 'utf8')).replaceAll('\r\n', '\n');
}
