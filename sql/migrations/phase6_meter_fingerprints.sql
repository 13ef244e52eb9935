-- Which meters reported an interval, as the sum of their hashes: so many silent meters are counted without a look at each
-- (0.4 s of CPU with 25,000 of them, at each poll). The functions are those of the phases before, with that sum. Rows that
-- are there have none, and are counted as before; after a day none of them matters any more.
ALTER TABLE ami_feeder_intervals ADD COLUMN meters_fingerprint numeric;
ALTER TYPE ami_interval_change ADD ATTRIBUTE meters_fingerprint numeric;

CREATE FUNCTION ami_meters_since(for_tenant text, at_interval timestamptz, latest_read_at timestamptz,
  known_meters bigint, OUT interval_on bigint, OUT hour_on bigint, OUT day_on bigint)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  most bigint[];
  least_of bigint[];
BEGIN
  WITH cells AS MATERIALIZED (
    SELECT read_at, reads, meters_fingerprint FROM ami_feeder_intervals
    WHERE tenant_id = for_tenant AND read_at > at_interval - interval '24 h' AND read_at <= latest_read_at AND reads > 0
    LIMIT 50001
  ), sets AS (
    SELECT reads, meters_fingerprint, max(read_at) AS last_at FROM cells GROUP BY reads, meters_fingerprint
  ), intervals AS (
    SELECT read_at, sum(reads) AS reads FROM cells GROUP BY read_at
  )
  SELECT ARRAY[
      coalesce(sum(reads) FILTER (WHERE last_at >= at_interval), 0),
      coalesce(sum(reads) FILTER (WHERE last_at > at_interval - interval '1 h'), 0),
      coalesce(sum(reads), 0)],
    (SELECT ARRAY[
      coalesce(max(intervals.reads) FILTER (WHERE read_at >= at_interval), 0),
      coalesce(max(intervals.reads) FILTER (WHERE read_at > at_interval - interval '1 h'), 0),
      coalesce(max(intervals.reads), 0)] FROM intervals)
  INTO most, least_of
  FROM sets
  HAVING count(*) = count(meters_fingerprint) AND (SELECT count(*) FROM cells) <= 50000;
  IF least_of[1] = least(most[1], known_meters) AND least_of[2] = least(most[2], known_meters)
     AND least_of[3] = least(most[3], known_meters) THEN
    interval_on := least_of[1];
    hour_on := least_of[2];
    day_on := least_of[3];
  END IF;
END $$;

-- The functions below keep this search path, as in phase 3; the caller's is put back at the end.
SELECT set_config('ami.search_path', current_setting('search_path'), true);
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE OR REPLACE FUNCTION ami_fold_inserted_reads() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  energy numeric;
  lowest_voltage numeric;
  anomalous bigint;
  has_unknown_set boolean;
BEGIN
  -- Shared: writers do not wait for each other. They wait for a rebuild and while meters are being forgotten.
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('gridlens:known-meters', 0));

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
           sum(abs(kwh) + abs(coalesce(delivered_kwh, 0))) FILTER (WHERE NOT is_measured) AS implausible_kwh
    -- OFFSET 0: the rule is asked once a read, not once a figure.
    FROM (SELECT *, ami_is_measured(kwh, delivered_kwh) AS is_measured FROM new_rows OFFSET 0) judged
    GROUP BY tenant_id, read_at, feeder_id
  ), folded AS (
    INSERT INTO ami_feeder_intervals AS cell (tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh,
      min_voltage, low_voltage_reads, high_voltage_reads, implausible_reads, meters_fingerprint)
    SELECT tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage, low_voltage_reads,
           high_voltage_reads, implausible_reads, fingerprint
    FROM cells ORDER BY 1, 2, 3
    ON CONFLICT (tenant_id, read_at, feeder_id) DO UPDATE SET
      reads = cell.reads + excluded.reads, kwh = cell.kwh + excluded.kwh,
      unmetered_kwh = cell.unmetered_kwh + excluded.unmetered_kwh,
      delivered_kwh = cell.delivered_kwh + excluded.delivered_kwh,
      min_voltage = least(cell.min_voltage, excluded.min_voltage),
      low_voltage_reads = cell.low_voltage_reads + excluded.low_voltage_reads,
      high_voltage_reads = cell.high_voltage_reads + excluded.high_voltage_reads,
      implausible_reads = cell.implausible_reads + excluded.implausible_reads,
      meters_fingerprint = cell.meters_fingerprint + excluded.meters_fingerprint
    RETURNING tenant_id, read_at, feeder_id, reads AS interval_reads
  ), days AS (
    INSERT INTO ami_feeder_days AS day (tenant_id, day, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh,
      min_voltage, low_voltage_reads, high_voltage_reads, quarter_hours, max_interval_reads, latest_read_at, changed_at,
      implausible_reads)
    SELECT tenant_id, ami_utc_day(read_at), feeder_id, sum(reads), sum(kwh), sum(unmetered_kwh), sum(delivered_kwh),
           min(min_voltage), sum(low_voltage_reads), sum(high_voltage_reads), bit_or(ami_quarter_hour_bit(read_at)),
           max(interval_reads), max(read_at), clock_timestamp(), sum(implausible_reads)
    FROM cells JOIN folded USING (tenant_id, read_at, feeder_id)
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
      max_interval_reads = greatest(day.max_interval_reads, excluded.max_interval_reads),
      latest_read_at = greatest(day.latest_read_at, excluded.latest_read_at),
      changed_at = greatest(day.changed_at, excluded.changed_at), version = excluded.version
  ), batch AS (
    SELECT tenant_id, feeder_id, min(first_meter_id) AS first_meter_id, sum(reads) AS meters,
           sum(fingerprint) AS fingerprint
    FROM cells GROUP BY tenant_id, feeder_id
  )
  SELECT (SELECT sum(implausible_kwh) FROM cells), (SELECT min(min_voltage) FROM cells),
         (SELECT sum(low_voltage_reads + underregistered_reads) FROM cells), EXISTS (
    SELECT FROM batch LEFT JOIN ami_known_meter_sets known USING (tenant_id, feeder_id, first_meter_id)
    WHERE (known.meters, known.fingerprint) IS DISTINCT FROM (batch.meters, batch.fingerprint)
  ) INTO energy, lowest_voltage, anomalous, has_unknown_set;
  IF NOT ami_is_plausible(energy, lowest_voltage) THEN
    PERFORM ami_refuse_reads();
  END IF;

  IF anomalous > 0 THEN
    INSERT INTO ami_meter_anomalies AS anomaly (tenant_id, day, feeder_id, meter_id, underregistered_reads,
      registered_kwh, delivered_kwh, first_underregistered_at, last_underregistered_at, low_voltage_reads, min_voltage)
    SELECT tenant_id, ami_utc_day(read_at), feeder_id, meter_id, count(*) FILTER (WHERE is_underregistered),
           coalesce(sum(kwh) FILTER (WHERE is_underregistered), 0),
           coalesce(sum(delivered_kwh) FILTER (WHERE is_underregistered), 0),
           min(read_at) FILTER (WHERE is_underregistered), max(read_at) FILTER (WHERE is_underregistered),
           count(*) FILTER (WHERE ami_is_low_voltage(voltage)), min(voltage) FILTER (WHERE ami_is_low_voltage(voltage))
    FROM (
      SELECT *, coalesce(ami_is_underregistered(kwh, delivered_kwh), false) AS is_underregistered FROM new_rows
      WHERE ami_is_low_voltage(voltage) OR ami_is_underregistered(kwh, delivered_kwh)
    ) anomalous GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
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

CREATE OR REPLACE FUNCTION ami_apply_interval_changes(changes ami_interval_change[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  tenants text[];
  instants timestamptz[];
  feeders text[];
BEGIN
  WITH folded AS (
    INSERT INTO ami_feeder_intervals AS cell (tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh,
      min_voltage, low_voltage_reads, high_voltage_reads, implausible_reads, meters_fingerprint)
    SELECT tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage_come,
           low_voltage_reads, high_voltage_reads, implausible_reads, meters_fingerprint
    FROM unnest(changes) ORDER BY 1, 2, 3
    ON CONFLICT (tenant_id, read_at, feeder_id) DO UPDATE SET
      reads = cell.reads + excluded.reads, kwh = cell.kwh + excluded.kwh,
      unmetered_kwh = cell.unmetered_kwh + excluded.unmetered_kwh,
      delivered_kwh = cell.delivered_kwh + excluded.delivered_kwh,
      min_voltage = least(cell.min_voltage, excluded.min_voltage),
      low_voltage_reads = cell.low_voltage_reads + excluded.low_voltage_reads,
      high_voltage_reads = cell.high_voltage_reads + excluded.high_voltage_reads,
      implausible_reads = cell.implausible_reads + excluded.implausible_reads,
      meters_fingerprint = cell.meters_fingerprint + excluded.meters_fingerprint
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
  FROM (SELECT DISTINCT tenant_id, ami_utc_day(read_at) AS day, feeder_id FROM unnest(changes)) touched;
END $$;

CREATE OR REPLACE FUNCTION ami_fold_deleted_reads() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  changes ami_interval_change[];
  anomalies ami_anomaly_change[];
BEGIN
  IF NOT EXISTS (SELECT FROM old_rows) THEN
    RETURN NULL;
  END IF;
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('gridlens:known-meters', 0));
  -- ami_recheck_meters finds out later which meters have no read left. Forgetting a meter makes every writer wait, and
  -- a delete that stays open would hold all of them up.
  INSERT INTO ami_meter_rechecks (tenant_id) SELECT DISTINCT tenant_id FROM old_rows;
  IF NOT (SELECT ami_is_plausible(sum(abs(kwh) + abs(coalesce(delivered_kwh, 0))), min(voltage)) FROM old_rows) THEN
    PERFORM ami_rebuild_rollups_of_day(day) FROM (SELECT DISTINCT ami_utc_day(read_at) AS day FROM old_rows) touched;
    RETURN NULL;
  END IF;
  SELECT array_agg(change) INTO changes FROM (
    SELECT (tenant_id, read_at, feeder_id, -count(*), -coalesce(sum(kwh) FILTER (WHERE is_measured), 0),
            -coalesce(sum(kwh) FILTER (WHERE is_measured AND delivered_kwh IS NULL), 0),
            -coalesce(sum(delivered_kwh) FILTER (WHERE is_measured), 0),
            -count(*) FILTER (WHERE ami_is_low_voltage(voltage)),
            -count(*) FILTER (WHERE ami_is_high_voltage(voltage)), min(voltage), NULL,
            -count(*) FILTER (WHERE NOT is_measured), -sum(hashtextextended(meter_id, 0)))::ami_interval_change AS change
    FROM (SELECT *, ami_is_measured(kwh, delivered_kwh) AS is_measured FROM old_rows OFFSET 0) judged
    GROUP BY tenant_id, read_at, feeder_id
  ) grouped;
  PERFORM ami_apply_interval_changes(changes);

  SELECT array_agg(change) INTO anomalies FROM (
    SELECT (tenant_id, ami_utc_day(read_at), feeder_id, meter_id,
            -count(*) FILTER (WHERE is_underregistered), -coalesce(sum(kwh) FILTER (WHERE is_underregistered), 0),
            -coalesce(sum(delivered_kwh) FILTER (WHERE is_underregistered), 0), NULL, NULL,
            -count(*) FILTER (WHERE ami_is_low_voltage(voltage)), NULL, true)::ami_anomaly_change AS change
    FROM (
      SELECT *, coalesce(ami_is_underregistered(kwh, delivered_kwh), false) AS is_underregistered FROM old_rows
      WHERE ami_is_low_voltage(voltage) OR ami_is_underregistered(kwh, delivered_kwh)
    ) anomalous GROUP BY tenant_id, ami_utc_day(read_at), feeder_id, meter_id
  ) grouped;
  IF anomalies IS NOT NULL THEN
    PERFORM ami_apply_anomaly_changes(anomalies);
  END IF;
  RETURN NULL;
END $$;

-- This one names the table of reads, which may be a stand-in for a customer's: its text is changed where it stands.
DO $migrate$
DECLARE
  definition text := pg_get_functiondef('ami_fold_updated_reads()'::regprocedure);
  changed text := replace(definition, $old$            coalesce(sum(sign) FILTER (WHERE NOT is_measured), 0))::ami_interval_change AS change
    FROM (
      SELECT 1 AS sign, tenant_id, read_at, feeder_id, kwh, delivered_kwh, voltage,
             ami_is_measured(kwh, delivered_kwh) AS is_measured FROM new_rows
      UNION ALL
      SELECT -1, tenant_id, read_at, feeder_id, kwh, delivered_kwh, voltage,
             ami_is_measured(kwh, delivered_kwh) FROM old_rows
$old$, $new$            coalesce(sum(sign) FILTER (WHERE NOT is_measured), 0), sum(sign * meter_hash))::ami_interval_change AS change
    FROM (
      SELECT 1 AS sign, tenant_id, read_at, feeder_id, kwh, delivered_kwh, voltage,
             hashtextextended(meter_id, 0)::numeric AS meter_hash,
             ami_is_measured(kwh, delivered_kwh) AS is_measured FROM new_rows
      UNION ALL
      SELECT -1, tenant_id, read_at, feeder_id, kwh, delivered_kwh, voltage, hashtextextended(meter_id, 0),
             ami_is_measured(kwh, delivered_kwh) FROM old_rows
$new$);
BEGIN
  IF changed = definition THEN
    RAISE EXCEPTION 'ami_fold_updated_reads is not as the migrations before have left it';
  END IF;
  EXECUTE changed;
END $migrate$;

CREATE OR REPLACE FUNCTION ami_rebuild_rollups_of_days(first_day date, last_day date) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  day_start timestamptz := first_day::timestamp AT TIME ZONE 'UTC';
  day_end timestamptz := (last_day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0));
  DELETE FROM ami_feeder_intervals WHERE read_at >= day_start AND read_at < day_end;
  DELETE FROM ami_feeder_days WHERE day BETWEEN first_day AND last_day;
  DELETE FROM ami_meter_anomalies WHERE day BETWEEN first_day AND last_day;

  INSERT INTO ami_feeder_intervals
  SELECT tenant_id, read_at, feeder_id, count(*), coalesce(sum(kwh) FILTER (WHERE is_measured), 0),
         coalesce(sum(kwh) FILTER (WHERE is_measured AND delivered_kwh IS NULL), 0),
         coalesce(sum(delivered_kwh) FILTER (WHERE is_measured), 0), min(voltage),
         count(*) FILTER (WHERE ami_is_low_voltage(voltage)), count(*) FILTER (WHERE ami_is_high_voltage(voltage)),
         count(*) FILTER (WHERE NOT is_measured), sum(hashtextextended(meter_id, 0))
  FROM (
    SELECT *, ami_is_measured(kwh, delivered_kwh) AS is_measured FROM ami_reads_between(day_start, day_end) OFFSET 0
  ) judged GROUP BY 1, 2, 3;

  PERFORM ami_refold_days(array_agg(tenant_id), array_agg(day), array_agg(feeder_id))
  FROM (SELECT DISTINCT tenant_id, ami_utc_day(read_at) AS day, feeder_id FROM ami_feeder_intervals WHERE read_at >= day_start AND read_at < day_end) found
  HAVING count(*) > 0;

  INSERT INTO ami_meter_anomalies
  SELECT tenant_id, ami_utc_day(read_at), feeder_id, meter_id, count(*) FILTER (WHERE is_underregistered),
         coalesce(sum(kwh) FILTER (WHERE is_underregistered), 0),
         coalesce(sum(delivered_kwh) FILTER (WHERE is_underregistered), 0),
         min(read_at) FILTER (WHERE is_underregistered), max(read_at) FILTER (WHERE is_underregistered),
         count(*) FILTER (WHERE ami_is_low_voltage(voltage)), min(voltage) FILTER (WHERE ami_is_low_voltage(voltage))
  FROM (
    SELECT *, coalesce(ami_is_underregistered(kwh, delivered_kwh), false) AS is_underregistered
    FROM ami_reads_between(day_start, day_end)
    WHERE ami_is_low_voltage(voltage) OR ami_is_underregistered(kwh, delivered_kwh)
  ) anomalous GROUP BY 1, 2, 3, 4;

  INSERT INTO ami_known_meters (tenant_id, meter_id, feeder_id)
  SELECT tenant_id, meter_id, min(feeder_id) FROM ami_reads_between(day_start, day_end) GROUP BY 1, 2
  ON CONFLICT DO NOTHING;
END $$;

SELECT set_config('search_path', current_setting('ami.search_path'), true);
