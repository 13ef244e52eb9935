-- Days by a tenant's zone. Nothing changes for a tenant without one. The functions are those of the phases before, with
-- the zone's day in the place of the UTC day.
-- Functions that learn the length of reads as well are in phase8_read_lengths.sql, which runs in the same transaction.
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

SELECT set_config('search_path', current_setting('ami.search_path'), true);

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
