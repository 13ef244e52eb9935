import { readFile } from 'node:fs/promises';
import { ownFile } from '../ownFiles/ownFile.js';

/**
 * The text of a file, by its path below `sql/`, with line feeds at its line ends, however it was checked out: checksums
 * are compared with those of other checkouts, and Postgres keeps the text of functions and comments as it gets it.
 */
export async function readSqlFile(path: string): Promise<string> {
  return (await readFile(ownFile('sql', path), 'utf8')).replaceAll('\r\n', '\n');
}
