-- The rollups: what the KPIs and status read. docs/decisions/0003-kpis-from-rollups.md has the reasons. Statement
-- triggers keep them (rollup_inserts.sql, rollup_changes.sql), from the rows of the table of reads and nothing else, so
-- the KPIs are true however rows came in, and answer in milliseconds over months. Rows that ON CONFLICT DO NOTHING
-- skips are in no transition table and count nowhere.

-- What one read shows by itself. Each of these rules has one place, and no SET clause, so that Postgres inlines it.
CREATE FUNCTION ami_is_measured(kwh numeric, delivered_kwh numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT kwh > -10000 AND kwh < 10000 AND coalesce(delivered_kwh > -10000 AND delivered_kwh < 10000, true)
$$;
COMMENT ON FUNCTION ami_is_measured(numeric, numeric) IS
  'Whether a meter can have measured a read''s energies, kWh. 10,000 kWh in a quarter hour are 40 MW, which is what the '
  'strongest distribution feeder carries as a whole: 600 A at 34.5 kV. Beyond that are error codes, such as '
  '4,294,967.295 and 65,535, whose one read made a day''s loss minus ten million percent. Neither energy of such a read '
  'is in any sum; the read counts as one that arrived, and as implausible.';
CREATE FUNCTION ami_fed_in(kwh numeric, delivered_kwh numeric, received_kwh numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN received_kwh IS NOT NULL AND received_kwh > -10000 AND received_kwh < 10000
    AND ami_is_measured(kwh, delivered_kwh) THEN received_kwh END
$$;
COMMENT ON FUNCTION ami_fed_in(numeric, numeric, numeric) IS
  'What a read adds to the sums of received_kwh. NULL where its meter has no such channel, where the read is not '
  'ami_is_measured, and where what was fed in is itself beyond what a meter measures: then that figure alone is in no sum. '
  'NULL is asked for first, since most reads have no such channel.';
CREATE FUNCTION ami_is_underregistered(kwh numeric, delivered_kwh numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT kwh < 0.85 * delivered_kwh AND delivered_kwh - kwh > 0.0005 AND delivered_kwh > 0
    AND ami_is_measured(kwh, delivered_kwh)
$$;
COMMENT ON FUNCTION ami_is_underregistered(numeric, numeric) IS
  'Whether a read registered (kwh) too little of what was delivered (delivered_kwh): more than 15 % is missing. '
  'Technical losses reach 12 % on a 6 % feeder at its peak; a theft of a fifth shows as 22 %. At least 0.0005 kWh '
  'must be missing, five times what rounding both figures to 0.1 Wh can make up.';
CREATE FUNCTION ami_is_low_voltage(voltage numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT voltage < 114 $$;
COMMENT ON FUNCTION ami_is_low_voltage(numeric) IS
  'Whether a voltage is below ANSI C84.1 service range A, 114 V on a 120 V base.';
CREATE FUNCTION ami_is_high_voltage(voltage numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT voltage > 126 $$;
COMMENT ON FUNCTION ami_is_high_voltage(numeric) IS
  'Whether a voltage is above ANSI C84.1 service range A, 126 V on a 120 V base.';
CREATE FUNCTION ami_quarter_hour_bit(at_instant timestamptz) RETURNS bit
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT set_bit(0::bit(96),
    extract(hour FROM at_instant AT TIME ZONE 'UTC')::integer * 4 + extract(minute FROM at_instant AT TIME ZONE 'UTC')::integer / 15, 1)
$$;
COMMENT ON FUNCTION ami_quarter_hour_bit(timestamptz) IS
  'The quarter hour of its UTC day that an instant falls into, as one bit of 96. A set of quarter hours is then an '
  'OR, and how many there are is a count of bits.';
CREATE FUNCTION ami_utc_day(at_instant timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT (at_instant AT TIME ZONE 'UTC')::date $$;
COMMENT ON FUNCTION ami_utc_day(timestamptz) IS 'The UTC day of an instant.';

-- The room of fillfactor is for in-page (HOT) updates.
CREATE TABLE ami_feeder_intervals (
  tenant_id          text COLLATE "C" NOT NULL,
  read_at            timestamptz      NOT NULL,
  feeder_id          text COLLATE "C" NOT NULL,
  reads              bigint           NOT NULL,
  kwh                numeric          NOT NULL,
  unmetered_kwh      numeric          NOT NULL,
  delivered_kwh      numeric          NOT NULL,
  min_voltage        numeric,
  low_voltage_reads  bigint           NOT NULL,
  high_voltage_reads bigint           NOT NULL,
  implausible_reads  bigint           NOT NULL DEFAULT 0,
  meters_fingerprint numeric,
  received_kwh       numeric,
  received_reads     bigint           NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, read_at, feeder_id)
) WITH (fillfactor = 70);
COMMENT ON TABLE ami_feeder_intervals IS 'Sums of the reads per feeder and interval, kept by triggers.';
COMMENT ON COLUMN ami_feeder_intervals.read_at IS 'Start of the interval.';
COMMENT ON COLUMN ami_feeder_intervals.reads IS 'Number of reads, which is the number of meters that reported.';
COMMENT ON COLUMN ami_feeder_intervals.kwh IS 'Registered energy, kWh.';
COMMENT ON COLUMN ami_feeder_intervals.unmetered_kwh IS
  'The part of kwh whose reads carry no delivered_kwh, in kWh. Loss comes from the other reads alone; counting the '
  'exception costs nothing where there is none.';
COMMENT ON COLUMN ami_feeder_intervals.delivered_kwh IS 'Delivered energy, kWh.';
COMMENT ON COLUMN ami_feeder_intervals.min_voltage IS 'Lowest voltage of the reads, volts.';
COMMENT ON COLUMN ami_feeder_intervals.low_voltage_reads IS 'Reads below 114 V.';
COMMENT ON COLUMN ami_feeder_intervals.high_voltage_reads IS 'Reads above 126 V.';
COMMENT ON COLUMN ami_feeder_intervals.implausible_reads IS
  'Reads whose energies no meter measures and no sum has: not ami_is_measured.';
COMMENT ON COLUMN ami_feeder_intervals.meters_fingerprint IS
  'Sum of the hashes of the meters that reported: intervals with the same sum had the same meters. NULL where rows are '
  'from before there was this column.';
COMMENT ON COLUMN ami_feeder_intervals.received_kwh IS
  'Energy that customers fed into the grid, kWh, taken off no other sum. NULL where no read carries any, which is not the 0 of '
  'dark roofs.';
COMMENT ON COLUMN ami_feeder_intervals.received_reads IS
  'Reads that received_kwh is the sum of. A difference cannot tell a sum of 0 from one of nothing; this does.';

CREATE SEQUENCE ami_rollup_versions;
COMMENT ON SEQUENCE ami_rollup_versions IS
  'A number for each change of a day, never the same twice. It shows what has changed, in whatever order '
  'transactions commit and whatever the clock does.';

CREATE TABLE ami_feeder_days (
  tenant_id          text COLLATE "C" NOT NULL,
  day                date             NOT NULL,
  feeder_id          text COLLATE "C" NOT NULL,
  reads              bigint           NOT NULL,
  kwh                numeric          NOT NULL,
  unmetered_kwh      numeric          NOT NULL,
  delivered_kwh      numeric          NOT NULL,
  min_voltage        numeric,
  low_voltage_reads  bigint           NOT NULL,
  high_voltage_reads bigint           NOT NULL,
  quarter_hours      bit(96)          NOT NULL,
  max_interval_reads bigint           NOT NULL,
  latest_read_at     timestamptz,
  changed_at         timestamptz      NOT NULL,
  version            bigint           NOT NULL DEFAULT nextval('ami_rollup_versions'),
  implausible_reads  bigint           NOT NULL DEFAULT 0,
  further_quarter_hours bit(32)       NOT NULL DEFAULT 0::bit(32),
  received_kwh       numeric,
  received_reads     bigint           NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, day, feeder_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE ami_feeder_days IS
  'Sums of the reads per feeder and day of the tenant''s zone, kept by triggers. There is one row per feeder rather than per tenant: '
  'concurrent batches are of different feeders, and would otherwise queue for one row''s lock from trigger to '
  'commit.';
COMMENT ON COLUMN ami_feeder_days.day IS 'Day of the tenant''s zone (ami_tenant_zones), of UTC where none is set.';
COMMENT ON COLUMN ami_feeder_days.reads IS 'Number of reads.';
COMMENT ON COLUMN ami_feeder_days.kwh IS 'Registered energy, kWh.';
COMMENT ON COLUMN ami_feeder_days.unmetered_kwh IS 'The part of kwh whose reads carry no delivered_kwh, in kWh.';
COMMENT ON COLUMN ami_feeder_days.delivered_kwh IS 'Delivered energy, kWh.';
COMMENT ON COLUMN ami_feeder_days.min_voltage IS 'Lowest voltage of the reads, volts.';
COMMENT ON COLUMN ami_feeder_days.low_voltage_reads IS 'Reads below 114 V.';
COMMENT ON COLUMN ami_feeder_days.high_voltage_reads IS 'Reads above 126 V.';
COMMENT ON COLUMN ami_feeder_days.quarter_hours IS
  'The first 96 quarter hours of the day, counted from its start: a bit is set where one has a read.';
COMMENT ON COLUMN ami_feeder_days.max_interval_reads IS 'The most reads of one interval: the meters that report.';
COMMENT ON COLUMN ami_feeder_days.latest_read_at IS 'Start of the latest interval that has a read.';
COMMENT ON COLUMN ami_feeder_days.changed_at IS 'When the row last changed.';
COMMENT ON COLUMN ami_feeder_days.version IS 'Number of the last change, from ami_rollup_versions.';
COMMENT ON COLUMN ami_feeder_days.implausible_reads IS
  'Reads whose energies no meter measures and no sum has: not ami_is_measured.';
COMMENT ON COLUMN ami_feeder_days.further_quarter_hours IS
  'The quarter hours after the 96th: a day on which clocks are put back has 100.';
COMMENT ON COLUMN ami_feeder_days.received_kwh IS
  'Energy that customers fed into the grid, kWh; NULL where no read carries any.';
COMMENT ON COLUMN ami_feeder_days.received_reads IS 'Reads that received_kwh is the sum of.';

CREATE TABLE ami_meter_anomalies (
  tenant_id                text COLLATE "C" NOT NULL,
  day                      date             NOT NULL,
  feeder_id                text COLLATE "C" NOT NULL,
  meter_id                 text COLLATE "C" NOT NULL,
  underregistered_reads    bigint           NOT NULL,
  registered_kwh           numeric          NOT NULL,
  delivered_kwh            numeric          NOT NULL,
  first_underregistered_at timestamptz,
  last_underregistered_at  timestamptz,
  low_voltage_reads        bigint           NOT NULL,
  min_voltage              numeric,
  PRIMARY KEY (tenant_id, day, feeder_id, meter_id)
) WITH (fillfactor = 70);
-- The suspicious meters of a day, the worst first, without the many that only had a low voltage.
CREATE INDEX ami_meter_anomalies_underregistered
  ON ami_meter_anomalies (tenant_id, day DESC, (delivered_kwh - registered_kwh) DESC) WHERE underregistered_reads > 0;
COMMENT ON TABLE ami_meter_anomalies IS
  'Meters with an under-registered or low-voltage read, per day of the tenant''s zone, kept by triggers; nearly none in '
  'normal running.';
COMMENT ON COLUMN ami_meter_anomalies.day IS 'Day of the tenant''s zone, of UTC where none is set.';
COMMENT ON COLUMN ami_meter_anomalies.underregistered_reads IS
  'Reads that registered too little: ami_is_underregistered.';
COMMENT ON COLUMN ami_meter_anomalies.registered_kwh IS 'Energy registered by the under-registered reads, kWh.';
COMMENT ON COLUMN ami_meter_anomalies.delivered_kwh IS 'Energy delivered in the under-registered reads, kWh.';
COMMENT ON COLUMN ami_meter_anomalies.first_underregistered_at IS 'Start of the first under-registered interval.';
COMMENT ON COLUMN ami_meter_anomalies.last_underregistered_at IS 'Start of the last under-registered interval.';
COMMENT ON COLUMN ami_meter_anomalies.low_voltage_reads IS 'Reads below 114 V.';
COMMENT ON COLUMN ami_meter_anomalies.min_voltage IS 'Lowest voltage below 114 V, volts; NULL when there is none.';
