import type pg from 'pg';
import { StartupError } from '../../contracts/errors.js';
import { shownRelation } from '../../schema/identifiers.js';
import type { RelationName } from '../../schema/mapping.js';

/**
 * Does `work` on a table of the registry.
 *
 * @throws StartupError when Postgres refuses, with a sentence that names the table and what to do; other errors as they
 * are.
 */
export async function refusedAsSentence<T>(relation: RelationName, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const sentence = sentenceOf(error as pg.DatabaseError, shownRelation(relation));
    throw sentence === undefined ? error : new StartupError(sentence, { cause: error });
  }
}

function sentenceOf({ code, column, detail, message }: pg.DatabaseError, table: string): string | undefined {
  switch (code) {
    case '23502':
      return `The table ${table} needs a value in its column "${column}" that the load does not have: give the column a default, or insert those rows yourself first.`;
    case '42501':
      return `The role that DATABASE_URL names lacks a right on ${table} (${message}): GRANT it SELECT, INSERT and UPDATE.`;
    case '42P01':
      return `A table of the registry is not there (${message}): run npm run migrate first.`;
  }
  // 22: values; 23: constraints; P0001: a trigger of theirs; 428C9: a column that is generated always; 55000, 42809: a
  // view that takes no rows.
  if (!/^(22|23|P0001|428C9|55000|42809)/.test(code ?? '')) return undefined;
  return `The table ${table} refuses the load: ${message}${detail ? ` (${detail.replace(/\.$/, '')})` : ''}.`;
}
