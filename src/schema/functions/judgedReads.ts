import type { MappedColumn, ReadsMapping } from '../mapping.js';

/** What an import's reads are judged by, as SQL. */
export interface JudgedBy {
  reads: ReadsMapping;
  /** A relation with `meter_id`, `read_at`, `minutes`, `kwh`, `received_kwh`, `quality`. */
  incoming: string;
  tenant: string;
  /** When the import was asked for, a timestamptz; a read of a newer one stays. */
  acceptedAt: string;
  /** Whether measured reads take the place of emulated ones, a boolean. */
  overEmulated: string;
  /** The span of what comes in, both inclusive: constants by which Postgres leaves the other partitions out. */
  first: string;
  last: string;
}

/** What a read is worth: an estimate gives way to what was measured, and everything to what is not in question. */
const worth = (quality: string): string =>
  `CASE ${quality} WHEN 'questionable' THEN 0 WHEN 'estimated' THEN 1 ELSE 2 END`;

/** Energy as its column keeps it: a customer's may round it, and the same file must find what it has written. */
export function asStored({ own }: ReadsMapping, column: MappedColumn | null, kwh: string): string {
  return own || column === null ? kwh : `${kwh}::${column.type}::numeric`;
}

/** No interval is longer. */
const LONGEST = `interval '1 hour'`;

/**
 * A SELECT of the incoming reads, each with what stands there (`standing`, a row of `ami_standing_reads`) and the `verdict`:
 * `new`, `replaces`, `same`, or a sentence that says why it is left. The rules, docs/decisions/0015-imports.md:
 *
 * 1. Reads of another length in the same time would count energy twice: the one that stands stays.
 * 2. The same values change nothing, unless they are worth more now.
 * 3. A read that GridLens has not written stays.
 * 4. An emulated read gives way only where that was asked for.
 * 5. What is worth less stays out, but may add the channel that is missing.
 * 6. Of two that are worth the same, the one of the newer import counts.
 */
export function judgedReads({
  reads,
  incoming,
  tenant,
  acceptedAt,
  overEmulated,
  first,
  last,
}: JudgedBy): string {
  const isThere = 'standing.read_at IS NOT NULL';
  const isSameKwh = `(incoming.kwh IS NULL OR ${asStored(reads, reads.columns.kwh, 'incoming.kwh')} = standing.kwh)`;
  const isSameReceived = `(incoming.received_kwh IS NULL
        OR ${asStored(reads, reads.columns.receivedKwh, 'incoming.received_kwh')} = standing.received_kwh)`;
  const addsChannel = `(standing.source = 'imported' AND ${isSameKwh} AND standing.received_kwh IS NULL
        AND incoming.received_kwh IS NOT NULL)`;
  return `SELECT incoming.*, standing.feeder_id AS standing_feeder_id, standing.kwh AS standing_kwh,
      standing.delivered_kwh AS standing_delivered_kwh, standing.voltage AS standing_voltage,
      standing.received_kwh AS standing_received_kwh, standing.interval_minutes AS standing_minutes,
      standing.quality AS standing_quality, standing.quality_method AS standing_method,
      standing.import_id AS standing_import_id, standing.source AS standing_source,
      standing.written_at AS standing_written_at,
      CASE
        WHEN overlapping.minutes IS NOT NULL
          THEN 'a read of ' || overlapping.minutes || ' minutes stands in the same time: its energy would count twice'
        WHEN NOT (${isThere}) THEN 'new'
        WHEN ${isSameKwh} AND ${isSameReceived} AND (standing.source <> 'imported'
          OR ${worth('incoming.quality')} <= ${worth('standing.quality')}) THEN 'same'
        WHEN standing.source = 'foreign' THEN 'another read stands there that GridLens has not written: it stays'
        WHEN standing.source = 'emulated' AND NOT ${overEmulated}
          THEN 'an emulated read stands there: --over-emulated puts the measured one in its place'
        WHEN standing.source = 'emulated' THEN 'replaces'
        WHEN ${addsChannel} THEN 'replaces'
        WHEN ${worth('incoming.quality')} < ${worth('standing.quality')}
          THEN 'a read that is worth more stands there (' || standing.quality || '), and this one is ' || incoming.quality
        WHEN ${worth('incoming.quality')} = ${worth('standing.quality')} AND coalesce((
          SELECT newer.accepted_at > ${acceptedAt} FROM ami_imports newer
          WHERE newer.import_id = standing.import_id), false) THEN 'a newer import has written it'
        ELSE 'replaces'
      END AS verdict
    FROM ${incoming} AS incoming
    LEFT JOIN LATERAL (
      SELECT * FROM ami_standing_reads(${tenant}, incoming.meter_id, incoming.read_at,
        incoming.read_at + interval '1 microsecond') standing
      WHERE standing.read_at >= ${first} AND standing.read_at <= ${last}
      LIMIT 1
    ) standing ON true
    LEFT JOIN LATERAL (
      SELECT near.interval_minutes AS minutes
      FROM ami_standing_reads(${tenant}, incoming.meter_id, incoming.read_at - ${LONGEST},
        incoming.read_at + incoming.minutes * interval '1 minute') near
      WHERE near.read_at > ${first} - ${LONGEST} AND near.read_at < ${last} + ${LONGEST}
        AND near.read_at + near.interval_minutes * interval '1 minute' > incoming.read_at
        AND (near.read_at <> incoming.read_at OR near.interval_minutes <> incoming.minutes)
      LIMIT 1
    ) overlapping ON true`;
}
