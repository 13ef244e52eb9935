import { QUALITY_FLAG } from '../../emulator/grid/qualityFlags.js';
import { quoted, quotedRelation } from '../identifiers.js';
import type { MappedColumn, ReadsMapping } from '../mapping.js';
import { toStored } from './canonicalReads.js';
import type { SqlFunction } from './lookUpReads.js';

/** Bit of each flag where quality flags are a number. */
export const QUALITY_BITS: Readonly<Record<string, number>> = {
  [QUALITY_FLAG.lowVoltage]: 1,
  [QUALITY_FLAG.highVoltage]: 2,
};

/**
 * `ami_write_batch` for a customer's table: as in sql/schema/reads.sql, with the table's own columns and types.
 * A value that the column cannot hold is refused by the assignment, never cut off. A revision changes only reads that
 * GridLens has written: what a meter of the customer's has measured stays as it is, and counts as duplicate. What customers feed
 * in is left out where the table has no column for it.
 */
export function writeFunction(reads: ReadsMapping): SqlFunction {
  const { columns, filled, key } = reads;
  const target = quotedRelation(reads.table);
  const values: [MappedColumn, string][] = [
    [columns.tenantId, toStored(columns.tenantId, 'p_tenant_id')],
    [columns.meterId, toStored(columns.meterId, 'read.meter_id')],
    [columns.feederId, toStored(columns.feederId, 'read.feeder_id')],
    [columns.readAt, toStored(columns.readAt, 'p_read_at')],
    [columns.kwh, `read.kwh::${columns.kwh.baseType}`],
    [columns.deliveredKwh, `read.delivered_kwh::${columns.deliveredKwh.baseType}`],
    [columns.voltage, `read.voltage::${columns.voltage.baseType}`],
    [columns.qualityFlags, flagsValue(columns.qualityFlags)],
    [columns.updatedAt, instant(columns.updatedAt)],
    ...receivedValue(reads, 'read.received_kwh'),
    ...(columns.createdAt
      ? [[columns.createdAt, instant(columns.createdAt)] satisfies [MappedColumn, string]]
      : []),
  ];
  const names = [...values.map(([{ name }]) => name), ...filled.map(({ name }) => name)];
  const expressions = [...values.map(([, sql]) => sql), ...filled.map(({ expression }) => expression)];
  const insert = `INSERT INTO ${target} AS stored (${names.map(quoted).join(', ')})
    SELECT ${expressions.join(',\n      ')}
    FROM unnest(p_meter_ids, p_feeder_ids, p_kwh, p_delivered_kwh, p_voltage, p_quality_flags, p_received_kwh)
      AS read (meter_id, feeder_id, kwh, delivered_kwh, voltage, flags, received_kwh)
    ON CONFLICT (${key.columns.map(quoted).join(', ')})`;
  const revised = [
    columns.kwh,
    columns.deliveredKwh,
    columns.voltage,
    columns.qualityFlags,
    columns.updatedAt,
    ...(columns.receivedKwh ? [columns.receivedKwh] : []),
  ]
    .map(({ name }) => `${quoted(name)} = excluded.${quoted(name)}`)
    .join(', ');
  const same = [columns.feederId, columns.tenantId]
    .map(({ name }) => `stored.${quoted(name)} = excluded.${quoted(name)}`)
    .join(' AND ');
  const meter = `stored.${quoted(columns.meterId.name)}::text COLLATE "C"`;
  return {
    name: 'ami_write_batch',
    replaces: `(uuid, integer, text, timestamptz, text, timestamptz, text[], text[], numeric[], numeric[], numeric[], text[])`,
    signature: `(
  p_publish_id uuid, p_batch_number integer, p_tenant_id text, p_read_at timestamptz, p_on_conflict text,
  p_started_at timestamptz, p_meter_ids text[], p_feeder_ids text[], p_kwh numeric[], p_delivered_kwh numeric[],
  p_voltage numeric[], p_quality_flags text[], p_received_kwh numeric[] DEFAULT NULL
) RETURNS TABLE (inserted integer, updated integer, duplicate integer, skipped integer)
LANGUAGE plpgsql SET search_path FROM CURRENT`,
    body: `
#variable_conflict use_column
${columns.receivedKwh ? '' : '-- p_received_kwh has no column here.\n'}DECLARE
  batch_meters integer;
  interval_minutes integer;
  reads integer := cardinality(p_meter_ids);
  new_meters text[];
  present text[];
  ours text[];
BEGIN
  SELECT batch.meters, publish.interval_minutes INTO batch_meters, interval_minutes
  FROM ami_publish_batches batch JOIN ami_publishes publish USING (publish_id)
  WHERE batch.publish_id = p_publish_id AND batch.batch_number = p_batch_number AND batch.state = 'pending'
  FOR UPDATE OF batch;
  IF NOT FOUND THEN
    RETURN;
  END IF;

  IF p_on_conflict = 'nothing' THEN
    WITH written AS (
    ${insert} DO NOTHING
      RETURNING ${meter} AS meter_id
    )
    SELECT array_agg(meter_id) INTO new_meters FROM written;
    updated := 0;
  ELSE
    present := ARRAY(
      SELECT read.meter_id FROM unnest(p_meter_ids) AS read (meter_id),
        LATERAL ami_read_at(p_tenant_id, read.meter_id, p_read_at) AS found);
    ours := ARRAY(
      SELECT meter_id FROM ami_written_reads written JOIN ami_publishes publish USING (publish_id),
        unnest(written.meter_ids) AS meter_id
      WHERE written.tenant_id = p_tenant_id AND written.read_at = p_read_at AND meter_id = ANY (p_meter_ids)
      GROUP BY meter_id HAVING bool_and(publish.origin <> 'import'));
    WITH written AS (
    ${insert} DO UPDATE SET ${revised}
      WHERE ${same} AND ${meter} = ANY (ours)
      RETURNING ${meter} AS meter_id
    )
    SELECT array_agg(meter_id) FILTER (WHERE meter_id <> ALL (present)),
           count(*) FILTER (WHERE meter_id = ANY (present))
    INTO new_meters, updated FROM written;
  END IF;
  inserted := coalesce(cardinality(new_meters), 0);
  IF inserted > 0 THEN
    INSERT INTO ami_written_reads VALUES (p_publish_id, p_batch_number, p_tenant_id, p_read_at, new_meters);
  END IF;

  duplicate := reads - inserted - updated;
  skipped := batch_meters - reads;
  UPDATE ami_publish_batches batch
  SET state = 'done', started_at = p_started_at, finished_at = clock_timestamp(),
      inserted = ami_write_batch.inserted, updated = ami_write_batch.updated,
      duplicate = ami_write_batch.duplicate, skipped = ami_write_batch.skipped
  WHERE publish_id = p_publish_id AND batch_number = p_batch_number;
  RETURN NEXT;
END `,
  };
}

/** The column of what is fed in with what an insert gives it; nothing where there is none. One that may not be NULL has 0. */
export function receivedValue(
  { columns: { receivedKwh } }: ReadsMapping,
  value: string,
): [MappedColumn, string][] {
  if (receivedKwh === null) return [];
  const { notNull, baseType } = receivedKwh;
  return [[receivedKwh, `${notNull ? `coalesce(${value}, 0)` : value}::${baseType}`]];
}

export function instant({ kind }: MappedColumn): string {
  if (kind === 'timestamptz') return 'now()';
  return kind === 'timestamp' ? `now() AT TIME ZONE 'UTC'` : `(now() AT TIME ZONE 'UTC')::date`;
}

/** A column of codes that is shorter takes the first letter alone: L or H. */
const LONGEST_FLAG = Math.max(...Object.values(QUALITY_FLAG).map((flag) => flag.length));

/** `read.flags` is an array literal, or NULL for a read without any: nearly all of them. */
export function flagsValue({ kind, type, baseType, notNull }: MappedColumn): string {
  const flags = 'read.flags::text[]';
  if (kind === 'text[]') return `coalesce(${flags}, '{}')::${baseType}`;
  if (kind === 'json' || kind === 'jsonb') return `coalesce(to_${kind}(${flags}), '[]')`;
  if (kind === 'text') {
    const room = Number(/\((\d+)\)/.exec(type)?.[1] ?? Number.POSITIVE_INFINITY);
    const text = room < LONGEST_FLAG ? `left((${flags})[1], 1)` : `array_to_string(${flags}, ',')`;
    // NULL where it may be: a column of codes may allow no empty one.
    return notNull ? `coalesce(${text}, '')::${baseType}` : `nullif(${text}, '')::${baseType}`;
  }
  const bits = Object.entries(QUALITY_BITS).map(
    ([flag, bit]) => `CASE WHEN '${flag}' = ANY (${flags}) THEN ${bit} ELSE 0 END`,
  );
  return `(${bits.join(' + ')})::${baseType}`;
}
