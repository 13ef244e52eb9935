-- Made only where the database has nothing of this name: a customer's own view is used as it is.
CREATE VIEW v_kpi_fieldops_daily AS
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
           round(completeness_pct, 1)) END) AS reason, estimated_pct
FROM (
  SELECT day.tenant_id, day.day, feeder.feeder_id, feeder.interval_at, feeder.expected_meters,
         feeder.silent_meters, low.undervoltage_meters, that_day.min_voltage,
         least(100, ami_percent(feeder.arrived_reads, feeder.expected_reads)) AS completeness_pct,
         ami_percent(coalesce(feeder.estimated_reads, 0), that_day.reads) AS estimated_pct
  FROM (SELECT tenant_id, day FROM ami_feeder_days GROUP BY tenant_id, day) day
  -- OFFSET 0: the estimates are counted once a day, not once a feeder.
  CROSS JOIN LATERAL (
    SELECT found.*, estimated.reads AS estimated_reads
    FROM ami_feeder_completeness(day.tenant_id, day.day) found
    LEFT JOIN ami_estimates_of_day(day.tenant_id, day.day) estimated USING (feeder_id) OFFSET 0
  ) feeder
  -- LIMIT 1 makes this one look-up per row instead of a join with all of history.
  LEFT JOIN LATERAL (
    SELECT min_voltage, reads FROM ami_feeder_days
    WHERE tenant_id = day.tenant_id AND ami_feeder_days.day = day.day AND feeder_id = feeder.feeder_id
    LIMIT 1
  ) that_day ON true
  CROSS JOIN LATERAL ami_undervoltage_meters(day.tenant_id, day.day, feeder.feeder_id) AS low (undervoltage_meters)
) found;
COMMENT ON VIEW v_kpi_fieldops_daily IS
  'What a crew would be sent for, per feeder and day of the tenant''s zone, with its priority.';
COMMENT ON COLUMN v_kpi_fieldops_daily.day IS 'Day of the tenant''s zone, of UTC where none is set.';
COMMENT ON COLUMN v_kpi_fieldops_daily.priority IS
  '1 is the most urgent: the feeder with the most meters that were silent in the day''s last interval or had a '
  'voltage below 114 V during the day.';
COMMENT ON COLUMN v_kpi_fieldops_daily.expected_meters IS 'Meters expected in the interval of interval_at.';
COMMENT ON COLUMN v_kpi_fieldops_daily.silent_meters IS 'Meters without a read in that interval.';
COMMENT ON COLUMN v_kpi_fieldops_daily.undervoltage_meters IS 'Meters with a read below 114 V during the day.';
COMMENT ON COLUMN v_kpi_fieldops_daily.min_voltage IS 'Lowest voltage during the day, volts.';
COMMENT ON COLUMN v_kpi_fieldops_daily.completeness_pct IS
  'Reads that arrived, in percent of those expected of the day so far. At most 100.';
COMMENT ON COLUMN v_kpi_fieldops_daily.interval_at IS
  'Start of the day''s latest interval that is no longer being written; NULL when there is none.';
COMMENT ON COLUMN v_kpi_fieldops_daily.reason IS 'The same in sentences; empty when there is nothing to do.';
COMMENT ON COLUMN v_kpi_fieldops_daily.estimated_pct IS
  'Reads of the day that are estimates, in percent of its reads. completeness_pct takes them for reads that arrived.';
