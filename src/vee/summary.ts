import type { VeeRule } from '../contracts/veeRules.js';
import type { Queryable } from '../db/db.js';

/** What was found in a span. */
export interface VeeSummary {
  rules: { rule: VeeRule; findings: number; meters: number }[];
  qualities: { quality: string; reads: number }[];
  estimates: { standing: number; gaveWay: number };
  reads: { arrived: number; estimated: number; estimatedPct: number | null };
}

/**
 * Findings that lie in a span or reach into it, reads by quality as runs have left them, what became of estimates, and how
 * many of all reads that begin in the span are estimates now.
 */
export async function veeSummary(
  client: Queryable,
  tenantId: string,
  { from, to }: { from: Date; to: Date },
): Promise<VeeSummary> {
  const values = [tenantId, from, to];
  const rules = await client.query<VeeSummary['rules'][number]>(
    `SELECT rule, count(*)::double precision AS findings, count(DISTINCT meter_id)::double precision AS meters
     FROM ami_vee_findings WHERE tenant_id = $1 AND to_at > $2 AND from_at < $3 GROUP BY 1 ORDER BY 1`,
    values,
  );
  const qualities = await client.query<VeeSummary['qualities'][number]>(
    `SELECT quality, sum(reads)::double precision AS reads FROM ami_vee_qualities
     WHERE tenant_id = $1 AND read_at >= $2 AND read_at < $3 GROUP BY 1 ORDER BY 1`,
    values,
  );
  const estimates = await client.query<VeeSummary['estimates']>(
    `SELECT count(*) FILTER (WHERE former.replaced_at IS NOT NULL)::double precision AS "gaveWay",
       count(*) FILTER (WHERE former.replaced_at IS NULL AND standing.quality = 'estimated')::double precision AS standing
     FROM ami_vee_estimates estimate
     LEFT JOIN LATERAL (
       SELECT former.replaced_at FROM ami_replaced_reads former
       WHERE former.tenant_id = $1 AND former.meter_id = estimate.meter_id AND former.read_at = estimate.read_at
         AND former.import_id = estimate.import_id LIMIT 1) former ON true
     LEFT JOIN LATERAL (
       SELECT read.quality FROM ami_vee_reads($1, estimate.meter_id, estimate.read_at,
         estimate.read_at + interval '1 microsecond') read
       WHERE former.replaced_at IS NULL) standing ON true
     WHERE estimate.tenant_id = $1 AND estimate.read_at >= $2 AND estimate.read_at < $3
       AND estimate.import_id IS NOT NULL`,
    values,
  );
  const reads = await client.query<VeeSummary['reads']>(
    `SELECT arrived::double precision, estimated::double precision,
       ami_percent(estimated, arrived)::double precision AS "estimatedPct"
     FROM (
       SELECT coalesce((SELECT sum(reads) FROM ami_feeder_intervals
           WHERE tenant_id = $1 AND read_at >= $2 AND read_at < $3), 0) AS arrived,
         coalesce((SELECT sum(reads) FROM ami_feeder_estimates
           WHERE tenant_id = $1 AND read_at >= $2 AND read_at < $3), 0) AS estimated) counted`,
    values,
  );
  return {
    rules: rules.rows,
    qualities: qualities.rows,
    estimates: estimates.rows[0] ?? { standing: 0, gaveWay: 0 },
    reads: reads.rows[0] ?? { arrived: 0, estimated: 0, estimatedPct: null },
  };
}
