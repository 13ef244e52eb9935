-- Counting anew from the reads, for rows that came past the triggers: straight into a partition, or by a bulk load with
-- triggers disabled.

-- The functions below keep this search path: the own schema, and pg_temp last. Unnamed, pg_temp would be searched
-- first, and anybody may make objects there. JIT is off: these are short statements by the hundred, and look-ups by
-- index whose cost the planner overrates; compiling them takes a hundred times as long as running them.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE FUNCTION ami_rebuild_rollups_of_days(first_day date, last_day date) RETURNS void
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
COMMENT ON FUNCTION ami_rebuild_rollups_of_days(date, date) IS
  'Counts the UTC days from the first to the last anew, in one pass: a table without an index by time would '
  'otherwise be read whole for each of them. Inserts wait for it; a day of 25,000 meters takes seconds.';

CREATE FUNCTION ami_rebuild_rollups_of_day(rebuilt_day date) RETURNS void
LANGUAGE sql SET search_path FROM CURRENT SET jit = off AS $$ SELECT ami_rebuild_rollups_of_days(rebuilt_day, rebuilt_day) $$;
COMMENT ON FUNCTION ami_rebuild_rollups_of_day(date) IS 'Counts one UTC day anew.';

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
