import type { Queryable } from '../db/db.js';

/**
 * How many meters last reported how long before an interval; every known meter is in exactly one of them. Of a meter that is
 * read every 30 or 60 minutes the age counts from the last of its intervals that was over by the end of this one.
 */
export interface StaleMetersBuckets {
  /** Reported the interval itself, or one after it. */
  current: number;
  /** At least 15 minutes and less than an hour before it. */
  staleOver15m: number;
  /** At least an hour and less than a day before it. */
  staleOver1h: number;
  /** At least a day before it. */
  staleOver24h: number;
}

/**
 * Ages every known meter against the interval at `readAt`, never against the clock (D16).
 *
 * Counting tells how many meters are silent. Mostly the rollups tell their ages too, since intervals have a fingerprint
 * of the meters that reported. Else one index probe per meter finds them (a join became a scan of the day).
 *
 * @param latest the tenant's latest read of all; partitions after it are not searched.
 */
export async function staleMetersAt(
  database: Queryable,
  tenantId: string,
  readAt: Date,
  latest: Date,
): Promise<StaleMetersBuckets> {
  const { rows } = await database.query<{ known: number; reported: number; hasLengths: boolean }>({
    name: 'known-and-reported-meters',
    text: `SELECT (SELECT count(*) FROM ami_known_meters WHERE tenant_id = $1)::double precision AS known,
             (SELECT coalesce(sum(reads), 0) FROM ami_feeder_intervals
              WHERE tenant_id = $1 AND read_at = $2)::double precision AS reported,
             EXISTS (SELECT FROM ami_feeder_lengths
               WHERE tenant_id = $1 AND read_at > $2::timestamptz - interval '26 h' AND read_at <= $3) AS "hasLengths"`,
    values: [tenantId, readAt, latest],
  });
  const { known, reported, hasLengths } = rows[0] as (typeof rows)[number];
  if (known === reported) return { current: known, staleOver15m: 0, staleOver1h: 0, staleOver24h: 0 };
  if (hasLengths) return bucketsByLength(database, tenantId, readAt, latest);
  return (
    (await bucketsByRollups(database, tenantId, readAt, latest, known)) ??
    (await bucketsByProbes(database, tenantId, readAt, latest, known - reported, reported))
  );
}

/** Where meters are read in intervals of several lengths. */
async function bucketsByLength(
  database: Queryable,
  tenantId: string,
  readAt: Date,
  latest: Date,
): Promise<StaleMetersBuckets> {
  const { rows } = await database.query<StaleMetersBuckets>({
    name: 'meters-by-age',
    text: `SELECT up_to_date::double precision AS current, over_15_minutes::double precision AS "staleOver15m",
             over_an_hour::double precision AS "staleOver1h", over_a_day::double precision AS "staleOver24h"
           FROM ami_meters_by_age($1, $2, $3)`,
    values: [tenantId, readAt, latest],
  });
  return rows[0] as StaleMetersBuckets;
}

/** Undefined where the rollups leave it open. Its cost does not depend on how many meters are silent. */
async function bucketsByRollups(
  database: Queryable,
  tenantId: string,
  readAt: Date,
  latest: Date,
  known: number,
): Promise<StaleMetersBuckets | undefined> {
  const { rows } = await database.query<{ intervalOn: number | null; hourOn: number; dayOn: number }>({
    name: 'meters-since',
    text: `SELECT interval_on::double precision AS "intervalOn", hour_on::double precision AS "hourOn",
             day_on::double precision AS "dayOn" FROM ami_meters_since($1, $2, $3, $4)`,
    values: [tenantId, readAt, latest, known],
  });
  const { intervalOn, hourOn, dayOn } = rows[0] as (typeof rows)[number];
  if (intervalOn === null) return undefined;
  return {
    current: intervalOn,
    staleOver15m: hourOn - intervalOn,
    staleOver1h: dayOn - hourOn,
    staleOver24h: known - dayOn,
  };
}

/**
 * Meters of feeders that are short of reads are probed first: 1,000 probes for an outage of one feeder instead of 25,000.
 * If meters have moved between feeders this may miss some, and then all are probed.
 */
async function bucketsByProbes(
  database: Queryable,
  tenantId: string,
  readAt: Date,
  latest: Date,
  silent: number,
  reported: number,
): Promise<StaleMetersBuckets> {
  let aged = await agedSilentMeters(database, [tenantId, readAt, latest], 'short feeders');
  if (totalOf(aged) !== silent)
    aged = await agedSilentMeters(database, [tenantId, readAt, latest], 'all feeders');
  const { later, ...stale } = aged;
  return { current: reported + later, ...stale };
}

/** Meters without a read at an interval; `later` are those with one after it. */
type AgedMeters = Omit<StaleMetersBuckets, 'current'> & { later: number };

async function agedSilentMeters(
  database: Queryable,
  values: [tenantId: string, readAt: Date, latest: Date],
  among: 'short feeders' | 'all feeders',
): Promise<AgedMeters> {
  const { rows } = await database.query<AgedMeters>({
    name: 'silent-meters',
    text: `SELECT later::double precision, over_15_minutes::double precision AS "staleOver15m",
             over_an_hour::double precision AS "staleOver1h", over_a_day::double precision AS "staleOver24h"
           FROM ami_silent_meters($1, $2, $3, $4)`,
    values: [...values, among === 'all feeders'],
  });
  return rows[0] as AgedMeters;
}

function totalOf({ later, staleOver15m, staleOver1h, staleOver24h }: AgedMeters): number {
  return later + staleOver15m + staleOver1h + staleOver24h;
}
