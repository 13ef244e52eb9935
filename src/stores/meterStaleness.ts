import type { Queryable } from '../db.js';

/** How many meters last reported how long before an interval; every known meter is in exactly one of them. */
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
 * Ages every known meter against the interval at `readAt`, never against the clock (decision 16).
 *
 * How many are silent is a matter of counting. Which they are is found by an index probe a meter (a join became a
 * scan of the day), first among the meters of the feeders that are short of reads: 1,000 probes for an outage of one
 * feeder instead of 25,000. MATERIALIZED throughout: a subquery in a select list is run anew for each mention of it.
 * Where meters have moved between feeders that may miss some; then all are probed.
 *
 * @param latest the tenant's latest read at all: later partitions are not looked into.
 */
export async function staleMetersAt(
  database: Queryable,
  tenantId: string,
  readAt: Date,
  latest: Date,
): Promise<StaleMetersBuckets> {
  const { rows } = await database.query<{ known: number; reported: number }>({
    name: 'known-and-reported-meters',
    text: `SELECT (SELECT count(*) FROM ami_known_meters WHERE tenant_id = $1)::double precision AS known,
             (SELECT coalesce(sum(reads), 0) FROM ami_feeder_intervals
              WHERE tenant_id = $1 AND read_at = $2)::double precision AS reported`,
    values: [tenantId, readAt],
  });
  const { known, reported } = rows[0] as (typeof rows)[number];
  if (known === reported) return { current: known, staleOver15m: 0, staleOver1h: 0, staleOver24h: 0 };

  let aged = await agedSilentMeters(database, [tenantId, readAt, latest], 'short feeders');
  if (totalOf(aged) !== known - reported)
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
    name: `silent-meters-among-${among}`,
    text: `WITH short AS MATERIALIZED (
             SELECT feeder_id FROM (
               SELECT feeder_id, count(*) AS meters FROM ami_known_meters WHERE tenant_id = $1 GROUP BY 1
             ) roster
             LEFT JOIN (SELECT feeder_id, reads FROM ami_feeder_intervals WHERE tenant_id = $1 AND read_at = $2) cell
               USING (feeder_id)
             WHERE meters > coalesce(reads, 0)
           ), candidates AS MATERIALIZED (
             SELECT meter_id FROM ami_known_meters
             WHERE tenant_id = $1 AND ${among === 'all feeders' ? 'true' : 'feeder_id IN (TABLE short)'}
           ), silent AS MATERIALIZED (
             SELECT meter_id FROM candidates
             WHERE (SELECT true FROM meter_reads_electric reads
                    WHERE reads.tenant_id = $1 AND reads.meter_id = candidates.meter_id AND reads.read_at = $2) IS NULL
           ), aged AS MATERIALIZED (
             SELECT (SELECT reads.read_at FROM meter_reads_electric reads
                     WHERE reads.tenant_id = $1 AND reads.meter_id = silent.meter_id
                       AND reads.read_at > $2 - interval '24 h' AND reads.read_at <= $3
                     ORDER BY reads.read_at DESC LIMIT 1) AS last_read_at
             FROM silent
           )
           SELECT count(*) FILTER (WHERE last_read_at > $2)::double precision AS later,
             count(*) FILTER (WHERE last_read_at <= $2 AND last_read_at > $2 - interval '1 h')::double precision AS "staleOver15m",
             count(*) FILTER (WHERE last_read_at <= $2 - interval '1 h')::double precision AS "staleOver1h",
             count(*) FILTER (WHERE last_read_at IS NULL)::double precision AS "staleOver24h"
           FROM aged`,
    values,
  });
  return rows[0] as AgedMeters;
}

function totalOf({ later, staleOver15m, staleOver1h, staleOver24h }: AgedMeters): number {
  return later + staleOver15m + staleOver1h + staleOver24h;
}
