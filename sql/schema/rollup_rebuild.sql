-- Counting anew from the reads, for rows that came past the triggers: straight into a partition, or by a bulk load with
-- triggers disabled.

CREATE TABLE ami_uncounted_days (
  day date NOT NULL PRIMARY KEY
);
COMMENT ON TABLE ami_uncounted_days IS
  'UTC days with reads from before the rollups had received_kwh, which are still to be counted for it. The upkeep does it, the '
  'latest day first; then the table stays empty.';
COMMENT ON COLUMN ami_uncounted_days.day IS 'UTC day.';

-- The functions below keep this search path: the own schema, and pg_temp last. Unnamed, pg_temp would be searched
-- first, and anybody may make objects there. JIT is off: these are short statements by the hundred, and look-ups by
-- index whose cost the planner overrates; compiling them takes a hundred times as long as running them.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

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
COMMENT ON FUNCTION ami_recount_anomalies(text, date, date) IS
  'Counts the anomalies of a tenant''s days anew, from all of its reads of them. The caller holds the lock of a rebuild.';

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
COMMENT ON FUNCTION ami_recount_anomalous_meters(text, date, date, text) IS
  'Counts the anomalies of the days from the first to the last, which were counted by a clock, anew by the tenant''s. '
  'Every anomalous read belongs to a row that is there, so the reads of the meters of these rows are looked up and no '
  'others. The caller holds the lock of a rebuild.';

CREATE FUNCTION ami_rebuild_rollups_of_days(first_day date, last_day date) RETURNS void
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
  DELETE FROM ami_feeder_lengths WHERE read_at >= day_start AND read_at < day_end;
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
  UPDATE ami_feeder_intervals cell SET received_kwh = fed_in.received_kwh, received_reads = fed_in.received_reads
  FROM ami_read_received(day_start, day_end) fed_in
  WHERE cell.tenant_id = fed_in.tenant_id AND cell.read_at = fed_in.read_at AND cell.feeder_id = fed_in.feeder_id;

  INSERT INTO ami_feeder_lengths SELECT * FROM ami_read_lengths(day_start, day_end);
  DELETE FROM ami_feeder_estimates WHERE read_at >= day_start AND read_at < day_end;
  INSERT INTO ami_feeder_estimates SELECT * FROM ami_read_estimates(day_start, day_end);

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
COMMENT ON FUNCTION ami_rebuild_rollups_of_days(date, date) IS
  'Counts the UTC days from the first to the last anew, in one pass: a table without an index by time would '
  'otherwise be read whole for each of them. Inserts wait for it; a day of 25,000 meters takes seconds. A tenant with a '
  'zone has the days of that zone counted anew that lie in them, whole.';

CREATE FUNCTION ami_rebuild_rollups_of_day(rebuilt_day date) RETURNS void
LANGUAGE sql SET search_path FROM CURRENT SET jit = off AS $$ SELECT ami_rebuild_rollups_of_days(rebuilt_day, rebuilt_day) $$;
COMMENT ON FUNCTION ami_rebuild_rollups_of_day(date) IS 'Counts one UTC day anew.';

CREATE FUNCTION ami_count_received(counted_day date) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  day_start timestamptz := counted_day::timestamp AT TIME ZONE 'UTC';
  day_end timestamptz := (counted_day + 1)::timestamp AT TIME ZONE 'UTC';
  tenants text[];
  days date[];
  feeders text[];
BEGIN
  IF EXISTS (SELECT FROM ami_read_received(day_start, day_end)) OR EXISTS (
    SELECT FROM ami_feeder_intervals WHERE read_at >= day_start AND read_at < day_end AND received_reads <> 0
  ) THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0));
    WITH counted AS (
      UPDATE ami_feeder_intervals cell
      SET received_kwh = fed_in.received_kwh, received_reads = coalesce(fed_in.received_reads, 0)
      FROM ami_feeder_intervals known LEFT JOIN ami_read_received(day_start, day_end) fed_in USING (tenant_id, read_at, feeder_id)
      WHERE known.read_at >= day_start AND known.read_at < day_end
        AND cell.tenant_id = known.tenant_id AND cell.read_at = known.read_at AND cell.feeder_id = known.feeder_id
        AND (cell.received_reads, cell.received_kwh) IS DISTINCT FROM (coalesce(fed_in.received_reads, 0), fed_in.received_kwh)
      RETURNING cell.tenant_id, cell.read_at, cell.feeder_id
    )
    SELECT array_agg(tenant_id), array_agg(day), array_agg(feeder_id) INTO tenants, days, feeders FROM (
      SELECT DISTINCT tenant_id, ami_clock_day(zone.clock, read_at) AS day, feeder_id
      FROM counted LEFT JOIN ami_tenant_zones zone USING (tenant_id)
    ) touched;
    IF tenants IS NOT NULL THEN
      PERFORM ami_refold_days(tenants, days, feeders);
    END IF;
  END IF;
  DELETE FROM ami_uncounted_days WHERE day = counted_day;
  RETURN tenants IS NOT NULL;
END $$;
COMMENT ON FUNCTION ami_count_received(date) IS
  'Counts received_kwh of one of ami_uncounted_days; answers whether a sum has changed. A day without any is only looked '
  'through, while writers go on: what they write, the triggers count. Else writers wait for it, for seconds.';

-- Without settings: a procedure that has any cannot commit.
CREATE PROCEDURE ami_rebuild_rollups()
LANGUAGE plpgsql AS $$
DECLARE
  span record;
BEGIN
  FOR span IN SELECT * FROM ami_rollup_spans() LOOP
    PERFORM ami_rebuild_rollups_of_days(span.first_day, span.last_day);
    COMMIT;
  END LOOP;
  -- Known meters that have no read any more are left: they are rechecked, as after a dropped partition.
  INSERT INTO ami_meter_rechecks (tenant_id) SELECT DISTINCT tenant_id FROM ami_known_meters;
  COMMIT;
  WHILE ami_recheck_meters() IS NOT NULL LOOP
    COMMIT;
  END LOOP;
END $$;
COMMENT ON PROCEDURE ami_rebuild_rollups() IS
  'Counts everything anew. CALL it by itself: it commits after each day, so that inserts wait for a day and not for '
  'a year.';

-- A tenant's days by another zone: from its intervals, and of its anomalies from the reads of the meters that have any.
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
    implausible_reads, further_quarter_hours, received_kwh, received_reads)
  SELECT for_tenant, day, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage, low_voltage_reads,
         high_voltage_reads, bits::bit(96), most, latest_read_at, clock_timestamp(), implausible_reads,
         (bits << 96)::bit(32), received_kwh, received_reads
  FROM (
      SELECT day, ami_clock_day_start(new_clock, day) AS starts_at, ami_clock_day_start(new_clock, day + 1) AS ends_at
      FROM unnest(near_days) AS day OFFSET 0
    ) days,
    LATERAL (
      SELECT feeder_id, sum(reads) AS reads, sum(kwh) AS kwh, sum(unmetered_kwh) AS unmetered_kwh,
             sum(delivered_kwh) AS delivered_kwh, min(min_voltage) AS min_voltage,
             sum(low_voltage_reads) AS low_voltage_reads, sum(high_voltage_reads) AS high_voltage_reads,
             bit_or(ami_day_bits(days.starts_at, read_at)) AS bits, max(reads) AS most, max(read_at) AS latest_read_at,
             sum(implausible_reads) AS implausible_reads, sum(received_kwh) AS received_kwh,
             sum(received_reads) AS received_reads
      FROM ami_feeder_intervals
      WHERE tenant_id = for_tenant AND read_at >= days.starts_at AND read_at < days.ends_at
      GROUP BY 1
    ) folded;

  PERFORM ami_recount_anomalous_meters(for_tenant, '-infinity', 'infinity', old_clock);
  RETURN true;
END $$;
COMMENT ON FUNCTION ami_change_zone(text) IS
  'Puts the zone that a tenant is to have next into force, and counts its days by it: all in this transaction, so that '
  'every answer is by one zone or the other. Writers wait for it. Answers false where no zone is due.';

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
COMMENT ON FUNCTION ami_change_zone_without_reads(text) IS
  'ami_change_zone for a tenant of which nothing is to be counted. Waits for nobody; answers whether it did it.';
