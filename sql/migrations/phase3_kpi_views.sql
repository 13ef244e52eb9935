-- The four KPI views of the brief, over the rollups. Days are UTC days. Percentages are in percent, energy in kWh.
-- Each is made only where nothing of its name exists: a customer's own is used as it is (decision 19).

-- How many meters each feeder is expected to report on a day, from the reads alone: the most that any one interval
-- brought, on the day or in the seven before it, so that a feeder that has gone dark is still expected.
-- plpgsql, here and below: it keeps its plan for the session, where an SQL function is planned at each call.
CREATE FUNCTION ami_expected_meters(for_tenant text, for_day date)
RETURNS TABLE (feeder_id text, expected_meters bigint)
LANGUAGE plpgsql STABLE ROWS 25 SET search_path FROM CURRENT AS $$
BEGIN
  RETURN QUERY SELECT feeder.feeder_id, max(feeder.max_interval_reads) FROM ami_feeder_days feeder
  WHERE feeder.tenant_id = for_tenant AND feeder.day BETWEEN for_day - 7 AND for_day GROUP BY 1;
END $$;

-- Whether reads stamped so are interval reads of ours: on a quarter hour, and not in the future. A stray read by hand
-- must not become the latest interval.
CREATE FUNCTION ami_is_interval(read_at timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$ SELECT read_at <= now() AND read_at = date_bin('15 min', read_at, '2000-01-01Z') $$;

-- The intervals of a tenant that are still being written: some batch of a publish of them is owed. A revision changes
-- an interval that is there.
CREATE FUNCTION ami_intervals_being_written(for_tenant text) RETURNS timestamptz[]
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN coalesce((
    SELECT array_agg(DISTINCT publish.read_at)
    FROM ami_publish_batches batch JOIN ami_publishes publish USING (publish_id)
    WHERE batch.state = 'pending' AND batch.tenant_id = for_tenant AND publish.origin <> 'revision'), '{}');
END $$;

-- The latest interval of a tenant in a span that is not still being written: what has not arrived of that is missing,
-- what has not arrived of a later one may be on its way. NULL when there is none.
CREATE FUNCTION ami_latest_settled_interval(for_tenant text, from_instant timestamptz, before_instant timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
  being_written timestamptz[] := ami_intervals_being_written(for_tenant);
BEGIN
  RETURN (
    SELECT read_at FROM ami_feeder_intervals
    WHERE tenant_id = for_tenant AND read_at >= from_instant AND read_at < before_instant
      AND ami_is_interval(read_at) AND read_at <> ALL (being_written)
    ORDER BY read_at DESC LIMIT 1);
END $$;

-- What was expected of each feeder on a day and what arrived. An interval that was published expects the fleet that
-- it was published for; one that came otherwise expects ami_expected_meters. Intervals that are still being written
-- count on neither side. `interval_at` is the day's latest settled interval, expected_meters and silent_meters are of
-- that one.
CREATE FUNCTION ami_feeder_completeness(for_tenant text, for_day date)
RETURNS TABLE (feeder_id text, interval_at timestamptz, expected_meters bigint, silent_meters bigint,
  expected_reads numeric, arrived_reads numeric)
LANGUAGE plpgsql STABLE ROWS 25 SET search_path FROM CURRENT SET jit = off AS $$
#variable_conflict use_column
DECLARE
  day_start timestamptz := for_day::timestamp AT TIME ZONE 'UTC';
  day_end timestamptz := (for_day + 1)::timestamp AT TIME ZONE 'UTC';
  being_written timestamptz[] := ami_intervals_being_written(for_tenant);
  settled_at timestamptz := ami_latest_settled_interval(for_tenant, day_start, day_end);
BEGIN
  RETURN QUERY
  WITH fleets AS MATERIALIZED (
    SELECT DISTINCT ON (read_at) read_at, meter_count, feeder_count FROM ami_publishes
    WHERE tenant_id = for_tenant AND read_at >= day_start AND read_at < day_end AND origin <> 'revision'
      AND read_at <> ALL (being_written)
    ORDER BY read_at DESC, meter_count DESC
  ), published AS (
    SELECT 'FEEDER_' || number AS feeder_id, sum(intervals * size) AS reads, max(size) FILTER (WHERE is_settled) AS meters
    FROM (
      SELECT meter_count, feeder_count, read_at = settled_at AS is_settled, count(*) AS intervals
      FROM fleets GROUP BY 1, 2, 3
    ) alike,
      LATERAL generate_series(1, least(feeder_count, meter_count)) AS number,
      LATERAL (SELECT meter_count / feeder_count + (number <= meter_count % feeder_count)::integer AS size) sized
    GROUP BY 1
  ), unpublished AS (
    SELECT bit_count(coalesce(bit_or(quarter_hours), 0::bit(96))
             & ~coalesce((SELECT bit_or(ami_quarter_hour_bit(at)) FROM (
                 SELECT read_at AS at FROM fleets
                 UNION ALL SELECT at FROM unnest(being_written) AS at WHERE at >= day_start AND at < day_end) counted),
               0::bit(96))) AS intervals
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

-- A function, so that the planner does not take the few there are for many, and compile the query of a view.
CREATE FUNCTION ami_undervoltage_meters(for_tenant text, for_day date, for_feeder text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN (SELECT count(*) FROM ami_meter_anomalies
          WHERE tenant_id = for_tenant AND day = for_day AND feeder_id = for_feeder AND low_voltage_reads > 0);
END $$;

-- Meters without a read at an interval by the age of their last one before it, and how many have one after it. Looks
-- among the meters of feeders that are short of reads, or of all. MATERIALIZED throughout: a subquery in a select
-- list is run anew for each mention of it.
CREATE FUNCTION ami_silent_meters(for_tenant text, at_interval timestamptz, latest_read_at timestamptz, among_all boolean,
  OUT later bigint, OUT over_15_minutes bigint, OUT over_an_hour bigint, OUT over_a_day bigint)
LANGUAGE sql STABLE SET search_path FROM CURRENT SET jit = off AS $$
  WITH short AS MATERIALIZED (
    SELECT feeder_id FROM (
      SELECT feeder_id, count(*) AS meters FROM ami_known_meters WHERE tenant_id = for_tenant GROUP BY 1
    ) roster
    LEFT JOIN (
      SELECT feeder_id, reads FROM ami_feeder_intervals WHERE tenant_id = for_tenant AND read_at = at_interval
    ) cell USING (feeder_id)
    WHERE meters > coalesce(reads, 0)
  ), candidates AS MATERIALIZED (
    SELECT meter_id FROM ami_known_meters
    WHERE tenant_id = for_tenant AND (among_all OR feeder_id IN (TABLE short))
  ), silent AS MATERIALIZED (
    SELECT meter_id FROM candidates
    WHERE (SELECT true FROM meter_reads_electric reads
           WHERE reads.tenant_id = for_tenant AND reads.meter_id = candidates.meter_id AND reads.read_at = at_interval) IS NULL
  ), aged AS MATERIALIZED (
    SELECT (SELECT reads.read_at FROM meter_reads_electric reads
            WHERE reads.tenant_id = for_tenant AND reads.meter_id = silent.meter_id
              AND reads.read_at > at_interval - interval '24 h' AND reads.read_at <= latest_read_at
            ORDER BY reads.read_at DESC LIMIT 1) AS last_read_at
    FROM silent
  )
  SELECT count(*) FILTER (WHERE last_read_at > at_interval),
         count(*) FILTER (WHERE last_read_at <= at_interval AND last_read_at > at_interval - interval '1 h'),
         count(*) FILTER (WHERE last_read_at <= at_interval - interval '1 h'),
         count(*) FILTER (WHERE last_read_at IS NULL)
  FROM aged
$$;

-- 100 × part / whole, NULL where there is no whole.
CREATE FUNCTION ami_percent(part numeric, whole numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT round(100 * part / nullif(whole, 0), 3) $$;

DO $views$
DECLARE
  view_name text;
  definition text;
BEGIN
  FOR view_name, definition IN VALUES
    ('v_kpi_electric_overview_daily', $$
      SELECT day.tenant_id, day.day, day.feeders, day.intervals, day.reads,
             expected.meters AS expected_meters,
             least(100, ami_percent(expected.arrived_reads, expected.reads)) AS completeness_pct,
             day.kwh, day.delivered_kwh, day.delivered_kwh - day.metered_kwh AS loss_kwh,
             ami_percent(day.delivered_kwh - day.metered_kwh, day.delivered_kwh) AS loss_pct,
             day.min_voltage, day.low_voltage_reads, day.high_voltage_reads, day.latest_read_at
      FROM (
        SELECT tenant_id, day, count(*) AS feeders, bit_count(bit_or(quarter_hours)) AS intervals,
               sum(reads)::bigint AS reads, sum(kwh) AS kwh, sum(kwh - unmetered_kwh) AS metered_kwh,
               sum(delivered_kwh) AS delivered_kwh, min(min_voltage) AS min_voltage,
               sum(low_voltage_reads)::bigint AS low_voltage_reads,
               sum(high_voltage_reads)::bigint AS high_voltage_reads, max(latest_read_at) AS latest_read_at
        FROM ami_feeder_days GROUP BY tenant_id, day
      ) day
      -- An aggregate of one row: where nobody asks for these columns, the planner leaves the join out.
      LEFT JOIN LATERAL (
        SELECT sum(expected_meters)::bigint AS meters, sum(expected_reads) AS reads, sum(arrived_reads) AS arrived_reads
        FROM ami_feeder_completeness(day.tenant_id, day.day)
      ) expected ON true
    $$),
    ('v_kpi_electric_feeder_loss_daily', $$
      SELECT tenant_id, day, feeder_id, reads, kwh, delivered_kwh, delivered_kwh - (kwh - unmetered_kwh) AS loss_kwh,
             ami_percent(delivered_kwh - (kwh - unmetered_kwh), delivered_kwh) AS loss_pct, min_voltage,
             low_voltage_reads, latest_read_at
      FROM ami_feeder_days
    $$),
    -- From the evidence alone: energy that was delivered to a meter and that it did not register.
    ('v_kpi_suspicious_meters_daily', $$
      SELECT tenant_id, day, meter_id, feeder_id, underregistered_reads AS suspicious_intervals, registered_kwh,
             delivered_kwh, delivered_kwh - registered_kwh AS missing_kwh,
             ami_percent(delivered_kwh - registered_kwh, delivered_kwh) AS missing_pct,
             first_underregistered_at AS first_interval_at, last_underregistered_at AS last_interval_at,
             format('Registered %s of %s kWh delivered in %s %s: %s %% is missing, where technical loss explains at most 15 %%.',
               round(registered_kwh, 3), round(delivered_kwh, 3), underregistered_reads,
               CASE WHEN underregistered_reads = 1
                 THEN format('interval (%s UTC)', to_char(first_underregistered_at AT TIME ZONE 'UTC', 'HH24:MI'))
                 ELSE format('intervals (%s to %s UTC)', to_char(first_underregistered_at AT TIME ZONE 'UTC', 'HH24:MI'),
                   to_char(last_underregistered_at AT TIME ZONE 'UTC', 'HH24:MI')) END,
               round(ami_percent(delivered_kwh - registered_kwh, delivered_kwh), 1)) AS reason
      FROM ami_meter_anomalies WHERE underregistered_reads > 0
    $$),
    -- What a crew would be sent for, per feeder and day, the most urgent first: priority 1 is the feeder with the most
    -- meters silent in the day's last interval or with a voltage below range A during the day.
    ('v_kpi_fieldops_daily', $$
      SELECT tenant_id, day, feeder_id,
             rank() OVER (PARTITION BY tenant_id, day
               ORDER BY coalesce(silent_meters, 0) + undervoltage_meters DESC, completeness_pct, min_voltage) AS priority,
             expected_meters, silent_meters, undervoltage_meters, min_voltage, completeness_pct, interval_at,
             concat_ws(' ',
               CASE WHEN silent_meters > 0 THEN format('%s of %s meters silent in the interval %s UTC.',
                 silent_meters, expected_meters, to_char(interval_at AT TIME ZONE 'UTC', 'HH24:MI')) END,
               CASE WHEN undervoltage_meters > 0 THEN format('%s %s below 114 V, down to %s V.', undervoltage_meters,
                 CASE WHEN undervoltage_meters = 1 THEN 'meter' ELSE 'meters' END, round(min_voltage, 1)) END,
               CASE WHEN completeness_pct < 99.5 THEN format('%s %% of the day''s expected reads arrived.',
                 round(completeness_pct, 1)) END) AS reason
      FROM (
        SELECT day.tenant_id, day.day, feeder.feeder_id, feeder.interval_at, feeder.expected_meters,
               feeder.silent_meters, low.undervoltage_meters, that_day.min_voltage,
               least(100, ami_percent(feeder.arrived_reads, feeder.expected_reads)) AS completeness_pct
        FROM (SELECT tenant_id, day FROM ami_feeder_days GROUP BY tenant_id, day) day
        CROSS JOIN LATERAL ami_feeder_completeness(day.tenant_id, day.day) feeder
        -- LIMIT 1: a look-up each, not a join with all of history.
        LEFT JOIN LATERAL (
          SELECT min_voltage FROM ami_feeder_days
          WHERE tenant_id = day.tenant_id AND ami_feeder_days.day = day.day AND feeder_id = feeder.feeder_id
          LIMIT 1
        ) that_day ON true
        CROSS JOIN LATERAL ami_undervoltage_meters(day.tenant_id, day.day, feeder.feeder_id) AS low (undervoltage_meters)
      ) found
    $$)
  LOOP
    IF to_regclass(view_name) IS NULL THEN
      EXECUTE format('CREATE VIEW %I AS %s', view_name, definition);
    END IF;
  END LOOP;
END $views$;
