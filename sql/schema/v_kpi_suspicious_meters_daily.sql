-- Made only where the database has nothing of this name: a customer's own view is used as it is.
CREATE VIEW v_kpi_suspicious_meters_daily AS
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
FROM ami_meter_anomalies WHERE underregistered_reads > 0;
COMMENT ON VIEW v_kpi_suspicious_meters_daily IS
  'Meters that registered too little, per day of the tenant''s zone, from the evidence alone: energy that was delivered '
  'to the meter and that it did not register. Energy in kWh, percentages in percent.';
COMMENT ON COLUMN v_kpi_suspicious_meters_daily.day IS 'Day of the tenant''s zone, of UTC where none is set.';
COMMENT ON COLUMN v_kpi_suspicious_meters_daily.suspicious_intervals IS 'Intervals in which more than 15 % is missing.';
COMMENT ON COLUMN v_kpi_suspicious_meters_daily.registered_kwh IS 'Energy registered in those intervals, kWh.';
COMMENT ON COLUMN v_kpi_suspicious_meters_daily.delivered_kwh IS 'Energy delivered in those intervals, kWh.';
COMMENT ON COLUMN v_kpi_suspicious_meters_daily.missing_kwh IS 'Delivered minus registered energy, kWh.';
COMMENT ON COLUMN v_kpi_suspicious_meters_daily.missing_pct IS 'missing_kwh in percent of delivered_kwh.';
COMMENT ON COLUMN v_kpi_suspicious_meters_daily.first_interval_at IS 'Start of the first of those intervals.';
COMMENT ON COLUMN v_kpi_suspicious_meters_daily.last_interval_at IS 'Start of the last of those intervals.';
COMMENT ON COLUMN v_kpi_suspicious_meters_daily.reason IS 'The same in a sentence.';
