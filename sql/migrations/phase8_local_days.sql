-- Days by a tenant's zone. Nothing changes for a tenant without one. The functions are those of the phases before, with
-- the zone's day in the place of the UTC day.
SELECT set_config('ami.search_path', current_setting('search_path'), true);

CREATE TABLE ami_zone_spans (
  clock     text COLLATE "C" NOT NULL,
  starts_at timestamptz      NOT NULL,
  first_day date             NOT NULL,
  days      integer,
  PRIMARY KEY (clock, starts_at)
);
CREATE UNIQUE INDEX ami_zone_spans_by_day ON ami_zone_spans (clock, first_day);

CREATE TABLE ami_tenant_zones (
  tenant_id  text COLLATE "C" NOT NULL PRIMARY KEY,
  time_zone  text             NOT NULL,
  clock      text COLLATE "C",
  next_zone  text,
  next_clock text COLLATE "C",
  changed_at timestamptz      NOT NULL DEFAULT now()
);

CREATE FUNCTION ami_span_day(of_clock text, at_instant timestamptz) RETURNS date
LANGUAGE plpgsql STABLE AS $$
BEGIN
  -- 86,400 s: a longer day is a span of its own, whatever is left of it.
  RETURN coalesce((
    SELECT first_day + least(days - 1, floor(extract(epoch FROM at_instant - starts_at) / 86400)::integer)
    FROM ami_zone_spans WHERE clock = of_clock AND starts_at <= at_instant AND isfinite(at_instant)
    ORDER BY starts_at DESC LIMIT 1), (at_instant AT TIME ZONE 'UTC')::date);
END $$;

CREATE FUNCTION ami_span_day_start(of_clock text, of_day date) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN coalesce((
    SELECT starts_at + least(days, of_day - first_day) * interval '24 h'
    FROM ami_zone_spans WHERE clock = of_clock AND first_day <= of_day AND isfinite(of_day)
    ORDER BY first_day DESC LIMIT 1), of_day::timestamp AT TIME ZONE 'UTC');
END $$;

-- These two are inlined: a tenant without a zone costs a comparison.
CREATE FUNCTION ami_clock_day(of_clock text, at_instant timestamptz) RETURNS date
LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN of_clock IS NULL THEN (at_instant AT TIME ZONE 'UTC')::date ELSE ami_span_day(of_clock, at_instant) END
$$;
CREATE FUNCTION ami_clock_day_start(of_clock text, of_day date) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN of_clock IS NULL THEN of_day::timestamp AT TIME ZONE 'UTC' ELSE ami_span_day_start(of_clock, of_day) END
$$;

CREATE FUNCTION ami_day_bits(day_start timestamptz, at_instant timestamptz) RETURNS bit
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT set_bit(0::bit(128), least(127, floor(extract(epoch FROM at_instant - day_start) / 900)::integer), 1)
$$;

-- The functions below keep this search path: the own schema, and pg_temp last. Unnamed, pg_temp would be searched
-- first, and anybody may make objects there. JIT is off: these are short statements by the hundred, and look-ups by
-- index whose cost the planner overrates; compiling them takes a hundred times as long as running them.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE FUNCTION ami_day_of(for_tenant text, at_instant timestamptz) RETURNS date
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  RETURN ami_clock_day((SELECT clock FROM ami_tenant_zones WHERE tenant_id = for_tenant), at_instant);
END $$;

CREATE FUNCTION ami_day_start(for_tenant text, for_day date) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  RETURN ami_clock_day_start((SELECT clock FROM ami_tenant_zones WHERE tenant_id = for_tenant), for_day);
END $$;

CREATE FUNCTION ami_require_current_zones(tenants text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    INSERT INTO ami_tenant_zones (tenant_id, time_zone)
    SELECT DISTINCT tenant_id, 'UTC' FROM unnest(tenants) AS writing (tenant_id) ORDER BY 1
    ON CONFLICT DO NOTHING;
  END IF;
END $$;
REVOKE EXECUTE ON FUNCTION ami_require_current_zones(text[]) FROM PUBLIC;

-- Beside the 96 that there are rather than in a wider column, which would be a new table, and which processes of the last
-- version could not read.
ALTER TABLE ami_feeder_days ADD COLUMN further_quarter_hours bit(32) NOT NULL DEFAULT 0::bit(32);

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
  ), placed AS MATERIALIZED (
    SELECT cells.*, interval_reads, ami_clock_day(zone.clock, read_at) AS day, zone.clock
    FROM cells JOIN folded USING (tenant_id, read_at, feeder_id) LEFT JOIN ami_tenant_zones zone USING (tenant_id)
  ), days AS (
    INSERT INTO ami_feeder_days AS day (tenant_id, day, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh,
      min_voltage, low_voltage_reads, high_voltage_reads, quarter_hours, max_interval_reads, latest_read_at, changed_at,
      implausible_reads, further_quarter_hours)
    SELECT tenant_id, day, feeder_id, sum(reads), sum(kwh), sum(unmetered_kwh), sum(delivered_kwh),
           min(min_voltage), sum(low_voltage_reads), sum(high_voltage_reads),
           bit_or(ami_day_bits(ami_clock_day_start(clock, day), read_at))::bit(96),
           max(interval_reads), max(read_at), clock_timestamp(), sum(implausible_reads),
           (bit_or(ami_day_bits(ami_clock_day_start(clock, day), read_at)) << 96)::bit(32)
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
    quarter_hours = folded.quarter_hours::bit(96), further_quarter_hours = (folded.quarter_hours << 96)::bit(32),
    max_interval_reads = folded.max_interval_reads,
    latest_read_at = folded.latest_read_at, implausible_reads = folded.implausible_reads
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
             coalesce(sum(implausible_reads), 0) AS implausible_reads
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
  FROM (
    SELECT DISTINCT tenant_id, ami_clock_day(zone.clock, read_at) AS day, feeder_id
    FROM unnest(changes) LEFT JOIN ami_tenant_zones zone USING (tenant_id)
  ) touched;
END $$;

CREATE OR REPLACE FUNCTION ami_apply_anomaly_changes(changes ami_anomaly_change[]) RETURNS void
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
  PERFORM ami_require_current_zones(array_agg(DISTINCT tenant_id)) FROM old_rows;
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
    SELECT (tenant_id, ami_day_of(tenant_id, read_at), feeder_id, meter_id,
            -count(*) FILTER (WHERE is_underregistered), -coalesce(sum(kwh) FILTER (WHERE is_underregistered), 0),
            -coalesce(sum(delivered_kwh) FILTER (WHERE is_underregistered), 0), NULL, NULL,
            -count(*) FILTER (WHERE ami_is_low_voltage(voltage)), NULL, true)::ami_anomaly_change AS change
    FROM (
      SELECT *, coalesce(ami_is_underregistered(kwh, delivered_kwh), false) AS is_underregistered FROM old_rows
      WHERE ami_is_low_voltage(voltage) OR ami_is_underregistered(kwh, delivered_kwh)
    ) anomalous GROUP BY tenant_id, ami_day_of(tenant_id, read_at), feeder_id, meter_id
  ) grouped;
  IF anomalies IS NOT NULL THEN
    PERFORM ami_apply_anomaly_changes(anomalies);
  END IF;
  RETURN NULL;
END $$;

-- It names the table of reads, or a stand-in for it, so it is changed where it stands.
DO $migrate$
DECLARE
  definition text := pg_get_functiondef('ami_fold_updated_reads()'::regprocedure);
  changed text := replace(replace(definition, 'tenant_id, ami_utc_day(read_at), feeder_id, meter_id',
    'tenant_id, ami_day_of(tenant_id, read_at), feeder_id, meter_id'),
    $old$  PERFORM pg_advisory_xact_lock_shared(hashtextextended('gridlens:known-meters', 0));
$old$, $new$  PERFORM pg_advisory_xact_lock_shared(hashtextextended('gridlens:known-meters', 0));
  PERFORM ami_require_current_zones(array_agg(DISTINCT tenant_id)) FROM new_rows;
$new$);
BEGIN
  IF changed NOT LIKE '%ami_day_of%ami_day_of%' OR changed NOT LIKE '%ami_require_current_zones%' THEN
    RAISE EXCEPTION 'ami_fold_updated_reads is not as the migrations before have left it';
  END IF;
  EXECUTE changed;
END $migrate$;

CREATE FUNCTION ami_recount_anomalies(for_tenant text, first_day date, last_day date) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  zone_clock text := (SELECT clock FROM ami_tenant_zones WHERE tenant_id = for_tenant);
BEGIN
  DELETE FROM ami_meter_anomalies WHERE tenant_id = for_tenant AND day BETWEEN first_day AND last_day;
  INSERT INTO ami_meter_anomalies
  SELECT tenant_id, ami_clock_day(zone_clock, read_at), feeder_id, meter_id, count(*) FILTER (WHERE is_underregistered),
         coalesce(sum(kwh) FILTER (WHERE is_underregistered), 0),
         coalesce(sum(delivered_kwh) FILTER (WHERE is_underregistered), 0),
         min(read_at) FILTER (WHERE is_underregistered), max(read_at) FILTER (WHERE is_underregistered),
         count(*) FILTER (WHERE ami_is_low_voltage(voltage)), min(voltage) FILTER (WHERE ami_is_low_voltage(voltage))
  FROM (
    SELECT *, coalesce(ami_is_underregistered(kwh, delivered_kwh), false) AS is_underregistered
    FROM ami_reads_between(ami_clock_day_start(zone_clock, first_day), ami_clock_day_start(zone_clock, last_day + 1))
    WHERE tenant_id = for_tenant AND (ami_is_low_voltage(voltage) OR ami_is_underregistered(kwh, delivered_kwh))
  ) anomalous GROUP BY 1, 2, 3, 4;
END $$;

CREATE FUNCTION ami_recount_anomalous_meters(for_tenant text, first_day date, last_day date, counted_by text)
RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  zone_clock text := (SELECT clock FROM ami_tenant_zones WHERE tenant_id = for_tenant);
BEGIN
  WITH gone AS (
    DELETE FROM ami_meter_anomalies WHERE tenant_id = for_tenant AND day BETWEEN first_day AND last_day
    RETURNING day, meter_id
  ), spans AS MATERIALIZED (
    SELECT DISTINCT meter_id, ami_clock_day_start(counted_by, day) AS starts_at,
                    ami_clock_day_start(counted_by, day + 1) AS ends_at FROM gone
  ), anomalous AS MATERIALIZED (
    SELECT reads.*, coalesce(ami_is_underregistered(kwh, delivered_kwh), false) AS is_underregistered
    FROM spans, LATERAL ami_reads_of_meter(for_tenant, spans.meter_id, starts_at, ends_at) reads
    WHERE ami_is_low_voltage(voltage) OR ami_is_underregistered(kwh, delivered_kwh)
  )
  INSERT INTO ami_meter_anomalies
  SELECT tenant_id, ami_clock_day(zone_clock, read_at), feeder_id, meter_id, count(*) FILTER (WHERE is_underregistered),
         coalesce(sum(kwh) FILTER (WHERE is_underregistered), 0),
         coalesce(sum(delivered_kwh) FILTER (WHERE is_underregistered), 0),
         min(read_at) FILTER (WHERE is_underregistered), max(read_at) FILTER (WHERE is_underregistered),
         count(*) FILTER (WHERE ami_is_low_voltage(voltage)), min(voltage) FILTER (WHERE ami_is_low_voltage(voltage))
  FROM anomalous GROUP BY 1, 2, 3, 4;
END $$;

CREATE OR REPLACE FUNCTION ami_rebuild_rollups_of_days(first_day date, last_day date) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  day_start timestamptz := first_day::timestamp AT TIME ZONE 'UTC';
  day_end timestamptz := (last_day + 1)::timestamp AT TIME ZONE 'UTC';
  zoned text[];
  zone record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0));
  zoned := coalesce((SELECT array_agg(tenant_id) FROM ami_tenant_zones WHERE clock IS NOT NULL), '{}');
  DELETE FROM ami_feeder_intervals WHERE read_at >= day_start AND read_at < day_end;
  DELETE FROM ami_feeder_days WHERE day BETWEEN first_day AND last_day AND tenant_id <> ALL (zoned);
  DELETE FROM ami_meter_anomalies WHERE day BETWEEN first_day AND last_day AND tenant_id <> ALL (zoned);

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
  FROM (
    SELECT DISTINCT tenant_id, ami_utc_day(read_at) AS day, feeder_id FROM ami_feeder_intervals
    WHERE read_at >= day_start AND read_at < day_end AND tenant_id <> ALL (zoned)
  ) found
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
    WHERE (ami_is_low_voltage(voltage) OR ami_is_underregistered(kwh, delivered_kwh)) AND tenant_id <> ALL (zoned)
  ) anomalous GROUP BY 1, 2, 3, 4;

  -- A day of a zone begins and ends within others of UTC: what of it lies there is counted too.
  FOR zone IN
    SELECT tenant_id, ami_clock_day(clock, day_start) AS first_day,
           ami_clock_day(clock, day_end - interval '1 microsecond') AS last_day, clock
    FROM ami_tenant_zones WHERE clock IS NOT NULL
  LOOP
    PERFORM ami_refold_days(array_agg(zone.tenant_id), array_agg(day), array_agg(feeder_id))
    FROM (
      SELECT day, feeder_id FROM ami_feeder_days
      WHERE tenant_id = zone.tenant_id AND day BETWEEN zone.first_day AND zone.last_day
      UNION
      SELECT ami_clock_day(zone.clock, read_at), feeder_id FROM ami_feeder_intervals
      WHERE tenant_id = zone.tenant_id AND read_at >= day_start AND read_at < day_end
    ) found
    HAVING count(*) > 0;
    PERFORM ami_recount_anomalies(zone.tenant_id, zone.first_day, zone.last_day);
  END LOOP;

  INSERT INTO ami_known_meters (tenant_id, meter_id, feeder_id)
  SELECT tenant_id, meter_id, min(feeder_id) FROM ami_reads_between(day_start, day_end) GROUP BY 1, 2
  ON CONFLICT DO NOTHING;
END $$;

CREATE FUNCTION ami_change_zone(for_tenant text) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  old_clock text;
  new_clock text;
  near_days date[];
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0));
  SELECT clock, next_clock INTO old_clock, new_clock FROM ami_tenant_zones
  WHERE tenant_id = for_tenant AND next_zone IS NOT NULL FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE ami_tenant_zones SET time_zone = next_zone, clock = next_clock, next_zone = NULL, next_clock = NULL,
    changed_at = clock_timestamp()
  WHERE tenant_id = for_tenant;
  IF new_clock IS NOT DISTINCT FROM old_clock THEN
    RETURN true;
  END IF;

  -- No two zones are further than two days of the calendar apart.
  near_days := ARRAY(
    SELECT DISTINCT day + near FROM ami_feeder_days, generate_series(-2, 2) AS near WHERE tenant_id = for_tenant);
  DELETE FROM ami_feeder_days WHERE tenant_id = for_tenant;
  INSERT INTO ami_feeder_days (tenant_id, day, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage,
    low_voltage_reads, high_voltage_reads, quarter_hours, max_interval_reads, latest_read_at, changed_at,
    implausible_reads, further_quarter_hours)
  SELECT for_tenant, day, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage, low_voltage_reads,
         high_voltage_reads, bits::bit(96), most, latest_read_at, clock_timestamp(), implausible_reads,
         (bits << 96)::bit(32)
  FROM (
      SELECT day, ami_clock_day_start(new_clock, day) AS starts_at, ami_clock_day_start(new_clock, day + 1) AS ends_at
      FROM unnest(near_days) AS day OFFSET 0
    ) days,
    LATERAL (
      SELECT feeder_id, sum(reads) AS reads, sum(kwh) AS kwh, sum(unmetered_kwh) AS unmetered_kwh,
             sum(delivered_kwh) AS delivered_kwh, min(min_voltage) AS min_voltage,
             sum(low_voltage_reads) AS low_voltage_reads, sum(high_voltage_reads) AS high_voltage_reads,
             bit_or(ami_day_bits(days.starts_at, read_at)) AS bits, max(reads) AS most, max(read_at) AS latest_read_at,
             sum(implausible_reads) AS implausible_reads
      FROM ami_feeder_intervals
      WHERE tenant_id = for_tenant AND read_at >= days.starts_at AND read_at < days.ends_at
      GROUP BY 1
    ) folded;

  PERFORM ami_recount_anomalous_meters(for_tenant, '-infinity', 'infinity', old_clock);
  RETURN true;
END $$;

CREATE FUNCTION ami_change_zone_without_reads(for_tenant text) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  IF EXISTS (SELECT FROM ami_feeder_intervals WHERE tenant_id = for_tenant)
    OR NOT pg_try_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0))
  THEN
    RETURN false;
  END IF;
  -- Only now is it sure: who wrote meanwhile has committed.
  RETURN NOT EXISTS (SELECT FROM ami_feeder_intervals WHERE tenant_id = for_tenant) AND ami_change_zone(for_tenant);
END $$;

-- Partitions are dropped of our own table alone.
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
  EXECUTE $drop$
CREATE OR REPLACE FUNCTION ami_drop_read_partitions_before(first_day_kept date) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  expired text[];
  partition_name text;
  zoned text[];
  zone record;
BEGIN
  SELECT array_agg(child.relname::text ORDER BY child.relname) INTO expired
  FROM pg_inherits
  JOIN pg_class child ON child.oid = pg_inherits.inhrelid
  WHERE pg_inherits.inhparent = 'meter_reads_electric'::regclass
    AND child.relname ~ '^meter_reads_electric_p\d{8}$'
    AND to_date(right(child.relname, 8), 'YYYYMMDD') < first_day_kept;
  IF expired IS NULL OR NOT pg_try_advisory_xact_lock(hashtextextended('gridlens:retention', 0)) THEN
    RETURN '{}';
  END IF;
  -- The table first: an insert holds it before it wants the other lock, and the reverse order would deadlock.
  LOCK TABLE meter_reads_electric IN ACCESS EXCLUSIVE MODE;
  PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0));
  FOREACH partition_name IN ARRAY expired LOOP
    -- Another process may have dropped it before this one got the lock.
    EXECUTE format('DROP TABLE IF EXISTS %I', partition_name);
  END LOOP;
  zoned := coalesce((SELECT array_agg(tenant_id) FROM ami_tenant_zones WHERE clock IS NOT NULL), '{}');
  WITH dropped AS (
    DELETE FROM ami_feeder_days WHERE day < first_day_kept AND tenant_id <> ALL (zoned) RETURNING tenant_id
  )
  INSERT INTO ami_meter_rechecks (tenant_id) SELECT DISTINCT tenant_id FROM dropped UNION ALL SELECT unnest(zoned);
  -- By tenant, the first column of both keys: a scan of all history would hold this lock for long.
  DELETE FROM ami_meter_anomalies
  WHERE tenant_id IN (SELECT tenant_id FROM ami_meter_rechecks) AND day < first_day_kept AND tenant_id <> ALL (zoned);
  DELETE FROM ami_feeder_intervals
  WHERE tenant_id IN (SELECT tenant_id FROM ami_meter_rechecks)
    AND read_at < first_day_kept::timestamp AT TIME ZONE 'UTC';
  -- A day of a zone may have begun in what went: it stays with what is left of it.
  FOR zone IN
    SELECT tenant_id, clock, ami_clock_day(clock, first_day_kept::timestamp AT TIME ZONE 'UTC') AS day
    FROM ami_tenant_zones WHERE clock IS NOT NULL
  LOOP
    DELETE FROM ami_feeder_days WHERE tenant_id = zone.tenant_id AND day < zone.day;
    DELETE FROM ami_meter_anomalies WHERE tenant_id = zone.tenant_id AND day < zone.day;
    PERFORM ami_refold_days(array_agg(tenant_id), array_agg(day), array_agg(feeder_id)) FROM ami_feeder_days
    WHERE tenant_id = zone.tenant_id AND day = zone.day HAVING count(*) > 0;
    PERFORM ami_recount_anomalous_meters(zone.tenant_id, zone.day, zone.day, zone.clock);
  END LOOP;
  RETURN expired;
END $$
  $drop$;
END $migrate$;

SELECT set_config('search_path', current_setting('ami.search_path'), true);

CREATE OR REPLACE FUNCTION ami_feeder_completeness(for_tenant text, for_day date)
RETURNS TABLE (feeder_id text, interval_at timestamptz, expected_meters bigint, silent_meters bigint,
  expected_reads numeric, arrived_reads numeric)
LANGUAGE plpgsql STABLE ROWS 25 SET search_path FROM CURRENT SET jit = off AS $$
#variable_conflict use_column
DECLARE
  day_start timestamptz := ami_day_start(for_tenant, for_day);
  day_end timestamptz := ami_day_start(for_tenant, for_day + 1);
  being_written timestamptz[] := ami_intervals_being_written(for_tenant);
  settled_at timestamptz := ami_latest_settled_interval(for_tenant, day_start, day_end);
BEGIN
  RETURN QUERY
  WITH governing AS (
    -- In the same order as src/ledger/publishedIntervals.ts.
    SELECT DISTINCT ON (read_at, fleet_id IS NULL) read_at, meter_count, feeder_count, fleet_id FROM ami_publishes
    WHERE tenant_id = for_tenant AND read_at >= day_start AND read_at < day_end AND origin NOT IN ('revision', 'import')
      AND read_at <> ALL (being_written)
    ORDER BY read_at DESC, fleet_id IS NULL, meter_count DESC, on_conflict = 'update' DESC,
      CASE WHEN on_conflict = 'update' THEN accepted_at END DESC, accepted_at
  ), fleets AS MATERIALIZED (
    SELECT read_at, max(meter_count) FILTER (WHERE fleet_id IS NULL) AS synthetic_meters,
           max(feeder_count) FILTER (WHERE fleet_id IS NULL) AS synthetic_feeders,
           max(fleet_id) AS fleet_id, max(meter_count) FILTER (WHERE fleet_id IS NOT NULL) AS registry_meters
    FROM governing GROUP BY 1
  ), published AS (
    SELECT feeder_id, sum(intervals * size) AS reads, max(size) FILTER (WHERE is_settled) AS meters
    FROM (
      SELECT synthetic_meters, synthetic_feeders, fleet_id, registry_meters, read_at = settled_at AS is_settled,
             count(*) AS intervals
      FROM fleets GROUP BY 1, 2, 3, 4, 5
    ) alike,
      LATERAL (
        SELECT feeder_id, max(meters) AS size
        FROM (
          SELECT ('FEEDER_' || number) COLLATE "C" AS feeder_id,
                 synthetic_meters / synthetic_feeders
                   + (number <= synthetic_meters % synthetic_feeders)::integer AS meters
          FROM generate_series(1, least(synthetic_feeders, synthetic_meters)) AS number
          WHERE synthetic_meters IS NOT NULL
          UNION ALL
          SELECT feeder.feeder_id, least(feeder.range_to, registry_meters) - feeder.range_from
          FROM ami_fleet_feeders feeder
          WHERE feeder.fleet_id = alike.fleet_id AND feeder.range_from < registry_meters
        ) of_either
        GROUP BY 1
      ) sized
    GROUP BY 1
  ), unpublished AS (
    SELECT bit_count(coalesce((bit_or(quarter_hours) || bit_or(further_quarter_hours))::bit(128), 0::bit(128))
             & ~coalesce((SELECT bit_or(ami_day_bits(day_start, at)) FROM (
                 SELECT read_at AS at FROM fleets
                 UNION ALL SELECT at FROM unnest(being_written) AS at WHERE at >= day_start AND at < day_end) counted),
               0::bit(128))) AS intervals
    FROM ami_feeder_days WHERE tenant_id = for_tenant AND day = for_day
  ), arriving AS (
    SELECT cell.feeder_id, sum(cell.reads) AS reads
    FROM unnest(being_written) AS written (read_at)
    JOIN ami_feeder_intervals cell ON cell.tenant_id = for_tenant AND cell.read_at = written.read_at
    WHERE written.read_at >= day_start AND written.read_at < day_end GROUP BY 1
  ), arrived AS (
    SELECT feeder_id, day.reads - coalesce(arriving.reads, 0) AS reads
    FROM ami_feeder_days day LEFT JOIN arriving USING (feeder_id)
    WHERE tenant_id = for_tenant AND day.day = for_day
  ), at_settled AS (
    SELECT feeder_id, reads FROM ami_feeder_intervals WHERE tenant_id = for_tenant AND read_at = settled_at
  ), is_settled_published AS (
    SELECT EXISTS (SELECT FROM fleets WHERE read_at = settled_at) AS yes
  ), expected AS (
    SELECT feeder_id, coalesce(CASE WHEN yes THEN published.meters ELSE known.expected_meters END, 0) AS meters,
           coalesce(published.reads, 0) + coalesce(known.expected_meters * unpublished.intervals, 0) AS reads
    FROM ami_expected_meters(for_tenant, for_day) known
    FULL JOIN published USING (feeder_id)
    CROSS JOIN unpublished CROSS JOIN is_settled_published
  )
  SELECT feeder_id, settled_at, expected.meters,
         CASE WHEN settled_at IS NOT NULL THEN greatest(0, expected.meters - coalesce(at_settled.reads, 0)) END,
         expected.reads, coalesce(arrived.reads, 0)::numeric
  FROM expected LEFT JOIN arrived USING (feeder_id) LEFT JOIN at_settled USING (feeder_id)
  -- A feeder of an earlier, larger fleet is neither expected nor there.
  WHERE expected.reads > 0 OR arrived.reads > 0;
END $$;

-- Only where the view is ours: a customer's own is used as it is.
DO $migrate$
BEGIN
  IF EXISTS (
    SELECT FROM pg_class WHERE relname = 'v_kpi_electric_overview_daily' AND relkind = 'v'
      AND relnamespace = quote_ident(current_schema())::regnamespace
      AND pg_get_viewdef(oid) ~ '\m(ami_feeder_days|ami_feeder_completeness|ami_meter_anomalies)\M'
  ) THEN
CREATE OR REPLACE VIEW v_kpi_electric_overview_daily AS
SELECT day.tenant_id, day.day, day.feeders, day.intervals, day.reads,
       expected.meters AS expected_meters,
       least(100, ami_percent(expected.arrived_reads, expected.reads)) AS completeness_pct,
       day.kwh, day.delivered_kwh, day.delivered_kwh - day.metered_kwh AS loss_kwh,
       ami_percent(day.delivered_kwh - day.metered_kwh, day.delivered_kwh) AS loss_pct,
       day.min_voltage, day.low_voltage_reads, day.high_voltage_reads, day.latest_read_at, day.implausible_reads
FROM (
  SELECT tenant_id, day, count(*) AS feeders, 
         bit_count(bit_or(quarter_hours)) + bit_count(bit_or(further_quarter_hours)) AS intervals,
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
) expected ON true;
  END IF;
END $migrate$;
