import { readFile } from 'node:fs/promises';
import { type Database, withTransaction } from '../db.js';
import type { SchemaMapping } from './mapping.js';
import { ownMapping } from './ownMapping.js';

const SQL_FOLDER = new URL('../../sql/', import.meta.url);

/** Stand-in until detection is there. */
export async function adaptSchema(database: Database): Promise<SchemaMapping> {
  return withTransaction(database, async (client) => {
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended('gridlens:migrations', 0))");
    const { rows } = await client.query<{ schema: string; feeders: boolean; meters: boolean }>(
      `SELECT current_schema() AS schema, to_regclass('feeders') IS NOT NULL AS feeders, to_regclass('meters') IS NOT NULL AS meters`,
    );
    const found = rows[0] as (typeof rows)[number];
    if (!found.feeders) await client.query(await readFile(new URL('own_feeders.sql', SQL_FOLDER), 'utf8'));
    if (!found.meters) await client.query(await readFile(new URL('own_meters.sql', SQL_FOLDER), 'utf8'));
    return ownMapping(found.schema);
  });
}
