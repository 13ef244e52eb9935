import { quoted, quotedRelation } from '../identifiers.js';
import type { MappedColumn, ReadsMapping } from '../mapping.js';
import { toStored } from './canonicalReads.js';
import { judgedReads } from './judgedReads.js';
import type { SqlFunction } from './lookUpReads.js';
import { keepReplaced } from './replacedReads.js';
import { flagsValue, instant, receivedValue } from './writeBatch.js';

/** Refused reads that are kept of an import, beside rows of its file: whoever has more has one reason for them. */
const REFUSALS_KEPT = 2_000;

/**
 * `ami_write_imported_batch`: writes one batch of an import, for our own table and a customer's alike. What the table has no
 * columns for is left out of it; the importer has said so.
 */
export function writeImported(reads: ReadsMapping): SqlFunction {
  const judged = judgedReads({
    reads,
    incoming: '(SELECT * FROM ami_import_values WHERE import_id = of_import AND batch = of_batch)',
    tenant: 'of_tenant',
    acceptedAt: 'asked_at',
    overEmulated: 'may_replace_emulated',
    first: 'first_at',
    last: 'last_at',
  });
  return {
    name: 'ami_write_imported_batch',
    signature: `(p_publish_id uuid, p_batch_number integer, p_started_at timestamptz)
RETURNS TABLE (inserted integer, updated integer, duplicate integer, skipped integer)
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off`,
    body: `
#variable_conflict use_column
DECLARE
  batch_reads integer;
  of_import integer;
  of_batch integer;
  of_tenant text;
  asked_at timestamptz;
  may_replace_emulated boolean;
  first_at timestamptz;
  last_at timestamptz;
  new_reads integer;
  replaced integer;
  refused integer;
BEGIN
  SELECT batch.meters, publish.import_id, publish.import_batch + batch.batch_number, publish.tenant_id
  INTO batch_reads, of_import, of_batch, of_tenant
  FROM ami_publish_batches batch JOIN ami_publishes publish USING (publish_id)
  WHERE batch.publish_id = p_publish_id AND batch.batch_number = p_batch_number AND batch.state = 'pending'
  FOR UPDATE OF batch;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT accepted_at, over_emulated INTO asked_at, may_replace_emulated FROM ami_imports WHERE import_id = of_import;
  SELECT min(read_at), max(read_at) INTO first_at, last_at
  FROM ami_import_values WHERE import_id = of_import AND batch = of_batch;
  -- Two imports of one tenant judge one after the other, each by what the other has written.
  PERFORM ami_lock_imports(of_tenant);

  WITH judged AS MATERIALIZED (
    ${judged}
  ), history AS (
    ${keepReplaced(WHAT_STOOD, "judged WHERE verdict = 'replaces'")}
  ), written AS (
    ${reads.own ? OWN_INSERT : adoptedInsert(reads)}
  ), changed AS (
    ${reads.own ? ownUpdate(reads) : adoptedUpdate(reads)}
  ), gone AS (
    DELETE FROM ami_import_values WHERE import_id = of_import AND batch = of_batch
  ), told AS (
    INSERT INTO ami_import_refusals (import_id, line, meter_id, read_at, reason)
    SELECT of_import, line, meter_id, read_at, verdict FROM judged
    WHERE verdict NOT IN ('new', 'replaces', 'same') ORDER BY line
    LIMIT greatest(0, ${REFUSALS_KEPT} - (SELECT count(*) FROM ami_import_refusals WHERE import_id = of_import AND read_at IS NOT NULL))
  )${reads.own ? '' : NOTED}
  SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM changed),
    count(*) FILTER (WHERE verdict = 'same'), count(*) FILTER (WHERE verdict NOT IN ('new', 'replaces', 'same')),
    count(*) FILTER (WHERE verdict = 'new'), count(*) FILTER (WHERE verdict = 'replaces')
  INTO inserted, updated, duplicate, skipped, new_reads, replaced FROM judged;
  -- Somebody else has written or changed one of the reads meanwhile: the batch is judged again.
  IF (inserted, updated) <> (new_reads, replaced) OR inserted + updated + duplicate + skipped <> batch_reads THEN
    RAISE EXCEPTION 'reads of batch % of import % have changed while it was written', of_batch, of_import
      USING ERRCODE = 'serialization_failure';
  END IF;
  UPDATE ami_publish_batches batch
  SET state = 'done', started_at = p_started_at, finished_at = clock_timestamp(),
      inserted = ami_write_imported_batch.inserted, updated = ami_write_imported_batch.updated,
      duplicate = ami_write_imported_batch.duplicate, skipped = ami_write_imported_batch.skipped
  WHERE publish_id = p_publish_id AND batch_number = p_batch_number;
  RETURN NEXT;
END `,
  };
}

const WHAT_STOOD = {
  ...{ tenant_id: 'of_tenant', replaced_at: 'now()', replaced_by: 'of_import' },
  written_at: 'standing_written_at',
  feeder_id: 'standing_feeder_id',
  ...{ kwh: 'standing_kwh', delivered_kwh: 'standing_delivered_kwh', received_kwh: 'standing_received_kwh' },
  ...{ voltage: 'standing_voltage', interval_minutes: 'standing_minutes' },
  ...{ quality: 'standing_quality', quality_method: 'standing_method' },
  import_id: 'standing_import_id',
};

const OWN_INSERT = `INSERT INTO meter_reads_electric
      (tenant_id, meter_id, feeder_id, read_at, kwh, received_kwh, interval_minutes, quality, quality_method, import_id)
    SELECT of_tenant, meter_id, feeder_id, read_at, coalesce(kwh, 0), received_kwh, minutes, quality, quality_method,
      of_import
    FROM judged WHERE verdict = 'new'
    ON CONFLICT (tenant_id, meter_id, read_at) DO NOTHING RETURNING read_at`;

/** What was emulated beside the energy goes with it: losses and voltages of one that was measured would be made up. */
function ownUpdate(reads: ReadsMapping): string {
  return `UPDATE ${quotedRelation(reads.table)} AS stored
    SET kwh = coalesce(judged.kwh, stored.kwh),
      received_kwh = coalesce(judged.received_kwh, stored.received_kwh), interval_minutes = judged.minutes,
      quality = judged.quality, quality_method = judged.quality_method, import_id = of_import,
      delivered_kwh = CASE WHEN standing_source = 'imported' THEN stored.delivered_kwh END,
      voltage = CASE WHEN standing_source = 'imported' THEN stored.voltage END,
      quality_flags = CASE WHEN standing_source = 'imported' THEN stored.quality_flags ELSE '{}' END,
      updated_at = now()
    FROM judged
    WHERE verdict = 'replaces' AND stored.tenant_id = of_tenant AND stored.meter_id = judged.meter_id
      AND stored.read_at = judged.read_at AND stored.read_at >= first_at AND stored.read_at <= last_at
      AND stored.kwh = standing_kwh AND stored.import_id IS NOT DISTINCT FROM standing_import_id
    RETURNING stored.read_at`;
}

/** Which reads of a customer's table are ours now. */
const NOTED = `, noted AS (
    INSERT INTO ami_written_reads (publish_id, batch_number, tenant_id, read_at, meter_ids, interval_minutes)
    SELECT p_publish_id, p_batch_number, of_tenant, read_at, array_agg(meter_id), max(minutes)
    FROM judged WHERE verdict IN ('new', 'replaces') GROUP BY read_at
  )`;

/** A name in the customer's columns, with what fills it on insert; `judged` has the names that `filled` speaks of. */
function adoptedInsert(reads: ReadsMapping): string {
  const { table, columns, filled, key } = reads;
  const values: [MappedColumn, string][] = [
    [columns.tenantId, toStored(columns.tenantId, 'of_tenant')],
    [columns.meterId, toStored(columns.meterId, 'read.meter_id')],
    [columns.feederId, toStored(columns.feederId, 'read.feeder_id')],
    [columns.readAt, toStored(columns.readAt, 'read.p_read_at')],
    [columns.kwh, `read.kwh::${columns.kwh.baseType}`],
    [columns.qualityFlags, flagsValue(columns.qualityFlags)],
    [columns.updatedAt, instant(columns.updatedAt)],
    ...receivedValue(reads, 'read.received_kwh'),
    ...(columns.createdAt
      ? [[columns.createdAt, instant(columns.createdAt)] satisfies [MappedColumn, string]]
      : []),
  ];
  const names = [...values.map(([{ name }]) => name), ...filled.map(({ name }) => name)];
  const expressions = [...values.map(([, sql]) => sql), ...filled.map(({ expression }) => expression)];
  return `INSERT INTO ${quotedRelation(table)} AS stored (${names.map(quoted).join(', ')})
    SELECT ${expressions.join(',\n      ')}
    FROM (SELECT meter_id, feeder_id, read_at AS p_read_at, minutes AS interval_minutes, coalesce(kwh, 0) AS kwh,
      received_kwh, NULL::text AS flags FROM judged WHERE verdict = 'new') AS read
    ON CONFLICT (${key.columns.map(quoted).join(', ')}) DO NOTHING
    RETURNING stored.${quoted(columns.readAt.name)}`;
}

function adoptedUpdate({ table, columns }: ReadsMapping): string {
  const { tenantId, meterId, readAt, kwh, receivedKwh, updatedAt } = columns;
  const column = ({ name }: MappedColumn): string => `stored.${quoted(name)}`;
  const energy = (of: MappedColumn, value: string): string =>
    `${quoted(of.name)} = coalesce(${value}::${of.baseType}, ${column(of)})`;
  return `UPDATE ${quotedRelation(table)} AS stored
    SET ${energy(kwh, 'judged.kwh')},${receivedKwh ? ` ${energy(receivedKwh, 'judged.received_kwh')},` : ''}
      ${quoted(updatedAt.name)} = ${instant(updatedAt)}
    FROM judged
    WHERE verdict = 'replaces' AND ${column(tenantId)} = ${toStored(tenantId, 'of_tenant')}
      AND ${column(meterId)} = ${toStored(meterId, 'judged.meter_id')}
      AND ${column(readAt)} = ${toStored(readAt, 'judged.read_at')}
    RETURNING ${column(readAt)}`;
}
