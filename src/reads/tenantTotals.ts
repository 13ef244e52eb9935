import type { Queryable } from '../db/db.js';

/** What counting `meter_reads_electric` would answer for a tenant: its meters, its reads, its latest `read_at`. */
export interface TenantTotals {
  totalDistinctMeters: number;
  totalReads: number;
  /** By the database's clock at most now. */
  latestReadAt: Date | null;
  /** When rows last came in, however they came. */
  lastIngestAt: Date | null;
}

/** A tenant's totals from the rollups: days × feeders and meters are read, never the reads. */
export async function tenantTotals(database: Queryable, tenantId: string): Promise<TenantTotals> {
  const { rows } = await database.query<{
    meters: number;
    reads: number;
    latest: Date | null;
    ingest: Date | null;
  }>(
    `SELECT (SELECT count(*) FROM ami_known_meters WHERE tenant_id = $1)::double precision AS meters,
            coalesce(sum(reads), 0)::double precision AS reads,
            -- A read that somebody stamped in the future would be the latest until its time has come.
            greatest(max(latest_read_at) FILTER (WHERE latest_read_at <= now()),
              CASE WHEN bool_or(latest_read_at > now()) THEN
                (SELECT max(read_at) FROM ami_feeder_intervals WHERE tenant_id = $1 AND read_at <= now()) END) AS latest,
            max(changed_at) AS ingest
     FROM ami_feeder_days WHERE tenant_id = $1`,
    [tenantId],
  );
  const row = rows[0] as (typeof rows)[number];
  return {
    totalDistinctMeters: row.meters,
    totalReads: row.reads,
    latestReadAt: row.latest,
    lastIngestAt: row.ingest,
  };
}
