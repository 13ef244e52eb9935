import type { Queryable } from '../db/db.js';

/** What the database knows of a day's archive. */
export interface ArchivedDay {
  /** `2026-01-31`. */
  day: string;
  reads: number;
  bytes: number;
  /** Of the manifest. */
  sha256: string;
  droppedAt: Date | null;
}

/** The latest failure of an archive, until a day is archived again. */
export interface ArchiveFailure {
  day: string;
  failure: string;
  failedAt: Date;
}

export async function recordArchived(
  client: Queryable,
  { day, reads, bytes, sha256 }: Omit<ArchivedDay, 'droppedAt'>,
): Promise<void> {
  await client.query(
    `INSERT INTO ami_archive_days (day, reads, bytes, sha256, archived_at, dropped_at, failure, failed_at)
     VALUES ($1, $2, $3, $4, now(), now(), NULL, NULL)
     ON CONFLICT (day) DO UPDATE SET reads = excluded.reads, bytes = excluded.bytes, sha256 = excluded.sha256,
       archived_at = now(), dropped_at = now(), failure = NULL, failed_at = NULL`,
    [day, reads, bytes, sha256],
  );
}

export async function recordFailure(client: Queryable, day: string, failure: string): Promise<void> {
  await client.query(
    `INSERT INTO ami_archive_days (day, failure, failed_at) VALUES ($1, $2, now())
     ON CONFLICT (day) DO UPDATE SET failure = excluded.failure, failed_at = now()`,
    [day, failure],
  );
}

/** Notes that a day's reads are back in the table. */
export async function recordRestored(client: Queryable, day: string): Promise<void> {
  await client.query('UPDATE ami_archive_days SET dropped_at = NULL, restored_at = now() WHERE day = $1', [
    day,
  ]);
}

/** What the archive has come to, for status and metrics. */
export async function archiveState(
  client: Queryable,
): Promise<{ days: number; reads: number; failing: ArchiveFailure | null }> {
  const { rows } = await client.query<{ days: number; reads: number }>(
    `SELECT count(*)::integer AS days, coalesce(sum(reads), 0)::double precision AS reads
     FROM ami_archive_days WHERE dropped_at IS NOT NULL`,
  );
  const failures = await client.query<ArchiveFailure>(
    `SELECT day::text AS day, failure, failed_at AS "failedAt" FROM ami_archive_days
     WHERE failure IS NOT NULL ORDER BY day LIMIT 1`,
  );
  return { ...(rows[0] as { days: number; reads: number }), failing: failures.rows[0] ?? null };
}
