-- Made only where the database has nothing of this name: a customer's own view is used as it is.
CREATE VIEW v_kpi_electric_overview_daily AS
SELECT day.tenant_id, day.day, day.feeders, day.intervals, day.reads,
       expected.meters AS expected_meters,
       least(100, ami_percent(expected.arrived_reads, expected.reads)) AS completeness_pct,
       day.kwh, day.delivered_kwh, day.delivered_kwh - day.metered_kwh AS loss_kwh,
       ami_percent(day.delivered_kwh - day.metered_kwh, day.delivered_kwh) AS loss_pct,
       day.min_voltage, day.low_voltage_reads, day.high_voltage_reads, day.latest_read_at, day.implausible_reads,
       ami_percent(coalesce(estimated.reads, 0), day.reads) AS estimated_pct, day.received_kwh
FROM (
  SELECT tenant_id, day, count(*) AS feeders, 
         bit_count(bit_or(quarter_hours)) + bit_count(bit_or(further_quarter_hours)) AS intervals,
         sum(reads)::bigint AS reads, sum(kwh) AS kwh, sum(kwh - unmetered_kwh) AS metered_kwh,
         sum(delivered_kwh) AS delivered_kwh, min(min_voltage) AS min_voltage,
         sum(low_voltage_reads)::bigint AS low_voltage_reads,
         sum(high_voltage_reads)::bigint AS high_voltage_reads, max(latest_read_at) AS latest_read_at,
         sum(implausible_reads)::bigint AS implausible_reads, sum(received_kwh) AS received_kwh
  FROM ami_feeder_days GROUP BY tenant_id, day
) day
-- An aggregate of one row: the planner leaves the join out when nobody asks for these columns.
LEFT JOIN LATERAL (
  SELECT sum(expected_meters)::bigint AS meters, sum(expected_reads) AS reads, sum(arrived_reads) AS arrived_reads
  FROM ami_feeder_completeness(day.tenant_id, day.day)
) expected ON true
LEFT JOIN LATERAL (SELECT sum(reads) AS reads FROM ami_estimates_of_day(day.tenant_id, day.day)) estimated ON true;
COMMENT ON VIEW v_kpi_electric_overview_daily IS
  'Key figures of a tenant per day of its zone: energy, loss, voltage and completeness. Energy in kWh, percentages in '
  'percent.';
COMMENT ON COLUMN v_kpi_electric_overview_daily.day IS 'Day of the tenant''s zone, of UTC where none is set.';
COMMENT ON COLUMN v_kpi_electric_overview_daily.feeders IS 'Feeders with a read.';
COMMENT ON COLUMN v_kpi_electric_overview_daily.intervals IS
  'Quarter hours with a read: up to 96, and 92 or 100 where clocks are changed.';
COMMENT ON COLUMN v_kpi_electric_overview_daily.reads IS 'Number of reads.';
COMMENT ON COLUMN v_kpi_electric_overview_daily.expected_meters IS
  'Meters expected in the day''s latest interval that is no longer being written.';
COMMENT ON COLUMN v_kpi_electric_overview_daily.completeness_pct IS
  'Reads that arrived, in percent of those expected; intervals that are still being written do not count. At most '
  '100.';
COMMENT ON COLUMN v_kpi_electric_overview_daily.kwh IS 'Registered energy, kWh.';
COMMENT ON COLUMN v_kpi_electric_overview_daily.delivered_kwh IS 'Delivered energy, kWh.';
COMMENT ON COLUMN v_kpi_electric_overview_daily.loss_kwh IS
  'Delivered minus registered energy, kWh, from the reads that carry both.';
COMMENT ON COLUMN v_kpi_electric_overview_daily.loss_pct IS 'loss_kwh in percent of delivered_kwh.';
COMMENT ON COLUMN v_kpi_electric_overview_daily.min_voltage IS 'Lowest voltage, volts.';
COMMENT ON COLUMN v_kpi_electric_overview_daily.low_voltage_reads IS 'Reads below 114 V.';
COMMENT ON COLUMN v_kpi_electric_overview_daily.high_voltage_reads IS 'Reads above 126 V.';
COMMENT ON COLUMN v_kpi_electric_overview_daily.latest_read_at IS 'Start of the latest interval that has a read.';
COMMENT ON COLUMN v_kpi_electric_overview_daily.implausible_reads IS
  'Reads whose energies no meter measures, such as error codes: they arrived, and are in no sum of energy.';
COMMENT ON COLUMN v_kpi_electric_overview_daily.estimated_pct IS
  'Reads that are estimates, in percent of reads. completeness_pct takes them for reads that arrived.';
COMMENT ON COLUMN v_kpi_electric_overview_daily.received_kwh IS
  'Energy that customers fed into the grid, kWh, taken off no other figure; NULL where no read carries any.';
