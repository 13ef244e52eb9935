import { type Queryable, rethrowUnavailable } from '../db/db.js';
import { type ExportedRow, READ_COLUMNS } from './exportedRows.js';

/** A row of one of the meters; of `isUnknown` the value at the instant is not known. */
export interface RowOfMeter extends ExportedRow {
  /** When it was replaced, microseconds; null of one that stands. */
  replacedUs: number | null;
  /** Written before the instant and changed since, with no former value kept: what it was then nobody knows. */
  isUnknown: boolean;
}

interface RowsAsked {
  tenantId: string;
  from: Date;
  to: Date;
  asOf?: Date | undefined;
}

const US = (column: string): string => `round(extract(epoch FROM ${column}) * 1000000)::double precision`;
/** What an instant's rows are: those that stand and were written by then, and those that were replaced later. */
const AS_OF = `
  SELECT standing.*, NULL::double precision AS replaced_us, coalesce(standing.revised_us > $5, false) AS is_unknown
  FROM ami_exported_reads_of_meter($1, asked.meter_id, $3, $4) standing
  WHERE $5::double precision IS NULL OR coalesce(standing.revised_us, standing.written_us) IS NULL
    OR coalesce(standing.revised_us, standing.written_us) <= $5
    OR standing.written_us <= $5 AND NOT EXISTS (
      SELECT FROM ami_replaced_reads former
      WHERE former.tenant_id = $1 AND former.meter_id = asked.meter_id
        AND former.read_at = to_timestamp(standing.start_us / 1000000) AND ${US('former.replaced_at')} > $5
        AND coalesce(${US('former.written_at')} <= $5, true))
  UNION ALL
  SELECT former.meter_id, former.feeder_id, ${US('former.read_at')}, former.kwh::text, former.delivered_kwh::text,
    former.voltage::text, '{}'::text[], NULL, ${US('former.written_at')}, former.received_kwh::text,
    former.interval_minutes, former.quality, former.quality_method, ${US('former.replaced_at')}, false
  FROM ami_replaced_reads former
  WHERE $5::double precision IS NOT NULL AND former.tenant_id = $1 AND former.meter_id = asked.meter_id
    AND former.read_at >= $3 AND former.read_at < $4 AND ${US('former.replaced_at')} > $5
    AND coalesce(${US('former.written_at')} <= $5, true)`;

/**
 * The reads of some meters, in the order in which they are named, each meter's by start: as they stood at `asOf`, or as they are
 * now where it is left out.
 *
 * @throws DependencyUnavailableError.
 */
export async function readsOfMeters(
  database: Queryable,
  { tenantId, from, to, asOf }: RowsAsked,
  meters: readonly string[],
  most: number,
): Promise<RowOfMeter[]> {
  const { rows } = await database
    .query<RowOfMeter>(
      `SELECT ${READ_COLUMNS}, replaced_us AS "replacedUs", is_unknown AS "isUnknown"
       FROM unnest($2::text[]) WITH ORDINALITY AS asked (meter_id, place)
       CROSS JOIN LATERAL (${AS_OF}) AS read (meter_id, feeder_id, start_us, kwh, delivered_kwh, voltage, flags, written_us,
         revised_us, received_kwh, interval_minutes, quality, quality_method, replaced_us, is_unknown)
       ORDER BY asked.place, start_us LIMIT $6`,
      [tenantId, meters, from, to, asOf === undefined ? null : asOf.getTime() * 1000, most],
    )
    .catch(rethrowUnavailable);
  return rows;
}
