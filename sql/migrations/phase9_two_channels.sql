-- What customers feed into the grid is written with the rest of a read. Processes of the last version leave the argument out. A
-- customer's own table keeps its own writer, which start-up replaces.
DO $migrate$
DECLARE
  definition text;
BEGIN
  SELECT pg_get_functiondef(oid) INTO definition FROM pg_proc
  WHERE pronamespace = quote_ident(current_schema())::regnamespace AND proname = 'ami_write_batch'
    AND position('ami_written_reads' IN prosrc) = 0;
  IF definition IS NULL THEN
    RETURN;
  END IF;
  DROP FUNCTION ami_write_batch(uuid, integer, text, timestamptz, text, timestamptz, text[], text[], numeric[],
    numeric[], numeric[], text[]);
  EXECUTE $create$
CREATE FUNCTION ami_write_batch(
  p_publish_id uuid, p_batch_number integer, p_tenant_id text, p_read_at timestamptz, p_on_conflict text,
  p_started_at timestamptz, p_meter_ids text[], p_feeder_ids text[], p_kwh numeric[], p_delivered_kwh numeric[],
  p_voltage numeric[], p_quality_flags text[], p_received_kwh numeric[] DEFAULT NULL
) RETURNS TABLE (inserted integer, updated integer, duplicate integer, skipped integer)
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
  batch_meters integer;
  reads integer := cardinality(p_meter_ids);
BEGIN
  SELECT meters INTO batch_meters FROM ami_publish_batches
  WHERE publish_id = p_publish_id AND batch_number = p_batch_number AND state = 'pending'
  FOR UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;

  updated := 0;
  IF p_on_conflict = 'nothing' THEN
    INSERT INTO meter_reads_electric
      (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, quality_flags, received_kwh)
    SELECT p_tenant_id, meter_id, feeder_id, p_read_at, kwh, delivered_kwh, voltage, coalesce(flags::text[], '{}'),
           received_kwh
    FROM unnest(p_meter_ids, p_feeder_ids, p_kwh, p_delivered_kwh, p_voltage, p_quality_flags, p_received_kwh)
      AS read (meter_id, feeder_id, kwh, delivered_kwh, voltage, flags, received_kwh)
    ON CONFLICT (tenant_id, meter_id, read_at) DO NOTHING;
    GET DIAGNOSTICS inserted = ROW_COUNT;
  ELSE
    -- A row is new when this transaction created it.
    WITH written AS (
      INSERT INTO meter_reads_electric
        (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, quality_flags, received_kwh)
      SELECT p_tenant_id, meter_id, feeder_id, p_read_at, kwh, delivered_kwh, voltage, coalesce(flags::text[], '{}'),
             received_kwh
      FROM unnest(p_meter_ids, p_feeder_ids, p_kwh, p_delivered_kwh, p_voltage, p_quality_flags, p_received_kwh)
        AS read (meter_id, feeder_id, kwh, delivered_kwh, voltage, flags, received_kwh)
      ON CONFLICT (tenant_id, meter_id, read_at) DO UPDATE SET
        kwh = excluded.kwh, delivered_kwh = excluded.delivered_kwh, voltage = excluded.voltage,
        quality_flags = excluded.quality_flags, received_kwh = excluded.received_kwh, updated_at = excluded.updated_at
      WHERE meter_reads_electric.feeder_id = excluded.feeder_id AND meter_reads_electric.quality IS NULL
      RETURNING meter_reads_electric.created_at = meter_reads_electric.updated_at AS is_new
    )
    SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) INTO inserted, updated FROM written;
  END IF;

  duplicate := reads - inserted - updated;
  skipped := batch_meters - reads;
  UPDATE ami_publish_batches batch
  SET state = 'done', started_at = p_started_at, finished_at = clock_timestamp(),
      inserted = ami_write_batch.inserted, updated = ami_write_batch.updated,
      duplicate = ami_write_batch.duplicate, skipped = ami_write_batch.skipped
  WHERE publish_id = p_publish_id AND batch_number = p_batch_number;
  RETURN NEXT;
END $$;
  $create$;
END $migrate$;
