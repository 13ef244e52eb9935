import type { Queryable } from '../db/db.js';
import { worthOf } from '../intervalFiles/quality.js';
import { numberArray, textArray } from '../reads/meterReads.js';
import { asStored } from '../schema/functions/judgedReads.js';
import type { MappedColumn, ReadsMapping } from '../schema/mapping.js';
import type { PlannedRead } from './plan.js';

/**
 * The rows of one file on their way to `ami_import_values`, in tables that only the importer's transaction sees. A process
 * that dies leaves nothing behind.
 */

/** Rows per statement: a MB of parameters. */
const ROWS_AT_ONCE = 5_000;
/** For the sorts of what was read; they go to disk beyond it. */
const SORT_MEMORY = '64MB';

/** Makes the tables; they go with the transaction. */
export async function openStaging(client: Queryable): Promise<void> {
  await client.query(`
    SET LOCAL work_mem = '${SORT_MEMORY}';
    CREATE TEMPORARY TABLE ami_file_rows (meter_id text COLLATE "C", read_at timestamptz, minutes smallint,
      is_received boolean, kwh numeric, quality text COLLATE "C", line bigint) ON COMMIT DROP;
    CREATE TEMPORARY TABLE ami_file_meters (meter_id text COLLATE "C", feeder_id text COLLATE "C") ON COMMIT DROP`);
}

/** Takes rows in, as many at once as are worth a statement. */
export class StagedRows {
  readonly #waiting: PlannedRead[] = [];

  constructor(private readonly client: Queryable) {}

  async take(reads: readonly PlannedRead[]): Promise<void> {
    for (const read of reads) this.#waiting.push(read);
    while (this.#waiting.length >= ROWS_AT_ONCE) await this.#write(this.#waiting.splice(0, ROWS_AT_ONCE));
  }

  async end(): Promise<void> {
    await this.#write(this.#waiting.splice(0));
  }

  async #write(reads: readonly PlannedRead[]): Promise<void> {
    if (reads.length === 0) return;
    await this.client.query({
      name: 'stage-file-rows',
      text: `INSERT INTO ami_file_rows
             SELECT meter_id, to_timestamp(seconds), minutes, is_received, kwh, quality, line
             FROM unnest($1::text[], $2::bigint[], $3::smallint[], $4::boolean[], $5::numeric[], $6::text[], $7::bigint[])
               AS row (meter_id, seconds, minutes, is_received, kwh, quality, line)`,
      values: [
        textArray(reads.map(({ meterId }) => meterId)),
        numberArray(reads.map(({ readAt }) => readAt.getTime() / 1000)),
        numberArray(reads.map(({ minutes }) => minutes)),
        `{${reads.map(({ channel }) => (channel === 'receivedKwh' ? 't' : 'f')).join(',')}}`,
        `{${reads.map(({ kwh }) => kwh).join(',')}}`,
        textArray(reads.map(({ quality }) => `${worthOf(quality)}:${quality.kind}:${quality.method ?? ''}`)),
        numberArray(reads.map(({ line }) => line)),
      ],
    });
  }
}

/**
 * One row per meter and interval in `ami_file_reads`, both channels together, with what is wrong with it by the other rows
 * of the file. Its quality is that of the channel that is worth less.
 *
 * @param feederOf of every meter that was taken in.
 */
export async function mergeRows(client: Queryable, feederOf: ReadonlyMap<string, string>): Promise<void> {
  await client.query('INSERT INTO ami_file_meters SELECT * FROM unnest($1::text[], $2::text[])', [
    textArray([...feederOf.keys()]),
    textArray([...feederOf.values()]),
  ]);
  // Nobody analyses temporary tables by itself, and without figures the join below goes over all meters for each row.
  await client.query('ANALYZE ami_file_rows; ANALYZE ami_file_meters');
  await client.query(`
    CREATE TEMPORARY TABLE ami_file_reads ON COMMIT DROP AS
    SELECT meter_id, feeder_id, read_at, minutes, kwh, received_kwh, split_part(quality, ':', 2) AS quality,
      nullif(substring(quality FROM '^\\d:[a-z]+:(.*)$'), '') AS quality_method, line, rows,
      CASE WHEN differs THEN 'the file has two values of this interval: leave the right one in it'
           WHEN until_before > read_at OR read_at + minutes * interval '1 minute' > next_at
             THEN 'another interval of the meter in the file lies in the same time: its energy would count twice'
      END AS problem
    FROM (
      SELECT merged.*, lead(read_at) OVER of_meter AS next_at,
        lag(read_at + minutes * interval '1 minute') OVER of_meter AS until_before
      FROM (
        SELECT meter_id, read_at, max(minutes) AS minutes, max(kwh) FILTER (WHERE NOT is_received) AS kwh,
          max(kwh) FILTER (WHERE is_received) AS received_kwh, min(quality) AS quality, min(line) AS line,
          count(*) - count(DISTINCT is_received) AS rows,
          min(minutes) <> max(minutes)
            OR min(kwh) FILTER (WHERE NOT is_received) <> max(kwh) FILTER (WHERE NOT is_received)
            OR coalesce(min(kwh) FILTER (WHERE is_received) <> max(kwh) FILTER (WHERE is_received), false) AS differs
        FROM ami_file_rows GROUP BY meter_id, read_at
      ) merged WINDOW of_meter AS (PARTITION BY meter_id ORDER BY read_at)
    ) neighbours JOIN ami_file_meters USING (meter_id)`);
  await client.query('DROP TABLE ami_file_rows; ANALYZE ami_file_reads');
}

/** What the rows have come to. */
export interface MergedRows {
  reads: number;
  /** Rows that say the same as another one. */
  repeated: number;
  /** Reads with a problem. */
  refused: number;
  first: Date | null;
  last: Date | null;
}

export async function countMerged(client: Queryable): Promise<MergedRows> {
  const { rows } = await client.query<MergedRows>(
    `SELECT count(*) FILTER (WHERE problem IS NULL)::double precision AS reads,
       coalesce(sum(rows) FILTER (WHERE problem IS NULL), 0)::double precision AS repeated,
       count(problem)::double precision AS refused,
       min(read_at) FILTER (WHERE problem IS NULL) AS first, max(read_at) FILTER (WHERE problem IS NULL) AS last
     FROM ami_file_reads`,
  );
  return rows[0] as MergedRows;
}

/** The first reads with a problem. */
export async function refusedMerged(client: Queryable, limit: number) {
  const { rows } = await client.query<{ line: number; meterId: string; reason: string }>(
    `SELECT line::double precision AS line, meter_id AS "meterId",
       to_char(read_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || ': ' || problem AS reason
     FROM ami_file_reads WHERE problem IS NOT NULL ORDER BY line, read_at LIMIT $1`,
    [limit],
  );
  return rows;
}

/**
 * Puts the reads into batches, in the order of time: a batch then touches few partitions and few cells of the rollups.
 * Intervals of one length stand together.
 */
export async function fillBatches(client: Queryable, importId: number, batchSize: number): Promise<void> {
  await client.query(
    `INSERT INTO ami_import_values (import_id, batch, meter_id, feeder_id, read_at, minutes, kwh, received_kwh, quality,
       quality_method, line)
     SELECT $1, (row_number() OVER (ORDER BY minutes, read_at, feeder_id, meter_id) - 1) / $2::integer, meter_id,
       feeder_id, read_at, minutes, kwh, received_kwh, quality, quality_method, line
     FROM ami_file_reads WHERE problem IS NULL ORDER BY 2`,
    [importId, batchSize],
  );
}

/**
 * Leaves out what a customer's table of reads has no place for: energy into the grid where it has no column for it, and digits
 * of energy that its columns round away.
 *
 * @returns what was left, with how many values.
 */
export async function fitToTable(client: Queryable, reads: ReadsMapping): Promise<Record<string, number>> {
  if (reads.own) return {};
  const { kwh, receivedKwh } = reads.columns;
  const { rows } = await client.query<{ received: number; rounded: number; receivedRounded: number }>(
    `SELECT count(received_kwh)::double precision AS received,
       count(*) FILTER (WHERE kwh <> ${asStored(reads, kwh, 'kwh')})::double precision AS rounded,
       count(*) FILTER (WHERE received_kwh <> ${asStored(reads, receivedKwh, 'received_kwh')})::double precision AS "receivedRounded"
     FROM ami_file_reads`,
  );
  if (receivedKwh === null)
    await client.query(
      'DELETE FROM ami_file_reads WHERE kwh IS NULL; UPDATE ami_file_reads SET received_kwh = NULL WHERE received_kwh IS NOT NULL',
    );
  const { received = 0, rounded = 0, receivedRounded = 0 } = rows[0] ?? {};
  const digits = ({ name, type }: MappedColumn): string =>
    `last digits of energy, which your column ${name} (${type}) rounds away`;
  return {
    ...(receivedKwh === null && received > 0
      ? { 'energy into the grid, for which your table of reads has no column': received }
      : {}),
    ...(rounded > 0 ? { [digits(kwh)]: rounded } : {}),
    ...(receivedKwh && receivedRounded > 0 ? { [digits(receivedKwh)]: receivedRounded } : {}),
  };
}
