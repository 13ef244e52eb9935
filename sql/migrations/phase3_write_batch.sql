-- Writes one batch: its reads and its ledger row, in the one transaction of this call. As in phase 2, but that a
-- revision leaves a read alone that is of another feeder: it was published for another layout of the fleet, and an
-- event must not show on a feeder that it is not on.
--
-- The ledger row is locked and must still be pending; a batch that runs twice, after a crash or at the same time,
-- finds its row done, writes nothing and answers no row. The reads go in through unnest, one array a column: no
-- 65,535-parameter limit, one plan whatever the size. A function rather than one statement of CTEs, since ROW_COUNT
-- is free and counting a RETURNING cost 3-4 % of the whole write.
CREATE OR REPLACE FUNCTION ami_write_batch(
  p_publish_id uuid, p_batch_number integer, p_tenant_id text, p_read_at timestamptz, p_on_conflict text,
  p_started_at timestamptz, p_meter_ids text[], p_feeder_ids text[], p_kwh numeric[], p_delivered_kwh numeric[],
  p_voltage numeric[], p_quality_flags text[]
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
      (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, quality_flags)
    SELECT p_tenant_id, meter_id, feeder_id, p_read_at, kwh, delivered_kwh, voltage, coalesce(flags::text[], '{}')
    FROM unnest(p_meter_ids, p_feeder_ids, p_kwh, p_delivered_kwh, p_voltage, p_quality_flags)
      AS read (meter_id, feeder_id, kwh, delivered_kwh, voltage, flags)
    ON CONFLICT (tenant_id, meter_id, read_at) DO NOTHING;
    GET DIAGNOSTICS inserted = ROW_COUNT;
  ELSE
    -- A row is new when it was created by this very transaction.
    WITH written AS (
      INSERT INTO meter_reads_electric
        (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, quality_flags)
      SELECT p_tenant_id, meter_id, feeder_id, p_read_at, kwh, delivered_kwh, voltage, coalesce(flags::text[], '{}')
      FROM unnest(p_meter_ids, p_feeder_ids, p_kwh, p_delivered_kwh, p_voltage, p_quality_flags)
        AS read (meter_id, feeder_id, kwh, delivered_kwh, voltage, flags)
      ON CONFLICT (tenant_id, meter_id, read_at) DO UPDATE SET
        kwh = excluded.kwh, delivered_kwh = excluded.delivered_kwh, voltage = excluded.voltage,
        quality_flags = excluded.quality_flags, updated_at = excluded.updated_at
      WHERE meter_reads_electric.feeder_id = excluded.feeder_id
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
