import { readFile } from 'node:fs/promises';

/**
 * The text of an SQL file with line feeds at its line ends, however it was checked out: checksums are compared with those
 * of other checkouts, and Postgres keeps the text of functions and comments as it gets it.
 */
export async function readSqlFile(url: URL): Promise<string> {
  return (await readFile(url, 'utf8')).replaceAll('\r\n', '\n');
}
