-- The four KPI views of the brief, over the rollups. Days are UTC days. Percentages are in percent, energy in kWh.
-- Each is made only where nothing of its name exists: a customer's own is used as it is (decision 19).

-- How many meters each feeder is expected to report on a day, from the reads alone: the most that any one interval
-- brought, on the day or in the seven before it, so that a feeder that has gone dark is still expected.
-- plpgsql, here and below: it keeps its plan for the session, where an SQL function is planned at each call.
CREATE FUNCTION ami_expected_meters(for_tenant text, for_day date)
RETURNS TABLE (feeder_id text, expected_meters bigint)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN QUERY SELECT feeder.feeder_id, max(feeder.max_interval_reads) FROM ami_feeder_days feeder
  WHERE feeder.tenant_id = for_tenant AND feeder.day BETWEEN for_day - 7 AND for_day GROUP BY 1;
END $$;

-- The latest interval of a tenant's day that is not still being written: what has not arrived of that is missing,
-- what has not arrived of a later one may be on its way. NULL when there is none.
CREATE FUNCTION ami_latest_settled_interval(for_tenant text, from_instant timestamptz, before_instant timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN (
    SELECT read_at FROM ami_feeder_intervals cell
    WHERE tenant_id = for_tenant AND read_at >= from_instant AND read_at < before_instant
      AND NOT EXISTS (
        SELECT FROM ami_publish_batches batch JOIN ami_publishes publish USING (publish_id)
        WHERE batch.state = 'pending' AND publish.tenant_id = for_tenant AND publish.read_at = cell.read_at
          AND publish.origin <> 'revision')
    ORDER BY read_at DESC LIMIT 1);
END $$;

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
             (SELECT sum(expected_meters)::bigint FROM ami_expected_meters(day.tenant_id, day.day)) AS expected_meters,
             least(100, ami_percent(day.reads, day.intervals
               * (SELECT sum(expected_meters) FROM ami_expected_meters(day.tenant_id, day.day)))) AS completeness_pct,
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
        SELECT day.tenant_id, day.day, expected.feeder_id, expected.expected_meters, settled.interval_at,
               greatest(0, expected.expected_meters - coalesce(latest.reads, 0))
                 * CASE WHEN settled.interval_at IS NOT NULL THEN 1 END AS silent_meters,
               low.undervoltage_meters, feeder.min_voltage,
               least(100, ami_percent(coalesce(feeder.reads, 0), expected.expected_meters * day.intervals))
                 AS completeness_pct
        FROM (
          SELECT tenant_id, day, bit_count(bit_or(quarter_hours)) AS intervals
          FROM ami_feeder_days GROUP BY tenant_id, day
        ) day
        -- OFFSET 0 and LIMIT 1: one look-up each, not one a mention, and no join with all of history.
        CROSS JOIN LATERAL (
          SELECT ami_latest_settled_interval(day.tenant_id, day.day::timestamp AT TIME ZONE 'UTC',
            (day.day + 1)::timestamp AT TIME ZONE 'UTC') AS interval_at OFFSET 0
        ) settled
        CROSS JOIN LATERAL ami_expected_meters(day.tenant_id, day.day) expected
        LEFT JOIN LATERAL (
          SELECT reads, min_voltage FROM ami_feeder_days that_day
          WHERE that_day.tenant_id = day.tenant_id AND that_day.day = day.day
            AND that_day.feeder_id = expected.feeder_id
          LIMIT 1
        ) feeder ON true
        LEFT JOIN LATERAL (
          SELECT reads FROM ami_feeder_intervals cell
          WHERE cell.tenant_id = day.tenant_id AND cell.read_at = settled.interval_at
            AND cell.feeder_id = expected.feeder_id
          LIMIT 1
        ) latest ON true
        CROSS JOIN LATERAL (
          SELECT count(*) AS undervoltage_meters FROM ami_meter_anomalies anomaly
          WHERE anomaly.tenant_id = day.tenant_id AND anomaly.day = day.day
            AND anomaly.feeder_id = expected.feeder_id AND anomaly.low_voltage_reads > 0
        ) low
      ) found
    $$)
  LOOP
    IF to_regclass(view_name) IS NULL THEN
      EXECUTE format('CREATE VIEW %I AS %s', view_name, definition);
    END IF;
  END LOOP;
END $views$;
