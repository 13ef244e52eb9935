import { quoted } from '../identifiers.js';
import type { MappedColumn, ReadsMapping } from '../mapping.js';

/** What is shown as the feeder of a customer's row that names none. */
export const UNASSIGNED_FEEDER = 'UNASSIGNED';

/**
 * Rows of the table of reads, or of a transition table of it, in canonical columns: a subquery without an alias.
 * Rows that are no reads, without a meter or a time, are left out. Which energies a meter can have measured is the rule of
 * `ami_is_measured`, on our table and a customer's alike; a voltage that none can (NaN, infinity, beyond 1e6) counts as not
 * measured, since a customer's loader must not fail for it.
 *
 * @param from the table in SQL.
 */
export function canonicalRows(reads: ReadsMapping, from: string): string {
  const where = reads.own ? '' : ` WHERE ${isRead(reads)}`;
  // How long an imported read's interval is stands beside a customer's table, not in it.
  const minutes = reads.own ? 'read.interval_minutes' : 'NULL::smallint AS interval_minutes';
  return `SELECT ${canonicalColumns(reads)}, ${minutes}, ${receivedKwh(reads)} AS received_kwh FROM ${from} AS read${where}`;
}

/** The select list over `read`, in the order in which the access functions return it. */
export function canonicalColumns({ own, columns }: ReadsMapping): string {
  const { tenantId, meterId, feederId, readAt, kwh, deliveredKwh, voltage } = columns;
  const as = (sql: string, name: string): string => `${sql} AS ${name}`;
  if (own) {
    const list = [tenantId, meterId, feederId, readAt, kwh, deliveredKwh, voltage];
    return list.map(stored).join(', ');
  }
  return [
    as(`${stored(tenantId)}::text COLLATE "C"`, 'tenant_id'),
    as(`${stored(meterId)}::text COLLATE "C"`, 'meter_id'),
    as(`coalesce(nullif(${stored(feederId)}::text, ''), '${UNASSIGNED_FEEDER}') COLLATE "C"`, 'feeder_id'),
    as(readAt.kind === 'timestamp' ? `${stored(readAt)} AT TIME ZONE 'UTC'` : stored(readAt), 'read_at'),
    as(`coalesce(${stored(kwh)}::numeric, 0)`, 'kwh'),
    as(`CASE WHEN ${stored(kwh)} IS NOT NULL THEN ${stored(deliveredKwh)}::numeric END`, 'delivered_kwh'),
    as(measured(voltage), 'voltage'),
  ].join(', ');
}

/** What was fed in according to a row of `read`, numeric; NULL where the table has no such column. */
export function receivedKwh({ columns: { receivedKwh: column } }: ReadsMapping): string {
  return column === null ? 'NULL::numeric' : `${stored(column)}::numeric`;
}

/** Whether a row of `read` is a read at all. */
export function isRead({ columns: { tenantId, meterId, readAt } }: ReadsMapping): string {
  return `${stored(tenantId)} IS NOT NULL AND ${stored(meterId)} IS NOT NULL AND isfinite(${stored(readAt)})`;
}

/** A column of `read`. */
export function stored(column: MappedColumn): string {
  return `read.${quoted(column.name)}`;
}

/**
 * A canonical value in the column's own type and collation, so that an index on it serves. Without the column's
 * length: an explicit cast to a length cuts off what is longer, where an assignment refuses it.
 */
export function toStored({ kind, baseType, collation }: MappedColumn, value: string): string {
  if (kind === 'timestamptz') return value;
  if (kind === 'timestamp') return `(${value} AT TIME ZONE 'UTC')`;
  const cast = baseType === 'text' ? value : `${value}::${baseType}`;
  return collation === null ? cast : `(${cast} COLLATE ${collation})`;
}

function measured(column: MappedColumn): string {
  const value = `${stored(column)}::numeric`;
  return `CASE WHEN ${value} > -1e6 AND ${value} < 1e6 THEN ${value} END`;
}
