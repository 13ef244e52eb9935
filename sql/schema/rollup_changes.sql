-- How differences change the rollups: the parts that UPDATE and DELETE of reads use (rollup_folds.sql). A figure that a
-- difference can give is never counted anew; docs/decisions/0003-kpis-from-rollups.md says why.
--
-- Texts of the two types are COLLATE "C": rows are then locked in the order in which inserts lock them.
CREATE TYPE ami_interval_change AS (
  tenant_id text COLLATE "C", read_at timestamptz, feeder_id text COLLATE "C", reads bigint, kwh numeric,
  unmetered_kwh numeric, delivered_kwh numeric, low_voltage_reads bigint, high_voltage_reads bigint,
  min_voltage_gone numeric, min_voltage_come numeric, implausible_reads bigint, meters_fingerprint numeric,
  received_kwh numeric, received_reads bigint);
COMMENT ON TYPE ami_interval_change IS
  'What a statement does to one interval of a feeder: the differences, and the lowest voltage among the rows that '
  'went and among those that came.';
CREATE TYPE ami_anomaly_change AS (
  tenant_id text COLLATE "C", day date, feeder_id text COLLATE "C", meter_id text COLLATE "C",
  underregistered_reads bigint, registered_kwh numeric, delivered_kwh numeric, first_come timestamptz,
  last_come timestamptz, low_voltage_reads bigint, min_voltage_come numeric, gone boolean);
COMMENT ON TYPE ami_anomaly_change IS
  'What a statement does to the anomalous reads of a meter and day; gone says whether any of them went.';

-- The functions below keep this search path: the own schema, and pg_temp last. Unnamed, pg_temp would be searched
-- first, and anybody may make objects there. JIT is off: these are short statements by the hundred, and look-ups by
-- index whose cost the planner overrates; compiling them takes a hundred times as long as running them.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE FUNCTION ami_find_min_voltage(tenants text[], instants timestamptz[], feeders text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  of record;
BEGIN
  FOR of IN
    SELECT tenant_id, ami_utc_day(read_at) AS day, count(DISTINCT read_at) > 8 AS are_many,
           array_agg(read_at) AS instants, array_agg(feeder_id) AS feeders
    FROM unnest(tenants, instants, feeders) AS touched (tenant_id, read_at, feeder_id) GROUP BY 1, 2
  LOOP
    UPDATE ami_feeder_intervals cell SET min_voltage = found.min_voltage
    FROM (
      SELECT touched.read_at, touched.feeder_id, min(voltage) AS min_voltage
      FROM unnest(of.instants, of.feeders) AS touched (read_at, feeder_id)
      LEFT JOIN (
        SELECT read_at, feeder_id, voltage
        FROM ami_reads_between(of.day::timestamp AT TIME ZONE 'UTC', (of.day + 1)::timestamp AT TIME ZONE 'UTC')
        WHERE of.are_many AND tenant_id = of.tenant_id
        UNION ALL
        SELECT measured.* FROM (SELECT DISTINCT read_at FROM unnest(of.instants) AS wanted (read_at)) wanted,
          ami_known_meters known,
          LATERAL (
            SELECT read_at, feeder_id, voltage FROM ami_read_at(known.tenant_id, known.meter_id, wanted.read_at) OFFSET 0
          ) measured
        WHERE NOT of.are_many AND known.tenant_id = of.tenant_id
      ) reads USING (read_at, feeder_id)
      GROUP BY 1, 2
    ) found
    WHERE cell.tenant_id = of.tenant_id AND cell.read_at = found.read_at AND cell.feeder_id = found.feeder_id;
  END LOOP;
END $$;
COMMENT ON FUNCTION ami_find_min_voltage(text[], timestamptz[], text[]) IS
  'Finds the lowest voltage of intervals anew. Only the voltage, not the sums, may come from the reads themselves: a '
  'statement that also inserts has its rows there already, and a trigger that is still to come adds them to the '
  'sums. Up to 8 intervals of a day are looked up by one index probe per known meter (0.1 s each with 25,000 '
  'meters), more by one scan of the tenant''s day (1 s). The caller has locked the rows of the intervals.';

CREATE FUNCTION ami_refold_days(tenants text[], days date[], feeders text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  INSERT INTO ami_feeder_days AS day (tenant_id, day, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh,
    low_voltage_reads, high_voltage_reads, quarter_hours, max_interval_reads, changed_at)
  SELECT DISTINCT tenant_id COLLATE "C", touched.day, feeder_id COLLATE "C", 0, 0, 0, 0, 0, 0, 0::bit(96), 0,
         clock_timestamp()
  FROM unnest(tenants, days, feeders) AS touched (tenant_id, day, feeder_id) ORDER BY 1, 2, 3
  ON CONFLICT (tenant_id, day, feeder_id) DO UPDATE SET
    changed_at = greatest(day.changed_at, excluded.changed_at), version = excluded.version;

  UPDATE ami_feeder_days day SET
    reads = folded.reads, kwh = folded.kwh, unmetered_kwh = folded.unmetered_kwh,
    delivered_kwh = folded.delivered_kwh, min_voltage = folded.min_voltage,
    low_voltage_reads = folded.low_voltage_reads, high_voltage_reads = folded.high_voltage_reads,
    quarter_hours = folded.quarter_hours::bit(96), further_quarter_hours = (folded.quarter_hours << 96)::bit(32),
    max_interval_reads = folded.max_interval_reads,
    latest_read_at = folded.latest_read_at, implausible_reads = folded.implausible_reads,
    received_kwh = folded.received_kwh, received_reads = folded.received_reads
  FROM (SELECT DISTINCT * FROM unnest(tenants, days, feeders)) AS touched (tenant_id, day, feeder_id)
    LEFT JOIN ami_tenant_zones zone USING (tenant_id),
    LATERAL (SELECT ami_clock_day_start(zone.clock, touched.day) AS starts_at,
                    ami_clock_day_start(zone.clock, touched.day + 1) AS ends_at OFFSET 0) bounds,
    LATERAL (
      SELECT coalesce(sum(reads), 0) AS reads, coalesce(sum(kwh), 0) AS kwh,
             coalesce(sum(unmetered_kwh), 0) AS unmetered_kwh, coalesce(sum(delivered_kwh), 0) AS delivered_kwh,
             min(min_voltage) AS min_voltage, coalesce(sum(low_voltage_reads), 0) AS low_voltage_reads,
             coalesce(sum(high_voltage_reads), 0) AS high_voltage_reads,
             coalesce(bit_or(ami_day_bits(bounds.starts_at, read_at)), 0::bit(128)) AS quarter_hours,
             coalesce(max(reads), 0) AS max_interval_reads, max(read_at) AS latest_read_at,
             coalesce(sum(implausible_reads), 0) AS implausible_reads,
             sum(received_kwh) AS received_kwh, coalesce(sum(received_reads), 0) AS received_reads
      FROM ami_feeder_intervals cell
      WHERE cell.tenant_id = touched.tenant_id AND cell.feeder_id = touched.feeder_id
        AND cell.read_at >= bounds.starts_at AND cell.read_at < bounds.ends_at
    ) folded
  WHERE day.tenant_id = touched.tenant_id AND day.day = touched.day AND day.feeder_id = touched.feeder_id;

  DELETE FROM ami_feeder_days day
  USING unnest(tenants, days, feeders) AS touched (tenant_id, day, feeder_id)
  WHERE day.tenant_id = touched.tenant_id AND day.day = touched.day AND day.feeder_id = touched.feeder_id
    AND day.reads = 0;
END $$;
COMMENT ON FUNCTION ami_refold_days(text[], date[], text[]) IS
  'Derives days anew from their intervals. A statement of its own makes and locks the day''s row first: an insert '
  'under way then either has committed its interval when the next statement looks, or adds to the row afterwards.';

CREATE FUNCTION ami_apply_interval_changes(changes ami_interval_change[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  tenants text[];
  instants timestamptz[];
  feeders text[];
BEGIN
  WITH folded AS (
    INSERT INTO ami_feeder_intervals AS cell (tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh,
      min_voltage, low_voltage_reads, high_voltage_reads, implausible_reads, meters_fingerprint, received_kwh,
      received_reads)
    SELECT tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage_come,
           low_voltage_reads, high_voltage_reads, implausible_reads, meters_fingerprint, received_kwh, received_reads
    FROM unnest(changes) ORDER BY 1, 2, 3
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
    RETURNING tenant_id, read_at, feeder_id, reads, min_voltage
  )
  SELECT array_agg(folded.tenant_id), array_agg(folded.read_at), array_agg(folded.feeder_id)
  INTO tenants, instants, feeders
  FROM folded JOIN unnest(changes) change USING (tenant_id, read_at, feeder_id)
  WHERE folded.reads > 0 AND change.min_voltage_gone <= folded.min_voltage
    AND change.min_voltage_come IS DISTINCT FROM folded.min_voltage;
  IF tenants IS NOT NULL THEN
    PERFORM ami_find_min_voltage(tenants, instants, feeders);
  END IF;

  DELETE FROM ami_feeder_intervals cell USING unnest(changes) change
  WHERE cell.tenant_id = change.tenant_id AND cell.read_at = change.read_at AND cell.feeder_id = change.feeder_id
    AND cell.reads = 0;

  PERFORM ami_refold_days(array_agg(tenant_id), array_agg(day), array_agg(feeder_id))
  FROM (
    SELECT DISTINCT tenant_id, ami_clock_day(zone.clock, read_at) AS day, feeder_id
    FROM unnest(changes) LEFT JOIN ami_tenant_zones zone USING (tenant_id)
  ) touched;
END $$;
COMMENT ON FUNCTION ami_apply_interval_changes(ami_interval_change[]) IS
  'Applies changes to the intervals, and then to their days. Sums change by their difference; the lowest voltage is '
  'looked for again only where the row that had it went.';

CREATE FUNCTION ami_apply_anomaly_changes(changes ami_anomaly_change[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  INSERT INTO ami_meter_anomalies AS anomaly (tenant_id, day, feeder_id, meter_id, underregistered_reads,
    registered_kwh, delivered_kwh, first_underregistered_at, last_underregistered_at, low_voltage_reads, min_voltage)
  SELECT tenant_id, day, feeder_id, meter_id, underregistered_reads, registered_kwh, delivered_kwh, first_come,
         last_come, low_voltage_reads, min_voltage_come
  FROM unnest(changes) ORDER BY 1, 2, 3, 4
  ON CONFLICT (tenant_id, day, feeder_id, meter_id) DO UPDATE SET
    underregistered_reads = anomaly.underregistered_reads + excluded.underregistered_reads,
    registered_kwh = anomaly.registered_kwh + excluded.registered_kwh,
    delivered_kwh = anomaly.delivered_kwh + excluded.delivered_kwh,
    first_underregistered_at = least(anomaly.first_underregistered_at, excluded.first_underregistered_at),
    last_underregistered_at = greatest(anomaly.last_underregistered_at, excluded.last_underregistered_at),
    low_voltage_reads = anomaly.low_voltage_reads + excluded.low_voltage_reads,
    min_voltage = least(anomaly.min_voltage, excluded.min_voltage);

  UPDATE ami_meter_anomalies anomaly SET
    first_underregistered_at = found.first_at, last_underregistered_at = found.last_at, min_voltage = found.min_voltage
  FROM unnest(changes) change LEFT JOIN ami_tenant_zones zone USING (tenant_id),
    LATERAL (
      SELECT min(read_at) FILTER (WHERE ami_is_underregistered(kwh, delivered_kwh)) AS first_at,
             max(read_at) FILTER (WHERE ami_is_underregistered(kwh, delivered_kwh)) AS last_at,
             min(voltage) FILTER (WHERE ami_is_low_voltage(voltage)) AS min_voltage
      FROM ami_reads_of_meter(change.tenant_id, change.meter_id, ami_clock_day_start(zone.clock, change.day),
        ami_clock_day_start(zone.clock, change.day + 1)) reads
      WHERE reads.feeder_id = change.feeder_id
    ) found
  WHERE change.gone AND anomaly.tenant_id = change.tenant_id AND anomaly.day = change.day
    AND anomaly.feeder_id = change.feeder_id AND anomaly.meter_id = change.meter_id;

  DELETE FROM ami_meter_anomalies anomaly USING unnest(changes) change
  WHERE anomaly.tenant_id = change.tenant_id AND anomaly.day = change.day
    AND anomaly.feeder_id = change.feeder_id AND anomaly.meter_id = change.meter_id
    AND anomaly.underregistered_reads = 0 AND anomaly.low_voltage_reads = 0;
END $$;
COMMENT ON FUNCTION ami_apply_anomaly_changes(ami_anomaly_change[]) IS
  'Applies changes to the anomalies; first, last and lowest are looked for again only where something went.';
