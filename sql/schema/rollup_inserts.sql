-- How an INSERT into the table of reads changes the rollups.
CREATE FUNCTION ami_is_plausible(energy numeric, voltage numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(energy > -1e12 AND energy < 1e12, true) AND coalesce(voltage > -1e12, true)
$$;
COMMENT ON FUNCTION ami_is_plausible(numeric, numeric) IS
  'Whether energy (kWh) and voltage (V) may enter the rollups. NaN or infinity could never be taken out of a sum '
  'again, and a number beyond the range of a double breaks whoever reads it.';
CREATE FUNCTION ami_refuse_reads() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'kwh, delivered_kwh and voltage of meter_reads_electric must be finite numbers, in kWh and V'
    USING ERRCODE = 'check_violation';
END $$;
COMMENT ON FUNCTION ami_refuse_reads() IS
  'Fails the statement that writes reads with energy or voltage that is not plausible.';

-- The functions below act as their owner: whoever may write reads, even a customer's loader that may nothing else,
-- keeps the rollups by them. So they keep this search path: the own schema, and pg_temp last. Unnamed, pg_temp would be
-- searched first, and anybody may make objects there. Nobody else may execute them: on a table of one's own, as
-- triggers, they could be made to forge the KPIs. JIT is off: compiling these short statements takes a hundred times as
-- long as running them.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE FUNCTION ami_fold_inserted_reads() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  energy numeric;
  lowest_voltage numeric;
  anomalous bigint;
  other_lengths bigint;
  has_unknown_set boolean;
BEGIN
  -- Shared: writers do not wait for each other. They wait for a rebuild and while meters are being forgotten.
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('gridlens:known-meters', 0));
  -- Above read committed the snapshot may be older than the lock.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    PERFORM ami_require_current_zones(array_agg(DISTINCT tenant_id)) FROM new_rows;
  END IF;

  WITH cells AS MATERIALIZED (
    SELECT tenant_id, read_at, feeder_id, count(*) AS reads,
           coalesce(sum(kwh) FILTER (WHERE is_measured), 0) AS kwh,
           coalesce(sum(kwh) FILTER (WHERE is_measured AND delivered_kwh IS NULL), 0) AS unmetered_kwh,
           coalesce(sum(delivered_kwh) FILTER (WHERE is_measured), 0) AS delivered_kwh, min(voltage) AS min_voltage,
           count(*) FILTER (WHERE ami_is_low_voltage(voltage)) AS low_voltage_reads,
           count(*) FILTER (WHERE ami_is_high_voltage(voltage)) AS high_voltage_reads,
           count(*) FILTER (WHERE ami_is_underregistered(kwh, delivered_kwh)) AS underregistered_reads,
           min(meter_id) AS first_meter_id, sum(hashtextextended(meter_id, 0)) AS fingerprint,
           count(*) FILTER (WHERE NOT is_measured) AS implausible_reads,
           count(*) FILTER (WHERE interval_minutes <> 15) AS of_other_lengths,
           sum(abs(kwh) + abs(coalesce(delivered_kwh, 0))) FILTER (WHERE NOT is_measured) AS implausible_kwh,
           sum(fed_in_kwh) AS received_kwh, count(fed_in_kwh) AS received_reads
    -- OFFSET 0: the rules are asked once a read, not once a figure.
    FROM (SELECT *, ami_is_measured(kwh, delivered_kwh) AS is_measured,
                 ami_fed_in(kwh, delivered_kwh, received_kwh) AS fed_in_kwh FROM new_rows OFFSET 0) judged
    GROUP BY tenant_id, read_at, feeder_id
  ), folded AS (
    INSERT INTO ami_feeder_intervals AS cell (tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh,
      min_voltage, low_voltage_reads, high_voltage_reads, implausible_reads, meters_fingerprint, received_kwh,
      received_reads)
    SELECT tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage, low_voltage_reads,
           high_voltage_reads, implausible_reads, fingerprint, received_kwh, received_reads
    FROM cells ORDER BY 1, 2, 3
    ON CONFLICT (tenant_id, read_at, feeder_id) DO UPDATE SET
      reads = cell.reads + excluded.reads, kwh = cell.kwh + excluded.kwh,
      unmetered_kwh = cell.unmetered_kwh + excluded.unmetered_kwh,
      delivered_kwh = cell.delivered_kwh + excluded.delivered_kwh,
      min_voltage = least(cell.min_voltage, excluded.min_voltage),
      low_voltage_reads = cell.low_voltage_reads + excluded.low_voltage_reads,
      high_voltage_reads = cell.high_voltage_reads + excluded.high_voltage_reads,
      implausible_reads = cell.implausible_reads + excluded.implausible_reads,
      meters_fingerprint = cell.meters_fingerprint + excluded.meters_fingerprint,
      received_reads = cell.received_reads + excluded.received_reads,
      received_kwh = CASE WHEN cell.received_reads + excluded.received_reads > 0
        THEN coalesce(cell.received_kwh, 0) + coalesce(excluded.received_kwh, 0) END
    RETURNING tenant_id, read_at, feeder_id, reads AS interval_reads
  ), zone_days AS MATERIALIZED (
    -- Asked once a day of a zone and not once a cell: the batch of an import has as many cells as reads.
    SELECT clock, day, ami_clock_day_start(clock, day) AS starts_at, ami_clock_day_start(clock, day + 1) AS ends_at
    FROM (
      SELECT DISTINCT clock, first_day + further AS day
      FROM (
        SELECT clock, ami_clock_day(clock, utc_day AT TIME ZONE 'UTC') AS first_day,
               ami_clock_day(clock, (utc_day + interval '1 day') AT TIME ZONE 'UTC') AS last_day
        FROM (
          SELECT DISTINCT zone.clock, date_trunc('day', read_at AT TIME ZONE 'UTC') AS utc_day
          FROM cells JOIN ami_tenant_zones zone USING (tenant_id)
          WHERE zone.clock IS NOT NULL AND isfinite(read_at)
        ) touched
      ) around, generate_series(0, last_day - first_day) further
    ) named
  ), placed AS MATERIALIZED (
    SELECT cells.*, interval_reads, coalesce(zone_days.day, (read_at AT TIME ZONE 'UTC')::date) AS day,
           coalesce(zone_days.starts_at, date_trunc('day', read_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC') AS day_starts_at
    FROM cells JOIN folded USING (tenant_id, read_at, feeder_id) LEFT JOIN ami_tenant_zones zone USING (tenant_id)
    LEFT JOIN zone_days ON zone_days.clock = zone.clock AND read_at >= starts_at AND read_at < ends_at
  ), days AS (
    INSERT INTO ami_feeder_days AS day (tenant_id, day, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh,
      min_voltage, low_voltage_reads, high_voltage_reads, quarter_hours, max_interval_reads, latest_read_at, changed_at,
      implausible_reads, further_quarter_hours, received_kwh, received_reads)
    SELECT tenant_id, day, feeder_id, sum(reads), sum(kwh), sum(unmetered_kwh), sum(delivered_kwh),
           min(min_voltage), sum(low_voltage_reads), sum(high_voltage_reads),
           bit_or(ami_day_bits(day_starts_at, read_at))::bit(96),
           max(interval_reads), max(read_at), clock_timestamp(), sum(implausible_reads),
           (bit_or(ami_day_bits(day_starts_at, read_at)) << 96)::bit(32), sum(received_kwh), sum(received_reads)
    FROM placed
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (tenant_id, day, feeder_id) DO UPDATE SET
      reads = day.reads + excluded.reads, kwh = day.kwh + excluded.kwh,
      unmetered_kwh = day.unmetered_kwh + excluded.unmetered_kwh,
      delivered_kwh = day.delivered_kwh + excluded.delivered_kwh,
      min_voltage = least(day.min_voltage, excluded.min_voltage),
      low_voltage_reads = day.low_voltage_reads + excluded.low_voltage_reads,
      high_voltage_reads = day.high_voltage_reads + excluded.high_voltage_reads,
      implausible_reads = day.implausible_reads + excluded.implausible_reads,
      quarter_hours = day.quarter_hours | excluded.quarter_hours,
      further_quarter_hours = day.further_quarter_hours | excluded.further_quarter_hours,
      max_interval_reads = greatest(day.max_interval_reads, excluded.max_interval_reads),
      latest_read_at = greatest(day.latest_read_at, excluded.latest_read_at),
      changed_at = greatest(day.changed_at, excluded.changed_at), version = excluded.version,
      received_reads = day.received_reads + excluded.received_reads,
      received_kwh = CASE WHEN day.received_reads + excluded.received_reads > 0
        THEN coalesce(day.received_kwh, 0) + coalesce(excluded.received_kwh, 0) END
  ), batch AS (
    SELECT tenant_id, feeder_id, min(first_meter_id) AS first_meter_id, sum(reads) AS meters,
           sum(fingerprint) AS fingerprint
    FROM cells GROUP BY tenant_id, feeder_id
  )
  SELECT (SELECT sum(implausible_kwh) FROM cells), (SELECT min(min_voltage) FROM cells),
         (SELECT sum(low_voltage_reads + underregistered_reads) FROM cells),
         (SELECT sum(of_other_lengths) FROM cells), EXISTS (
    SELECT FROM batch LEFT JOIN ami_known_meter_sets known USING (tenant_id, feeder_id, first_meter_id)
    WHERE (known.meters, known.fingerprint) IS DISTINCT FROM (batch.meters, batch.fingerprint)
  ) INTO energy, lowest_voltage, anomalous, other_lengths, has_unknown_set;
  IF NOT ami_is_plausible(energy, lowest_voltage) THEN
    PERFORM ami_refuse_reads();
  END IF;

  IF other_lengths > 0 THEN
    PERFORM ami_apply_length_changes(array_agg((tenant_id, read_at, feeder_id, interval_minutes, reads)::ami_length_change))
    FROM (
      SELECT tenant_id, read_at, feeder_id, interval_minutes, count(*) AS reads FROM new_rows
      WHERE interval_minutes <> 15 GROUP BY 1, 2, 3, 4
    ) counted;
  END IF;

  IF anomalous > 0 THEN
    INSERT INTO ami_meter_anomalies AS anomaly (tenant_id, day, feeder_id, meter_id, underregistered_reads,
      registered_kwh, delivered_kwh, first_underregistered_at, last_underregistered_at, low_voltage_reads, min_voltage)
    SELECT tenant_id, ami_clock_day(zone.clock, read_at), feeder_id, meter_id, count(*) FILTER (WHERE is_underregistered),
           coalesce(sum(kwh) FILTER (WHERE is_underregistered), 0),
           coalesce(sum(delivered_kwh) FILTER (WHERE is_underregistered), 0),
           min(read_at) FILTER (WHERE is_underregistered), max(read_at) FILTER (WHERE is_underregistered),
           count(*) FILTER (WHERE ami_is_low_voltage(voltage)), min(voltage) FILTER (WHERE ami_is_low_voltage(voltage))
    FROM (
      SELECT *, coalesce(ami_is_underregistered(kwh, delivered_kwh), false) AS is_underregistered FROM new_rows
      WHERE ami_is_low_voltage(voltage) OR ami_is_underregistered(kwh, delivered_kwh)
    ) anomalous LEFT JOIN ami_tenant_zones zone USING (tenant_id) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (tenant_id, day, feeder_id, meter_id) DO UPDATE SET
      underregistered_reads = anomaly.underregistered_reads + excluded.underregistered_reads,
      registered_kwh = anomaly.registered_kwh + excluded.registered_kwh,
      delivered_kwh = anomaly.delivered_kwh + excluded.delivered_kwh,
      first_underregistered_at = least(anomaly.first_underregistered_at, excluded.first_underregistered_at),
      last_underregistered_at = greatest(anomaly.last_underregistered_at, excluded.last_underregistered_at),
      low_voltage_reads = anomaly.low_voltage_reads + excluded.low_voltage_reads,
      min_voltage = least(anomaly.min_voltage, excluded.min_voltage);
  END IF;

  -- Above read committed the snapshot may be older than the lock, and show meters as known that were forgotten since.
  IF has_unknown_set OR current_setting('transaction_isolation') <> 'read committed' THEN
    INSERT INTO ami_known_meters (tenant_id, meter_id, feeder_id)
    SELECT tenant_id, meter_id, min(feeder_id) FROM new_rows GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT DO NOTHING;

    INSERT INTO ami_known_meter_sets AS known (tenant_id, feeder_id, first_meter_id, meters, fingerprint)
    SELECT tenant_id, feeder_id, min(meter_id), count(*), sum(hashtextextended(meter_id, 0))
    FROM new_rows GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (tenant_id, feeder_id, first_meter_id) DO UPDATE SET
      meters = excluded.meters, fingerprint = excluded.fingerprint
    WHERE (known.meters, known.fingerprint) <> (excluded.meters, excluded.fingerprint);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION ami_fold_inserted_reads() IS
  'Trigger: adds the rows of an INSERT to the rollups and the known meters. The rows are read once and grouped: a '
  'second pass over 500 rows cost as much as everything else together. Rows are locked in the order of their keys, '
  'intervals before days, so that batches cannot deadlock.';
REVOKE EXECUTE ON FUNCTION ami_fold_inserted_reads() FROM PUBLIC;
