import { type Database, withTransaction } from '../db/db.js';
import { recordRestored } from './archivedDays.js';
import { dayManifest, readRows, requireAsManifest } from './dayFolder.js';
import { COLUMN_NAMES, READ_COLUMNS } from './rows.js';

const INSERT_ROWS = 5_000;

/** What a restore did. */
export interface Restored {
  day: string;
  reads: number;
  /** Reads that stood in the table already, and stay as they are. */
  there: number;
}

/**
 * Puts a day's archived reads back into the table, whole or not at all; reads that are there stay. The archive stays as well.
 *
 * @throws StartupError where the day has no whole archive, or it is not as it was written: nothing is restored then.
 */
export async function restoreDay(database: Database, folder: string, day: string): Promise<Restored> {
  const manifest = await dayManifest(folder, day);
  await requireAsManifest(folder, manifest);
  let reads = 0;
  await withTransaction(database, async (client) => {
    await client.query('SELECT ami_ensure_read_partition($1::date)', [day]);
    for await (const rows of readRows(folder, manifest))
      for (let from = 0; from < rows.length; from += INSERT_ROWS) {
        const page = rows.slice(from, from + INSERT_ROWS);
        const columns = COLUMN_NAMES.map((_, at) => page.map((row) => row[at] ?? null));
        const { rowCount } = await client.query(INSERT, columns);
        reads += rowCount ?? 0;
      }
    // The day's figures stayed when it was dropped, and the inserts have counted on top of them.
    await client.query('SELECT ami_rebuild_rollups_of_day($1::date)', [day]);
    await recordRestored(client, day);
  });
  return { day, reads, there: manifest.rows - reads };
}

const TYPES = { text: 'text', instant: 'timestamptz', number: 'numeric', integer: 'integer' } as const;

function value(name: keyof typeof READ_COLUMNS): string {
  if (name === 'quality_flags') return `ARRAY(SELECT json_array_elements_text(${name}::json))`;
  if (READ_COLUMNS[name] === 'instant')
    return `timestamptz 'epoch' + ${name}::bigint * interval '1 microsecond'`;
  return `${name}::${TYPES[READ_COLUMNS[name]]}`;
}

const INSERT = `INSERT INTO meter_reads_electric (${COLUMN_NAMES.join(', ')})
  SELECT ${COLUMN_NAMES.map(value).join(', ')}
  FROM unnest(${COLUMN_NAMES.map((_, at) => `$${at + 1}::text[]`).join(', ')}) AS archived (${COLUMN_NAMES.join(', ')})
  ON CONFLICT DO NOTHING`;
