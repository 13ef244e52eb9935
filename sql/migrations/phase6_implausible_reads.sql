-- Reads whose energies no meter measures, such as error codes, are counted apart and are in no sum of energy: one read of
-- 4,294,967.295 kWh made a day's loss minus ten million percent. The functions are those of phases 3 and 4 with that rule.
ALTER TABLE ami_feeder_intervals ADD COLUMN implausible_reads bigint NOT NULL DEFAULT 0;
ALTER TABLE ami_feeder_days ADD COLUMN implausible_reads bigint NOT NULL DEFAULT 0;
ALTER TYPE ami_interval_change ADD ATTRIBUTE implausible_reads bigint;

CREATE FUNCTION ami_is_measured(kwh numeric, delivered_kwh numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT kwh > -10000 AND kwh < 10000 AND coalesce(delivered_kwh > -10000 AND delivered_kwh < 10000, true)
$$;

CREATE OR REPLACE FUNCTION ami_is_underregistered(kwh numeric, delivered_kwh numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT kwh < 0.85 * delivered_kwh AND delivered_kwh - kwh > 0.0005 AND delivered_kwh > 0
    AND ami_is_measured(kwh, delivered_kwh)
$$;

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
      min_voltage, low_voltage_reads, high_voltage_reads, implausible_reads)
    SELECT tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage, low_voltage_reads,
           high_voltage_reads, implausible_reads
    FROM cells ORDER BY 1, 2, 3
    ON CONFLICT (tenant_id, read_at, feeder_id) DO UPDATE SET
      reads = cell.reads + excluded.reads, kwh = cell.kwh + excluded.kwh,
      unmetered_kwh = cell.unmetered_kwh + excluded.unmetered_kwh,
      delivered_kwh = cell.delivered_kwh + excluded.delivered_kwh,
      min_voltage = least(cell.min_voltage, excluded.min_voltage),
      low_voltage_reads = cell.low_voltage_reads + excluded.low_voltage_reads,
      high_voltage_reads = cell.high_voltage_reads + excluded.high_voltage_reads,
      implausible_reads = cell.implausible_reads + excluded.implausible_reads
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

CREATE OR REPLACE FUNCTION ami_refold_days(tenants text[], days date[], feeders text[]) RETURNS void
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
    quarter_hours = folded.quarter_hours, max_interval_reads = folded.max_interval_reads,
    latest_read_at = folded.latest_read_at, implausible_reads = folded.implausible_reads
  FROM (SELECT DISTINCT * FROM unnest(tenants, days, feeders)) AS touched (tenant_id, day, feeder_id),
    LATERAL (
      SELECT coalesce(sum(reads), 0) AS reads, coalesce(sum(kwh), 0) AS kwh,
             coalesce(sum(unmetered_kwh), 0) AS unmetered_kwh, coalesce(sum(delivered_kwh), 0) AS delivered_kwh,
             min(min_voltage) AS min_voltage, coalesce(sum(low_voltage_reads), 0) AS low_voltage_reads,
             coalesce(sum(high_voltage_reads), 0) AS high_voltage_reads,
             coalesce(bit_or(ami_quarter_hour_bit(read_at)), 0::bit(96)) AS quarter_hours,
             coalesce(max(reads), 0) AS max_interval_reads, max(read_at) AS latest_read_at,
             coalesce(sum(implausible_reads), 0) AS implausible_reads
      FROM ami_feeder_intervals cell
      WHERE cell.tenant_id = touched.tenant_id AND cell.feeder_id = touched.feeder_id
        AND cell.read_at >= touched.day::timestamp AT TIME ZONE 'UTC'
        AND cell.read_at < (touched.day + 1)::timestamp AT TIME ZONE 'UTC'
    ) folded
  WHERE day.tenant_id = touched.tenant_id AND day.day = touched.day AND day.feeder_id = touched.feeder_id;

  DELETE FROM ami_feeder_days day
  USING unnest(tenants, days, feeders) AS touched (tenant_id, day, feeder_id)
  WHERE day.tenant_id = touched.tenant_id AND day.day = touched.day AND day.feeder_id = touched.feeder_id
    AND day.reads = 0;
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
      min_voltage, low_voltage_reads, high_voltage_reads, implausible_reads)
    SELECT tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage_come,
           low_voltage_reads, high_voltage_reads, implausible_reads
    FROM unnest(changes) ORDER BY 1, 2, 3
    ON CONFLICT (tenant_id, read_at, feeder_id) DO UPDATE SET
      reads = cell.reads + excluded.reads, kwh = cell.kwh + excluded.kwh,
      unmetered_kwh = cell.unmetered_kwh + excluded.unmetered_kwh,
      delivered_kwh = cell.delivered_kwh + excluded.delivered_kwh,
      min_voltage = least(cell.min_voltage, excluded.min_voltage),
      low_voltage_reads = cell.low_voltage_reads + excluded.low_voltage_reads,
      high_voltage_reads = cell.high_voltage_reads + excluded.high_voltage_reads,
      implausible_reads = cell.implausible_reads + excluded.implausible_reads
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
            -count(*) FILTER (WHERE NOT is_measured))::ami_interval_change AS change
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
BEGIN
  definition := replace(definition, $old$sum(sign), sum(sign * kwh),
            coalesce(sum(sign * kwh) FILTER (WHERE delivered_kwh IS NULL), 0), coalesce(sum(sign * delivered_kwh), 0),
$old$, $new$sum(sign), coalesce(sum(sign * kwh) FILTER (WHERE is_measured), 0),
            coalesce(sum(sign * kwh) FILTER (WHERE is_measured AND delivered_kwh IS NULL), 0),
            coalesce(sum(sign * delivered_kwh) FILTER (WHERE is_measured), 0),
$new$);
  definition := replace(definition, $old$min(voltage) FILTER (WHERE sign > 0))::ami_interval_change AS change
    FROM (
      SELECT 1 AS sign, tenant_id, read_at, feeder_id, kwh, delivered_kwh, voltage FROM new_rows
      UNION ALL
      SELECT -1, tenant_id, read_at, feeder_id, kwh, delivered_kwh, voltage FROM old_rows
$old$, $new$min(voltage) FILTER (WHERE sign > 0),
            coalesce(sum(sign) FILTER (WHERE NOT is_measured), 0))::ami_interval_change AS change
    FROM (
      SELECT 1 AS sign, tenant_id, read_at, feeder_id, kwh, delivered_kwh, voltage,
             ami_is_measured(kwh, delivered_kwh) AS is_measured FROM new_rows
      UNION ALL
      SELECT -1, tenant_id, read_at, feeder_id, kwh, delivered_kwh, voltage,
             ami_is_measured(kwh, delivered_kwh) FROM old_rows
$new$);
  IF definition NOT LIKE '%is_measured AND%' OR definition NOT LIKE '%NOT is_measured%' THEN
    RAISE EXCEPTION 'ami_fold_updated_reads is not as the migrations before have left it';
  END IF;
  EXECUTE definition;
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
         count(*) FILTER (WHERE NOT is_measured)
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

-- Only where the view is ours: a customer's own is used as it is.
DO $migrate$
DECLARE
  kpi record;
BEGIN
  FOR kpi IN SELECT * FROM (VALUES
    ('v_kpi_electric_overview_daily', $$
CREATE OR REPLACE VIEW v_kpi_electric_overview_daily AS
SELECT day.tenant_id, day.day, day.feeders, day.intervals, day.reads,
       expected.meters AS expected_meters,
       least(100, ami_percent(expected.arrived_reads, expected.reads)) AS completeness_pct,
       day.kwh, day.delivered_kwh, day.delivered_kwh - day.metered_kwh AS loss_kwh,
       ami_percent(day.delivered_kwh - day.metered_kwh, day.delivered_kwh) AS loss_pct,
       day.min_voltage, day.low_voltage_reads, day.high_voltage_reads, day.latest_read_at, day.implausible_reads
FROM (
  SELECT tenant_id, day, count(*) AS feeders, bit_count(bit_or(quarter_hours)) AS intervals,
         sum(reads)::bigint AS reads, sum(kwh) AS kwh, sum(kwh - unmetered_kwh) AS metered_kwh,
         sum(delivered_kwh) AS delivered_kwh, min(min_voltage) AS min_voltage,
         sum(low_voltage_reads)::bigint AS low_voltage_reads,
         sum(high_voltage_reads)::bigint AS high_voltage_reads, max(latest_read_at) AS latest_read_at,
         sum(implausible_reads)::bigint AS implausible_reads
  FROM ami_feeder_days GROUP BY tenant_id, day
) day
-- An aggregate of one row: the planner leaves the join out when nobody asks for these columns.
LEFT JOIN LATERAL (
  SELECT sum(expected_meters)::bigint AS meters, sum(expected_reads) AS reads, sum(arrived_reads) AS arrived_reads
  FROM ami_feeder_completeness(day.tenant_id, day.day)
) expected ON true
    $$),
    ('v_kpi_electric_feeder_loss_daily', $$
CREATE OR REPLACE VIEW v_kpi_electric_feeder_loss_daily AS
SELECT tenant_id, day, feeder_id, reads, kwh, delivered_kwh, delivered_kwh - (kwh - unmetered_kwh) AS loss_kwh,
       ami_percent(delivered_kwh - (kwh - unmetered_kwh), delivered_kwh) AS loss_pct, min_voltage,
       low_voltage_reads, latest_read_at, implausible_reads
FROM ami_feeder_days
    $$)) AS kpi (name, definition)
  LOOP
    IF EXISTS (
      SELECT FROM pg_class WHERE relname = kpi.name AND relkind = 'v'
        AND relnamespace = quote_ident(current_schema())::regnamespace
        AND pg_get_viewdef(oid) ~ '\m(ami_feeder_days|ami_feeder_completeness|ami_meter_anomalies)\M'
    ) THEN
      EXECUTE kpi.definition;
    END IF;
  END LOOP;

  -- The days that may have such a read: few feeders' intervals come to as much without one.
  IF to_regprocedure('ami_reads_between(timestamptz, timestamptz)') IS NOT NULL THEN
    PERFORM ami_rebuild_rollups_of_day(day) FROM (
      SELECT DISTINCT ami_utc_day(read_at) AS day FROM ami_feeder_intervals
      WHERE abs(kwh) >= 10000 OR abs(delivered_kwh) >= 10000
    ) touched;
  END IF;
END $migrate$;
