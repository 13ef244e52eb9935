import { type Database, type Queryable, withTransaction } from '../db/db.js';
import { tryLock } from '../db/locks.js';

/** An import of which something is still to be accepted. */
export interface OpenImport {
  importId: number;
  tenantId: string;
  reads: number;
  batches: number;
  nextBatch: number;
  attempts: number;
  requestId: string;
  /** Batches that are accepted and not written. */
  pending: number;
}

/** How many take turns. */
const OPEN_AT_ONCE = 100;

/** The imports that may be served at `now`, the oldest first. */
export async function openImports(client: Queryable, now: Date): Promise<OpenImport[]> {
  const { rows } = await client.query<OpenImport>(
    `SELECT import_id AS "importId", tenant_id AS "tenantId", reads::double precision AS reads, batches,
       next_batch AS "nextBatch", attempts, request_id AS "requestId", (
         SELECT count(*)::integer FROM ami_publish_batches batch JOIN ami_publishes publish USING (publish_id)
         WHERE batch.state = 'pending' AND publish.import_id = import.import_id) AS pending
     FROM ami_imports import
     WHERE state = 'writing' AND finished_at IS NULL AND next_batch < batches
       AND (next_try_at IS NULL OR next_try_at <= $1)
     ORDER BY import_id LIMIT ${OPEN_AT_ONCE}`,
    [now],
  );
  return rows;
}

/**
 * Notes that the next batches are being accepted, in the transaction that accepts them.
 *
 * @returns false, with nothing changed, when somebody else has served or cancelled the import since it was looked at.
 */
export async function noteAccepted(client: Queryable, seen: OpenImport, batches: number): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE ami_imports SET next_batch = next_batch + $3, attempts = 0, next_try_at = NULL, failure = NULL
     WHERE import_id = $1 AND next_batch = $2 AND state = 'writing'`,
    [seen.importId, seen.nextBatch, batches],
  );
  return rowCount === 1;
}

/** Notes why the next batches cannot be accepted, and when to try again; null gives the import up. */
export async function noteTrouble(
  client: Queryable,
  seen: OpenImport,
  failure: string,
  nextTryAt: Date | null,
): Promise<void> {
  await client.query(
    `UPDATE ami_imports SET failure = $3, attempts = attempts + 1, next_try_at = $4,
       state = CASE WHEN $4::timestamptz IS NULL THEN 'failed' ELSE state END
     WHERE import_id = $1 AND next_batch = $2 AND state = 'writing'`,
    [seen.importId, seen.nextBatch, failure.slice(0, 500), nextTryAt],
  );
}

/** The instants at which reads of these batches begin, one a day. */
export async function daysOfBatches(
  client: Queryable,
  importId: number,
  from: number,
  to: number,
): Promise<Date[]> {
  const { rows } = await client.query<{ at: Date }>(
    `SELECT min(read_at) AS at FROM ami_import_values WHERE import_id = $1 AND batch >= $2 AND batch < $3
     GROUP BY ami_utc_day(read_at) ORDER BY 1`,
    [importId, from, to],
  );
  return rows.map(({ at }) => at);
}

/** Cancels an import: what is accepted and not written is taken back too. One that is over stays as it is. */
export function cancelImport(database: Database, importId: number): Promise<void> {
  return withTransaction(database, async (client) => {
    const { rowCount } = await client.query(
      `UPDATE ami_imports SET state = 'cancelled' WHERE import_id = $1 AND state IN ('reading', 'writing')`,
      [importId],
    );
    if (rowCount === 0) return;
    await client.query(
      `UPDATE ami_publish_batches batch SET state = 'cancelled', finished_at = clock_timestamp()
       FROM ami_publishes publish
       WHERE publish.publish_id = batch.publish_id AND publish.import_id = $1 AND batch.state = 'pending'`,
      [importId],
    );
  });
}

/** Staged rows deleted in one statement. */
const DELETED_AT_ONCE = 50_000;

/**
 * Ends imports of which nothing is left to be written, with their counts; and those whose file was being read by a process
 * that is gone. Several processes may do this at once.
 */
export async function settleImports(database: Database): Promise<void> {
  await failForsaken(database);
  const { rows } = await database.query<{ importId: number }>(
    `SELECT import_id AS "importId" FROM ami_imports import
     WHERE finished_at IS NULL AND (state IN ('failed', 'cancelled') OR state = 'writing' AND next_batch = batches)
       AND NOT EXISTS (
         SELECT FROM ami_publishes publish JOIN ami_publish_batches batch USING (publish_id)
         WHERE publish.import_id = import.import_id AND batch.state = 'pending')`,
  );
  for (const { importId } of rows) await settle(database, importId);
}

async function settle(database: Database, importId: number): Promise<void> {
  // Of batches that were given up, cancelled, or never accepted.
  for (;;) {
    const { rowCount } = await database.query(
      `DELETE FROM ami_import_values WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM ami_import_values WHERE import_id = $1 LIMIT ${DELETED_AT_ONCE}))`,
      [importId],
    );
    if ((rowCount ?? 0) < DELETED_AT_ONCE) break;
  }
  await database.query(
    `UPDATE ami_imports import SET finished_at = coalesce(sums.last_at, clock_timestamp()),
       state = CASE WHEN state <> 'writing' THEN state WHEN sums.failed > 0 THEN 'failed' ELSE 'done' END,
       batches_done = sums.done, batches_failed = sums.failed, batches_cancelled = sums.cancelled,
       inserted = sums.inserted, updated = sums.updated, duplicate = sums.duplicate, refused_by_rules = sums.refused,
       failure = coalesce(import.failure, sums.failure)
     FROM (${SUMS}) sums
     WHERE import.import_id = $1 AND finished_at IS NULL`,
    [importId],
  );
}

/** The ledger's counts of import `$1`. */
export const SUMS = `SELECT count(*) FILTER (WHERE batch.state = 'done')::integer AS done,
    count(*) FILTER (WHERE batch.state = 'failed')::integer AS failed,
    count(*) FILTER (WHERE batch.state = 'cancelled')::integer AS cancelled,
    coalesce(sum(batch.inserted), 0) AS inserted, coalesce(sum(batch.updated), 0) AS updated,
    coalesce(sum(batch.duplicate), 0) AS duplicate, coalesce(sum(batch.skipped), 0) AS refused,
    min(batch.started_at) AS started_at, max(batch.finished_at) AS last_at, min(batch.failure) AS failure
  FROM ami_publishes publish JOIN ami_publish_batches batch USING (publish_id) WHERE publish.import_id = $1`;

/** Between the row of an import and its reader's lock lies a moment. */
const READER_HAS_SECONDS = 30;

/** Fails imports whose file nobody reads any more: the reader holds a lock until its transaction ends. */
async function failForsaken(database: Database): Promise<void> {
  const { rows } = await database.query<{ importId: number }>(
    `SELECT import_id AS "importId" FROM ami_imports
     WHERE state = 'reading' AND finished_at IS NULL AND accepted_at < clock_timestamp() - $1 * interval '1 s'`,
    [READER_HAS_SECONDS],
  );
  for (const { importId } of rows)
    await withTransaction(database, async (client) => {
      if (!(await tryLock(client, 'import-file', String(importId)))) return;
      await client.query(
        `UPDATE ami_imports SET state = 'failed', finished_at = clock_timestamp(),
           failure = 'The process that read the file ended before it had read it whole: nothing of it was taken.'
         WHERE import_id = $1 AND state = 'reading'`,
        [importId],
      );
    });
}
