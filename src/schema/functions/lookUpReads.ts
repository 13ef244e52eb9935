import { quotedRelation } from '../identifiers.js';
import type { ReadsMapping } from '../mapping.js';
import { canonicalColumns, canonicalRows, isRead, stored, toStored } from './canonicalReads.js';

/** A function that start-up makes for the table of reads it has found. */
export interface SqlFunction {
  name: string;
  /** From the arguments to before the body: `(day date) RETURNS boolean LANGUAGE sql`. */
  signature: string;
  body: string;
  /** The arguments that it had in earlier versions: a function of that name and these goes. */
  replaces?: string;
}

/** A canonical read, as the rollups know it. */
const READS = `TABLE (tenant_id text, meter_id text, feeder_id text, read_at timestamptz, kwh numeric,
  delivered_kwh numeric, voltage numeric)`;

/**
 * The functions through which all SQL looks up reads (sql/schema/reads_access.sql). STABLE, without SET and of one
 * SELECT each, so that they are inlined: a look-up by key stays an index probe, whatever types the key has.
 */
export function accessFunctions(reads: ReadsMapping): SqlFunction[] {
  const { tenantId, meterId, readAt } = reads.columns;
  const ofMeter = `${stored(tenantId)} = ${toStored(tenantId, 'for_tenant')} AND ${stored(meterId)} = ${toStored(meterId, 'for_meter')}`;
  const between = `${stored(readAt)} >= ${toStored(readAt, 'from_instant')} AND ${stored(readAt)} < ${toStored(readAt, 'until_instant')}`;
  const at = `${stored(readAt)} = ${toStored(readAt, 'at_instant')}`;
  const lookUp = (name: string, args: string, where: string): SqlFunction => ({
    name,
    signature: `(${args}) RETURNS ${READS} LANGUAGE sql STABLE`,
    body: `
  SELECT ${canonicalColumns(reads)}
  FROM ${quotedRelation(reads.table)} read
  WHERE ${where}${reads.own ? '' : ` AND ${isRead(reads)}`}
`,
  });
  return [
    lookUp('ami_read_at', 'for_tenant text, for_meter text, at_instant timestamptz', `${ofMeter} AND ${at}`),
    lookUp(
      'ami_reads_of_meter',
      'for_tenant text, for_meter text, from_instant timestamptz, until_instant timestamptz',
      `${ofMeter} AND ${between}`,
    ),
    lookUp('ami_reads_between', 'from_instant timestamptz, until_instant timestamptz', between),
    {
      name: 'ami_rollup_spans',
      signature:
        '() RETURNS TABLE (first_day date, last_day date) LANGUAGE sql STABLE SET search_path FROM CURRENT',
      // Our own table has a partition a day; one that may have no index by time is read in one pass.
      body: reads.own
        ? ' SELECT day, day FROM (SELECT DISTINCT day FROM ami_days_with_rollups() AS day) known ORDER BY day DESC '
        : ` SELECT date '-infinity', date 'infinity' `,
    },
    {
      name: 'ami_read_lengths',
      signature: `(from_instant timestamptz, until_instant timestamptz) RETURNS TABLE (tenant_id text, read_at timestamptz,
  feeder_id text, interval_minutes smallint, reads bigint) LANGUAGE sql STABLE`,
      body: reads.own
        ? `
  SELECT read.tenant_id, read.read_at, read.feeder_id, read.interval_minutes, count(*)
  FROM ${quotedRelation(reads.table)} read
  WHERE ${between} AND read.interval_minutes <> 15 GROUP BY 1, 2, 3, 4
`
        : ' SELECT NULL::text, NULL::timestamptz, NULL::text, NULL::smallint, NULL::bigint WHERE false ',
    },
    {
      name: 'ami_read_estimates',
      signature: `(from_instant timestamptz, until_instant timestamptz) RETURNS TABLE (tenant_id text, read_at timestamptz,
  feeder_id text, reads bigint) LANGUAGE sql STABLE`,
      body: reads.own
        ? `
  SELECT read.tenant_id, read.read_at, read.feeder_id, count(*)
  FROM ${quotedRelation(reads.table)} read
  WHERE ${between} AND read.quality = 'estimated' GROUP BY 1, 2, 3
`
        : ' SELECT NULL::text, NULL::timestamptz, NULL::text, NULL::bigint WHERE false ',
    },
    receivedFunction(reads),
    ...(reads.own ? [] : FOR_ADOPTED),
  ];
}

/** What the rollups are to have as fed in, from the reads themselves. Without such a column Postgres looks at no read. */
function receivedFunction(reads: ReadsMapping): SqlFunction {
  const fedIn = 'ami_fed_in(read.kwh, read.delivered_kwh, read.received_kwh)';
  return {
    name: 'ami_read_received',
    signature: `(from_instant timestamptz, until_instant timestamptz) RETURNS TABLE (tenant_id text, read_at timestamptz,
  feeder_id text, received_kwh numeric, received_reads bigint) LANGUAGE sql STABLE`,
    body: `
  SELECT read.tenant_id, read.read_at, read.feeder_id, sum(${fedIn}), count(*)
  FROM (${canonicalRows(reads, quotedRelation(reads.table))}) AS read
  WHERE read.read_at >= from_instant AND read.read_at < until_instant AND ${fedIn} IS NOT NULL GROUP BY 1, 2, 3
`,
  };
}

/** A customer's table has no partitions of ours to make, retention never deletes from it, and no row is refused. */
const FOR_ADOPTED: readonly SqlFunction[] = [
  {
    name: 'ami_ensure_read_partition',
    signature: '(day date) RETURNS boolean LANGUAGE sql',
    body: ' SELECT false ',
  },
  {
    name: 'ami_drop_read_partitions_before',
    signature: '(first_day_kept date) RETURNS text[] LANGUAGE sql',
    body: ` SELECT '{}'::text[] `,
  },
  {
    name: 'ami_adopted_is_plausible',
    signature: '(energy numeric, voltage numeric) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE',
    body: ' SELECT true ',
  },
];
