import { quotedRelation } from '../identifiers.js';
import type { ReadsMapping } from '../mapping.js';
import { isRead, receivedKwh, stored, toStored, UNASSIGNED_FEEDER } from './canonicalReads.js';
import type { SqlFunction } from './lookUpReads.js';

/**
 * `ami_standing_reads`: the reads of a meter in a span with all that an import has to know of what stands there. `source` is
 * `emulated`, `imported`, or in a customer's table `foreign`: a read that GridLens has not written. STABLE, without SET and of
 * one SELECT, so that it is inlined.
 */
export function standingReads(reads: ReadsMapping): SqlFunction {
  return {
    name: 'ami_standing_reads',
    signature: `(for_tenant text, for_meter text, from_instant timestamptz, until_instant timestamptz)
RETURNS TABLE (read_at timestamptz, feeder_id text, kwh numeric, delivered_kwh numeric, voltage numeric,
  received_kwh numeric, interval_minutes integer, quality text, quality_method text, import_id integer, source text,
  written_at timestamptz) LANGUAGE sql STABLE`,
    body: reads.own ? ownRows(reads) : adoptedRows(reads),
  };
}

/** An emulated read is as long as its publish says; without one in the ledger a quarter hour. */
const EMULATED_MINUTES = (readAt: string): string => `coalesce((
      SELECT publish.interval_minutes FROM ami_publishes publish
      WHERE publish.tenant_id = for_tenant AND publish.read_at = ${readAt}
        AND publish.origin NOT IN ('revision', 'import') LIMIT 1), 15)::integer`;

function ownRows(reads: ReadsMapping): string {
  return `
  SELECT read.read_at, read.feeder_id, read.kwh, read.delivered_kwh, read.voltage, read.received_kwh,
    CASE WHEN read.quality IS NULL THEN ${EMULATED_MINUTES('read.read_at')}
         ELSE read.interval_minutes::integer END,
    read.quality, read.quality_method, read.import_id,
    CASE WHEN read.quality IS NULL THEN 'emulated' ELSE 'imported' END, read.updated_at
  FROM ${quotedRelation(reads.table)} read
  WHERE read.tenant_id = for_tenant AND read.meter_id = for_meter
    AND read.read_at >= from_instant AND read.read_at < until_instant
`;
}

/** What a customer's table does not say is looked up among what GridLens has written; an imported read counts as raw. */
function adoptedRows(reads: ReadsMapping): string {
  const { tenantId, meterId, feederId, readAt, kwh, deliveredKwh, voltage, updatedAt } = reads.columns;
  const at = readAt.kind === 'timestamp' ? `${stored(readAt)} AT TIME ZONE 'UTC'` : stored(readAt);
  const writtenAt = updatedAt.kind === 'timestamptz' ? stored(updatedAt) : 'NULL::timestamptz';
  return `
  SELECT found.read_at, found.feeder_id, found.kwh, found.delivered_kwh, found.voltage, found.received_kwh,
    CASE WHEN ours.origin = 'import' THEN ours.minutes ELSE ${EMULATED_MINUTES('found.read_at')} END,
    CASE WHEN ours.origin = 'import' THEN 'raw' END, NULL::text, ours.import_id,
    CASE WHEN ours.origin = 'import' THEN 'imported' WHEN ours.origin IS NULL THEN 'foreign' ELSE 'emulated' END,
    found.written_at
  FROM (
    SELECT ${at} AS read_at, coalesce(nullif(${stored(feederId)}::text, ''), '${UNASSIGNED_FEEDER}') AS feeder_id,
      ${stored(kwh)}::numeric AS kwh, ${stored(deliveredKwh)}::numeric AS delivered_kwh,
      ${stored(voltage)}::numeric AS voltage, ${receivedKwh(reads)} AS received_kwh, ${writtenAt} AS written_at
    FROM ${quotedRelation(reads.table)} read
    WHERE ${stored(tenantId)} = ${toStored(tenantId, 'for_tenant')}
      AND ${stored(meterId)} = ${toStored(meterId, 'for_meter')}
      AND ${stored(readAt)} >= ${toStored(readAt, 'from_instant')}
      AND ${stored(readAt)} < ${toStored(readAt, 'until_instant')} AND ${isRead(reads)}
  ) found LEFT JOIN LATERAL (
    SELECT publish.origin, publish.import_id, written.interval_minutes::integer AS minutes
    FROM ami_written_reads written JOIN ami_publishes publish USING (publish_id)
    WHERE written.tenant_id = for_tenant AND written.read_at = found.read_at
      AND for_meter = ANY (written.meter_ids)
    ORDER BY publish.accepted_at DESC LIMIT 1
  ) ours ON true
`;
}
