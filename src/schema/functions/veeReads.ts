import { quotedRelation } from '../identifiers.js';
import type { ReadsMapping } from '../mapping.js';
import { isRead, receivedKwh, stored, toStored, UNASSIGNED_FEEDER } from './canonicalReads.js';
import type { SqlFunction } from './lookUpReads.js';

/**
 * `ami_vee_reads`: the reads of a meter in a span with what validation looks at, and `ami_vee_reads_of` those of several.
 * What only our table has is NULL of a customer's. STABLE, without SET and of one SELECT, so that they are inlined: of 500
 * meters in a window it is one scan of an index, and not a look-up for each.
 */
export function veeReads(reads: ReadsMapping): SqlFunction[] {
  const { tenantId, meterId, feederId, readAt, kwh, voltage } = reads.columns;
  const at = readAt.kind === 'timestamp' ? `${stored(readAt)} AT TIME ZONE 'UTC'` : stored(readAt);
  const ofImports = reads.own ? 'read.interval_minutes, read.quality' : 'NULL::smallint, NULL::text';
  const columns = `${at}, coalesce(nullif(${stored(feederId)}::text, ''), '${UNASSIGNED_FEEDER}'), ${stored(kwh)}::numeric,
    ${stored(voltage)}::numeric, ${receivedKwh(reads)}, ${ofImports}`;
  const rows = `
  FROM ${quotedRelation(reads.table)} read
  WHERE ${stored(tenantId)} = ${toStored(tenantId, 'for_tenant')}
    AND ${stored(readAt)} >= ${toStored(readAt, 'from_instant')}
    AND ${stored(readAt)} < ${toStored(readAt, 'until_instant')}${reads.own ? '' : ` AND ${isRead(reads)}`}`;
  const returned = `read_at timestamptz, feeder_id text, kwh numeric, voltage numeric, received_kwh numeric,
  interval_minutes smallint, quality text) LANGUAGE sql STABLE`;
  return [
    {
      name: 'ami_vee_reads',
      signature: `(for_tenant text, for_meter text, from_instant timestamptz, until_instant timestamptz)
RETURNS TABLE (${returned}`,
      body: `
  SELECT ${columns}${rows}
    AND ${stored(meterId)} = ${toStored(meterId, 'for_meter')}
`,
    },
    {
      name: 'ami_vee_reads_of',
      signature: `(for_tenant text, for_meters text[], from_instant timestamptz, until_instant timestamptz)
RETURNS TABLE (meter_id text, ${returned}`,
      body: `
  SELECT ${stored(meterId)}::text, ${columns}${rows}
    AND ${stored(meterId)} = ANY (for_meters::${meterId.baseType}[])
`,
    },
  ];
}
