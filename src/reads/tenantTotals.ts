import type { Queryable } from '../db/db.js';

/** What counting `meter_reads_electric` would answer for a tenant: its meters, its reads, its latest `read_at`. */
export interface TenantTotals {
  totalDistinctMeters: number;
  totalReads: number;
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
            max(latest_read_at) AS latest, max(changed_at) AS ingest
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
