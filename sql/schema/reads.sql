-- The table of reads that GridLens makes where the database has none. Where a customer has one, these files are left
-- out (read_partitions.sql too), and start-up makes what fits the customer's table (src/schema/functions).
CREATE TABLE meter_reads_electric (
  tenant_id     text COLLATE "C" NOT NULL,
  meter_id      text COLLATE "C" NOT NULL,
  feeder_id     text COLLATE "C" NOT NULL,
  read_at       timestamptz      NOT NULL,
  kwh           numeric          NOT NULL,
  delivered_kwh numeric,
  voltage       numeric,
  quality_flags text[]           NOT NULL DEFAULT '{}',
  created_at    timestamptz      NOT NULL DEFAULT now(),
  updated_at    timestamptz      NOT NULL DEFAULT now(),
  received_kwh  numeric,
  interval_minutes smallint,
  quality       text,
  quality_method text,
  import_id     integer,
  CONSTRAINT meter_reads_electric_key UNIQUE (tenant_id, meter_id, read_at)
) PARTITION BY RANGE (read_at);
COMMENT ON TABLE meter_reads_electric IS
  'Interval reads, one row per meter and interval, partitioned by UTC day of read_at: at 24 million rows a plain '
  'table had lost up to a third of its insert rate and the partitioned one nothing, and retention drops whole '
  'partitions. Ids are COLLATE "C": byte order is all that they need, and a linguistic collation makes every index '
  'descent of every insert compare by locale.';
COMMENT ON COLUMN meter_reads_electric.read_at IS 'Start of the interval.';
COMMENT ON COLUMN meter_reads_electric.kwh IS
  'Registered energy, kWh per interval. Numeric, so that sums do not depend on the order of addition; without a '
  'scale, since rounding what is already rounded cost 2 % of an insert.';
COMMENT ON COLUMN meter_reads_electric.delivered_kwh IS
  'Energy that the utility''s side measured as delivered to the customer, kWh per interval. What flowed back is not taken '
  'off it: that is received_kwh.';
COMMENT ON COLUMN meter_reads_electric.voltage IS 'Voltage during the interval, volts.';
COMMENT ON COLUMN meter_reads_electric.quality_flags IS 'LOW_VOLTAGE or HIGH_VOLTAGE; empty for nearly all reads.';
COMMENT ON COLUMN meter_reads_electric.created_at IS 'When the row was written.';
COMMENT ON COLUMN meter_reads_electric.updated_at IS 'When the row was last revised; created_at when it never was.';
COMMENT ON COLUMN meter_reads_electric.received_kwh IS
  'Energy that the customer fed into the grid, kWh per interval; NULL where the meter has no such channel.';
COMMENT ON COLUMN meter_reads_electric.interval_minutes IS
  'Length of the interval in minutes; NULL of an emulated read, whose interval is that of its publish.';
COMMENT ON COLUMN meter_reads_electric.quality IS
  'raw, validated, estimated, edited or questionable, as the imported file says; NULL of an emulated read.';
COMMENT ON COLUMN meter_reads_electric.quality_method IS
  'How an estimate or a change came about, as the file says it: S14, referenceDay.';
COMMENT ON COLUMN meter_reads_electric.import_id IS
  'The file that the read comes from: ami_imports.import_id; NULL of an emulated read.';

-- A function rather than one statement of CTEs: ROW_COUNT is free, where counting a RETURNING cost 3 to 4 % of the
-- whole write. The reads go in through unnest, one array per column: no limit of 65,535 parameters, and one plan at any
-- size.
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
COMMENT ON FUNCTION ami_write_batch(uuid, integer, text, timestamptz, text, timestamptz, text[], text[], numeric[],
  numeric[], numeric[], text[], numeric[]) IS
  'Writes one batch: its reads and its ledger row, in the one transaction of this call. The ledger row is locked and '
  'must still be pending. A batch that runs twice, after a crash or at the same time, finds its row done, writes '
  'nothing and answers no row. A revision leaves a read alone that is of another feeder: that read was published for '
  'another layout of the fleet, and an event must not show on a feeder that it is not on. A read that was imported '
  'stays as it is: somebody measured it. p_received_kwh is left out by processes of versions without it, and where no '
  'meter feeds in.';

CREATE TRIGGER ami_fold_inserted_reads AFTER INSERT ON meter_reads_electric
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ami_fold_inserted_reads();
CREATE TRIGGER ami_fold_deleted_reads AFTER DELETE ON meter_reads_electric
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION ami_fold_deleted_reads();
CREATE TRIGGER ami_fold_updated_reads AFTER UPDATE ON meter_reads_electric
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION ami_fold_updated_reads();
CREATE TRIGGER ami_fold_truncated_reads AFTER TRUNCATE ON meter_reads_electric
  FOR EACH STATEMENT EXECUTE FUNCTION ami_fold_truncated_reads();
-- After those of the rollups, by their names: triggers of one event run in the order of the alphabet.
CREATE TRIGGER ami_tally_inserted_estimates AFTER INSERT ON meter_reads_electric
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ami_tally_inserted_estimates();
CREATE TRIGGER ami_tally_deleted_estimates AFTER DELETE ON meter_reads_electric
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION ami_tally_deleted_estimates();
CREATE TRIGGER ami_tally_updated_estimates AFTER UPDATE ON meter_reads_electric
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION ami_tally_updated_estimates();
CREATE TRIGGER ami_tally_truncated_estimates AFTER TRUNCATE ON meter_reads_electric
  FOR EACH STATEMENT EXECUTE FUNCTION ami_tally_truncated_estimates();
