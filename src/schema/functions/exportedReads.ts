import { quotedRelation } from '../identifiers.js';
import type { MappedColumn, ReadsMapping } from '../mapping.js';
import { isRead, stored, toStored, UNASSIGNED_FEEDER } from './canonicalReads.js';
import type { SqlFunction } from './lookUpReads.js';

/** A read with all that the table says of it. Numbers are texts: a cast to numeric would cut a double's digits off. */
const READS = `TABLE (meter_id text, feeder_id text, start_us double precision, kwh text, delivered_kwh text,
  voltage text, flags text[], written_us double precision, revised_us double precision, received_kwh text,
  interval_minutes smallint, quality text, quality_method text)`;

/**
 * The functions through which an export reads: of all meters after one, in the order of the table's own key, and of one
 * meter. Inlined as `accessFunctions` are, so that a page of a day is a piece of an index.
 */
export function exportFunctions(reads: ReadsMapping): SqlFunction[] {
  const { tenantId, meterId, readAt } = reads.columns;
  const rows = `
  SELECT ${exportedColumns(reads)}
  FROM ${quotedRelation(reads.table)} read
  WHERE ${stored(tenantId)} = ${toStored(tenantId, 'for_tenant')}
    AND ${stored(readAt)} >= ${toStored(readAt, 'from_instant')} AND ${stored(readAt)} < ${toStored(readAt, 'until_instant')}${reads.own ? '' : ` AND ${isRead(reads)}`}`;
  const span = 'from_instant timestamptz, until_instant timestamptz';
  return [
    {
      name: 'ami_exported_reads',
      signature: `(for_tenant text, after_meter text, ${span}) RETURNS ${READS} LANGUAGE sql STABLE`,
      body: `${rows}
    AND (after_meter IS NULL OR ${stored(meterId)} > ${toStored(meterId, 'after_meter')})
  ORDER BY ${stored(meterId)}, ${stored(readAt)}
`,
    },
    {
      name: 'ami_exported_reads_of_meter',
      signature: `(for_tenant text, for_meter text, ${span}) RETURNS ${READS} LANGUAGE sql STABLE`,
      body: `${rows}
    AND ${stored(meterId)} = ${toStored(meterId, 'for_meter')}
  ORDER BY ${stored(readAt)}
`,
    },
  ];
}

function exportedColumns({ columns, own }: ReadsMapping): string {
  const { meterId, feederId, readAt, kwh, deliveredKwh, voltage, qualityFlags, createdAt, updatedAt } =
    columns;
  return [
    `${stored(meterId)}::text`,
    `coalesce(nullif(${stored(feederId)}::text, ''), '${UNASSIGNED_FEEDER}')`,
    microseconds(readAt),
    `${stored(kwh)}::text`,
    `${stored(deliveredKwh)}::text`,
    `${stored(voltage)}::text`,
    flags(qualityFlags),
    createdAt === null ? 'NULL::double precision' : microseconds(createdAt),
    microseconds(updatedAt),
    columns.receivedKwh === null ? 'NULL::text' : `${stored(columns.receivedKwh)}::text`,
    // What only imports know, and only our table has.
    ...(own
      ? ['read.interval_minutes', 'read.quality', 'read.quality_method']
      : ['NULL::smallint', 'NULL::text', 'NULL::text']),
  ].join(', ');
}

/** Since 1970 UTC. Before Postgres 14 `extract` gives a double, which is some nanoseconds off. */
function microseconds(column: MappedColumn): string {
  const instant =
    column.kind === 'timestamptz' ? stored(column) : `(${stored(column)}::timestamp AT TIME ZONE 'UTC')`;
  return `CASE WHEN isfinite(${instant}) THEN round(extract(epoch FROM ${instant}) * 1000000)::double precision END`;
}

/** A table's flags as an array of texts, whatever its column is. */
function flags(column: MappedColumn): string {
  const value = stored(column);
  const text = `${value}::text`;
  switch (column.kind) {
    case 'text[]':
      return `coalesce(${value}::text[], '{}')`;
    case 'integer':
      return `array_remove(ARRAY[CASE WHEN ${value} & 1 <> 0 THEN 'LOW_VOLTAGE' END,
    CASE WHEN ${value} & 2 <> 0 THEN 'HIGH_VOLTAGE' END,
    CASE WHEN ${value} & ~3 <> 0 THEN 'BITS_' || (${value} & ~3) END], NULL)`;
    case 'json':
    case 'jsonb':
      return `CASE WHEN jsonb_typeof(${value}::jsonb) = 'array'
      THEN ARRAY(SELECT jsonb_array_elements_text(${value}::jsonb))
      WHEN ${text} IS NULL OR ${text} IN ('null', '{}', '""') THEN '{}' ELSE ARRAY[${text}] END`;
    default:
      return `CASE WHEN coalesce(btrim(${text}), '') = '' THEN '{}' ELSE ARRAY[${text}] END`;
  }
}
