import pg from 'pg';
import type { Queryable } from '../db/db.js';

/** All characters beyond ASCII in the SQL of BullMQ 6.7, in its comments for the most part. */
export const QUEUE_CHARACTERS = 'à—…→⇒⇔─';

const UNTRANSLATABLE_CHARACTER = '22P05';

/**
 * Why a database does not take the queue's SQL, and what helps; undefined when it does. Postgres itself is asked whether
 * its encoding has these characters: UTF8 does, LATIN1 does not, and neither does most of what else there is.
 */
export async function missingQueueCharacters(client: Queryable): Promise<string | undefined> {
  try {
    await client.query('SELECT $1::text', [QUEUE_CHARACTERS]);
    return undefined;
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== UNTRANSLATABLE_CHARACTER) throw error;
  }
  const { rows } = await client.query<{ database: string; encoding: string }>(
    `SELECT quote_ident(current_database()) AS database, current_setting('server_encoding') AS encoding`,
  );
  const { database, encoding } = rows[0] as (typeof rows)[number];
  return `Database ${database} has the encoding ${encoding}, and the queue's own SQL has characters that ${encoding} lacks: set REDIS_URL, and the queue is in Redis, or use a database in UTF8 (CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0;).`;
}
