import type { Queryable } from '../db/db.js';

/** Makes the missing partitions for these instants. */
export async function ensurePartitions(client: Queryable, readAts: readonly Date[]): Promise<void> {
  await client.query(
    `SELECT ami_ensure_read_partition(day)
     FROM (SELECT DISTINCT (read_at AT TIME ZONE 'UTC')::date AS day FROM unnest($1::timestamptz[]) AS read_at) wanted
     ORDER BY day`,
    [readAts],
  );
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

/** Which days of those `now - daysBack` to `now + daysAhead` have no partition, as `2026-01-31`. Changes nothing. */
export async function missingPartitionDays(
  client: Queryable,
  now: Date,
  daysBack: number,
  daysAhead: number,
): Promise<string[]> {
  const { rows } = await client.query<{ day: string }>(
    `SELECT to_char(day, 'YYYY-MM-DD') AS day
     FROM (SELECT ($1::timestamptz AT TIME ZONE 'UTC')::date + offset_days AS day
           FROM generate_series(-$2::integer, $3::integer) AS offset_days) wanted
     WHERE NOT ami_has_read_partition('meter_reads_electric_p' || to_char(day, 'YYYYMMDD')) ORDER BY day`,
    [now, daysBack, daysAhead],
  );
  return rows.map(({ day }) => day);
}

/** Drops the partitions of the UTC days before `instant`'s own; answers their names. */
export async function dropPartitionsBefore(client: Queryable, instant: Date): Promise<string[]> {
  const { rows } = await client.query<{ dropped: string[] }>(
    `SELECT ami_drop_read_partitions_before(($1::timestamptz AT TIME ZONE 'UTC')::date) AS dropped`,
    [instant],
  );
  return rows[0]?.dropped ?? [];
}

/** Forgets the meters of one tenant that a drop has left without a read; answers false when no tenant is left. */
export async function recheckMetersOfOneTenant(client: Queryable): Promise<boolean> {
  const { rows } = await client.query<{ tenant: string | null }>('SELECT ami_recheck_meters() AS tenant');
  return (rows[0]?.tenant ?? null) !== null;
}
