-- Made only where the database has nothing of this name: a customer's own view is used as it is.
CREATE VIEW v_kpi_electric_feeder_loss_daily AS
SELECT tenant_id, day, feeder_id, reads, kwh, delivered_kwh, delivered_kwh - (kwh - unmetered_kwh) AS loss_kwh,
       ami_percent(delivered_kwh - (kwh - unmetered_kwh), delivered_kwh) AS loss_pct, min_voltage,
       low_voltage_reads, latest_read_at, implausible_reads, received_kwh
FROM ami_feeder_days;
COMMENT ON VIEW v_kpi_electric_feeder_loss_daily IS
  'Loss of each feeder per day of the tenant''s zone. Energy in kWh, percentages in percent.';
COMMENT ON COLUMN v_kpi_electric_feeder_loss_daily.day IS 'Day of the tenant''s zone, of UTC where none is set.';
COMMENT ON COLUMN v_kpi_electric_feeder_loss_daily.reads IS 'Number of reads.';
COMMENT ON COLUMN v_kpi_electric_feeder_loss_daily.kwh IS 'Registered energy, kWh.';
COMMENT ON COLUMN v_kpi_electric_feeder_loss_daily.delivered_kwh IS 'Delivered energy, kWh.';
COMMENT ON COLUMN v_kpi_electric_feeder_loss_daily.loss_kwh IS
  'Delivered minus registered energy, kWh, from the reads that carry both.';
COMMENT ON COLUMN v_kpi_electric_feeder_loss_daily.loss_pct IS 'loss_kwh in percent of delivered_kwh.';
COMMENT ON COLUMN v_kpi_electric_feeder_loss_daily.min_voltage IS 'Lowest voltage, volts.';
COMMENT ON COLUMN v_kpi_electric_feeder_loss_daily.low_voltage_reads IS 'Reads below 114 V.';
COMMENT ON COLUMN v_kpi_electric_feeder_loss_daily.latest_read_at IS 'Start of the latest interval that has a read.';
COMMENT ON COLUMN v_kpi_electric_feeder_loss_daily.implausible_reads IS
  'Reads whose energies no meter measures, such as error codes: they arrived, and are in no sum of energy.';
COMMENT ON COLUMN v_kpi_electric_feeder_loss_daily.received_kwh IS
  'Energy that customers fed into the grid, kWh, taken off no other figure; NULL where no read carries any.';
