import type { Queryable } from '../db.js';

/** Makes the partition that `readAt` falls into, if it is missing. */
export async function ensurePartition(client: Queryable, readAt: Date): Promise<void> {
  await client.query(`SELECT ami_ensure_read_partition(($1::timestamptz AT TIME ZONE 'UTC')::date)`, [
    readAt,
  ]);
}

/** Makes the partitions of the days `now - daysBack` to `now + daysAhead`; answers how many were missing. */
export async function ensurePartitionsAround(
  client: Queryable,
  now: Date,
  daysBack: number,
  daysAhead: number,
): Promise<number> {
  const { rows } = await client.query<{ made: number }>(
    `SELECT count(*) FILTER (WHERE ami_ensure_read_partition(today + offset_days))::integer AS made
     FROM (SELECT ($1::timestamptz AT TIME ZONE 'UTC')::date AS today) day, generate_series(-$2::integer, $3::integer) AS offset_days`,
    [now, daysBack, daysAhead],
  );
  return rows[0]?.made ?? 0;
}

/** Drops the partitions that are wholly older than `days` days; answers their names. */
export async function dropPartitionsOlderThan(client: Queryable, now: Date, days: number): Promise<string[]> {
  const { rows } = await client.query<{ dropped: string[] }>(
    `SELECT ami_drop_read_partitions_before(($1::timestamptz AT TIME ZONE 'UTC')::date - $2::integer) AS dropped`,
    [now, days],
  );
  return rows[0]?.dropped ?? [];
}
