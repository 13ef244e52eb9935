/**
 * Room: archive. Promises: with a folder for it, a day of reads is dropped when all of it stands there, read back and compared; never
 * where that fails. What was counted of the day stays.
 */

import { keptSince } from '../contracts/intervals.js';
import { type Database, type Queryable, withTransaction } from '../db/db.js';
import { boundWaits } from '../db/locks.js';
import { plainDecimal } from '../intervalFiles/decimal.js';
import { recordArchived, recordFailure } from './archivedDays.js';
import { type WriteFile, writeDay } from './dayFolder.js';
import { type ArchivedRow, COLUMN_NAMES, READ_COLUMNS } from './rows.js';

export interface ArchiveOptions {
  database: Database;
  folder: string;
  readsRetentionDays: number;
  now: Date;
  /** How a file is written whole; tests have disks that fail. */
  writeFile?: WriteFile;
}

export interface ArchiveResult {
  archived: string[];
  /** Why the next day was not dropped. */
  failure?: { day: string; reason: string };
}

/** Rows fetched at once: some 60 ms of a core. */
const FETCH_ROWS = 5_000;
/** As retention itself: behind a long report the drop gives up, and is tried again. */
const DROP_WAIT_MS = 100;
const FROZEN_AFTER_MS = 5_000;
/** Whoever has put a day back wants to look at it. */
const RESTORED_STAYS_DAYS = 7;

/**
 * Archives and drops the days that are older than the retention, the oldest first, until one fails. Only one process should do so at
 * a time; two would do the same twice.
 */
export async function archiveDueDays(options: ArchiveOptions): Promise<ArchiveResult> {
  const { database, now, readsRetentionDays } = options;
  const archived: string[] = [];
  for (const day of await dueDays(database, keptSince(now, readsRetentionDays) as Date)) {
    try {
      await archiveDay(options, day);
      archived.push(day);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      await recordFailure(database, day, reason);
      return { archived, failure: { day, reason } };
    }
  }
  return { archived };
}

/** The days older than `kept` that have a partition; none where the table of reads is a customer's. */
export async function dueDays(client: Queryable, kept: Date): Promise<string[]> {
  const { rows } = await client.query<{ day: string }>(
    `SELECT to_char(to_date(right(child.relname, 8), 'YYYYMMDD'), 'YYYY-MM-DD') AS day
     FROM pg_inherits JOIN pg_class child ON child.oid = pg_inherits.inhrelid
     WHERE pg_inherits.inhparent = to_regclass('meter_reads_electric') AND child.relname ~ '^meter_reads_electric_p\\d{8}$'
       AND to_date(right(child.relname, 8), 'YYYYMMDD') < ($1::timestamptz AT TIME ZONE 'UTC')::date
       AND NOT EXISTS (SELECT FROM ami_archive_days WHERE day = to_date(right(child.relname, 8), 'YYYYMMDD')
         AND restored_at > now() - $2 * interval '1 day')
     ORDER BY 1`,
    [kept, RESTORED_STAYS_DAYS],
  );
  return rows.map(({ day }) => day);
}

async function archiveDay({ database, folder, writeFile }: ArchiveOptions, day: string): Promise<void> {
  const { written, archived } = await withTransaction(database, async (client) => {
    await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const manifest = await writeDay(folder, day, pagesOf(client, day), writeFile);
    const found = await figuresOf(client, day);
    requireSame(day, found, { ...manifest, fingerprint: found.fingerprint });
    return { written: manifest, archived: found };
  });
  const bytes = written.files.reduce((sum, file) => sum + file.bytes, 0);
  await withTransaction(database, async (client) => {
    await boundWaits(client, { lockMs: DROP_WAIT_MS, frozenMs: FROZEN_AFTER_MS });
    // Nobody writes into that day from here on; all other days go on.
    await client.query(`LOCK TABLE ${partitionOf(day)} IN SHARE MODE`);
    requireSame(day, await figuresOf(client, day), archived);
    await client.query('SELECT ami_drop_archived_partition($1::date)', [day]);
    await recordArchived(client, { day, reads: written.rows, bytes, sha256: written.checksum });
  });
}

interface TableFigures {
  rows: number;
  kwh: string;
  deliveredKwh: string;
  receivedKwh: string;
  /** Of every row and column, by Postgres's own hash: a voltage that is corrected shows in no sum. */
  fingerprint: string;
}

/** What Postgres itself counts in a partition. */
async function figuresOf(client: Queryable, day: string): Promise<TableFigures> {
  const { rows } = await client.query<
    Record<'rows' | 'kwh' | 'delivered' | 'received' | 'fingerprint', string>
  >(
    `SELECT count(*) AS rows, coalesce(sum(kwh), 0)::text AS kwh,
       coalesce(sum(delivered_kwh), 0)::text AS delivered,
       coalesce(sum(received_kwh), 0)::text AS received,
       coalesce(bit_xor(hash_record_extended(read, 0)), 0)::text AS fingerprint FROM ${partitionOf(day)} AS read`,
  );
  const [found] = rows;
  const plain = (text = '0'): string => plainDecimal(text) ?? text;
  return {
    rows: Number(found?.rows),
    kwh: plain(found?.kwh),
    deliveredKwh: plain(found?.delivered),
    receivedKwh: plain(found?.received),
    fingerprint: found?.fingerprint ?? '',
  };
}

/** @throws Error where the table is not what was archived: somebody wrote into the day, or the archive is wrong. */
function requireSame(day: string, found: TableFigures, archived: TableFigures): void {
  for (const name of ['rows', 'kwh', 'deliveredKwh', 'receivedKwh', 'fingerprint'] as const)
    if (found[name] !== archived[name])
      throw new Error(
        `The reads of ${day} are not what was archived: their ${name} is ${found[name]} and ${archived[name]} in the archive. It is tried again.`,
      );
}

/** By a cursor, in the order of the table's key, so that memory does not grow with the day. */
async function* pagesOf(client: Queryable, day: string): AsyncGenerator<ArchivedRow[]> {
  await client.query(
    `DECLARE archived NO SCROLL CURSOR FOR SELECT ${COLUMN_NAMES.map(asText).join(', ')}
     FROM ${partitionOf(day)} ORDER BY tenant_id, meter_id, read_at`,
  );
  for (;;) {
    const { rows } = await client.query<Record<string, string | null>>(`FETCH ${FETCH_ROWS} FROM archived`);
    if (rows.length === 0) return;
    // In the order in which they were asked for.
    yield rows.map((row) => Object.values(row));
  }
}

function asText(name: keyof typeof READ_COLUMNS): string {
  if (READ_COLUMNS[name] === 'instant')
    return `(extract(epoch FROM ${name}) * 1000000)::bigint::text AS ${name}`;
  return `${name === 'quality_flags' ? 'to_json(quality_flags)' : name}::text AS ${name}`;
}

/** The name of a day's partition: digits alone go into it. */
function partitionOf(day: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new Error(`${day} is no day`);
  return `meter_reads_electric_p${day.replaceAll('-', '')}`;
}
