-- Rollups of meter_reads_electric, kept by statement triggers from its rows and nothing else, so that KPIs are true
-- however rows came in, and answer in milliseconds over months: one row per feeder and interval, one per feeder and
-- UTC day, and one per meter and day that had an anomalous read. ami_feeder_days takes the place of
-- ami_read_counters. Rows skipped by ON CONFLICT DO NOTHING are in no transition table and count nowhere.

-- What a read alone shows. In one place, and without SET, so that they are inlined.
--
-- More than 15 % of what was delivered was not registered. Technical losses reach 12 % on a 6 % feeder at its peak;
-- a theft of a fifth shows as 22 %. Half a watt-hour is five times what rounding both to 0.1 Wh can make up.
CREATE FUNCTION ami_is_underregistered(kwh numeric, delivered_kwh numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT kwh < 0.85 * delivered_kwh AND delivered_kwh - kwh > 0.0005 AND delivered_kwh > 0
$$;
-- Outside ANSI C84.1 service range A, on a 120 V base.
CREATE FUNCTION ami_is_low_voltage(voltage numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT voltage < 114 $$;
CREATE FUNCTION ami_is_high_voltage(voltage numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT voltage > 126 $$;
-- The quarter hour of its UTC day that an instant falls into, as one bit of 96: a set of them is an OR, and how many
-- intervals a day had is a count of bits.
CREATE FUNCTION ami_quarter_hour_bit(at_instant timestamptz) RETURNS bit
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT set_bit(0::bit(96),
    extract(hour FROM at_instant AT TIME ZONE 'UTC')::integer * 4 + extract(minute FROM at_instant AT TIME ZONE 'UTC')::integer / 15, 1)
$$;
CREATE FUNCTION ami_utc_day(at_instant timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT (at_instant AT TIME ZONE 'UTC')::date $$;

-- Energy in kWh. unmetered_kwh is the part of kwh whose rows carry no delivered_kwh: loss is had from the others
-- alone, and counting the exception costs nothing where there is none. fillfactor leaves room for in-page updates.
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
  PRIMARY KEY (tenant_id, read_at, feeder_id)
) WITH (fillfactor = 70);

-- A number for each change of a day, never the same twice: what has changed is seen by it whatever the order in which
-- transactions commit, and whatever the clock does.
CREATE SEQUENCE ami_rollup_versions;

-- Per feeder, not per tenant: concurrent batches are of different feeders, and would otherwise queue for one row's
-- lock from trigger to commit.
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
  -- The quarter hours that have a read, and the most reads that one interval has: its reporting meters.
  quarter_hours      bit(96)          NOT NULL,
  max_interval_reads bigint           NOT NULL,
  latest_read_at     timestamptz,
  changed_at         timestamptz      NOT NULL,
  version            bigint           NOT NULL DEFAULT nextval('ami_rollup_versions'),
  PRIMARY KEY (tenant_id, day, feeder_id)
) WITH (fillfactor = 50);

-- Meters with a read that was under-registered or under-voltage that day; nearly none in normal running.
CREATE TABLE ami_meter_anomalies (
  tenant_id                text COLLATE "C" NOT NULL,
  day                      date             NOT NULL,
  feeder_id                text COLLATE "C" NOT NULL,
  meter_id                 text COLLATE "C" NOT NULL,
  underregistered_reads    bigint           NOT NULL,
  -- Of the under-registered reads alone, kWh, and when the first and last of them begin.
  registered_kwh           numeric          NOT NULL,
  delivered_kwh            numeric          NOT NULL,
  first_underregistered_at timestamptz,
  last_underregistered_at  timestamptz,
  low_voltage_reads        bigint           NOT NULL,
  min_voltage              numeric,
  PRIMARY KEY (tenant_id, day, feeder_id, meter_id)
) WITH (fillfactor = 70);
-- The suspicious of a day, worst first, without the many that only had a low voltage.
CREATE INDEX ami_meter_anomalies_underregistered
  ON ami_meter_anomalies (tenant_id, day DESC, (delivered_kwh - registered_kwh) DESC) WHERE underregistered_reads > 0;

-- The feeder a meter was first seen on, for looking at the meters of one feeder. A hint: a meter that has moved keeps
-- it, since looking at every meter of every batch cost 15-20 % of the insert rate.
ALTER TABLE ami_known_meters ADD COLUMN feeder_id text COLLATE "C";

-- One row a request instead of one a tenant: a request must not wait for another's transaction, nor be lost in it.
ALTER TABLE ami_meter_rechecks
  DROP CONSTRAINT ami_meter_rechecks_pkey,
  ADD COLUMN request bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;

-- Adds the new_rows of an insert. They are read once and grouped (a second pass over 500 rows cost as much as all
-- the rest); rows are locked in key order, intervals before days, so that batches cannot deadlock.
CREATE FUNCTION ami_fold_inserted_reads() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  energy numeric;
  lowest_voltage numeric;
  anomalous bigint;
  has_unknown_set boolean;
BEGIN
  -- Shared: writers do not wait for each other, only for a rebuild, or for meters that are being forgotten.
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('gridlens:known-meters', 0));

  WITH cells AS MATERIALIZED (
    SELECT tenant_id, read_at, feeder_id, count(*) AS reads, sum(kwh) AS kwh,
           coalesce(sum(kwh) FILTER (WHERE delivered_kwh IS NULL), 0) AS unmetered_kwh,
           coalesce(sum(delivered_kwh), 0) AS delivered_kwh, min(voltage) AS min_voltage,
           count(*) FILTER (WHERE ami_is_low_voltage(voltage)) AS low_voltage_reads,
           count(*) FILTER (WHERE ami_is_high_voltage(voltage)) AS high_voltage_reads,
           count(*) FILTER (WHERE ami_is_underregistered(kwh, delivered_kwh)) AS underregistered_reads,
           min(meter_id) AS first_meter_id, sum(hashtextextended(meter_id, 0)) AS fingerprint
    FROM new_rows GROUP BY tenant_id, read_at, feeder_id
  ), folded AS (
    INSERT INTO ami_feeder_intervals AS cell (tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh,
      min_voltage, low_voltage_reads, high_voltage_reads)
    SELECT tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage, low_voltage_reads,
           high_voltage_reads
    FROM cells ORDER BY 1, 2, 3
    ON CONFLICT (tenant_id, read_at, feeder_id) DO UPDATE SET
      reads = cell.reads + excluded.reads, kwh = cell.kwh + excluded.kwh,
      unmetered_kwh = cell.unmetered_kwh + excluded.unmetered_kwh,
      delivered_kwh = cell.delivered_kwh + excluded.delivered_kwh,
      min_voltage = least(cell.min_voltage, excluded.min_voltage),
      low_voltage_reads = cell.low_voltage_reads + excluded.low_voltage_reads,
      high_voltage_reads = cell.high_voltage_reads + excluded.high_voltage_reads
    RETURNING tenant_id, read_at, feeder_id, reads AS interval_reads
  ), days AS (
    INSERT INTO ami_feeder_days AS day (tenant_id, day, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh,
      min_voltage, low_voltage_reads, high_voltage_reads, quarter_hours, max_interval_reads, latest_read_at, changed_at)
    SELECT tenant_id, ami_utc_day(read_at), feeder_id, sum(reads), sum(kwh), sum(unmetered_kwh), sum(delivered_kwh),
           min(min_voltage), sum(low_voltage_reads), sum(high_voltage_reads), bit_or(ami_quarter_hour_bit(read_at)),
           max(interval_reads), max(read_at), clock_timestamp()
    FROM cells JOIN folded USING (tenant_id, read_at, feeder_id)
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (tenant_id, day, feeder_id) DO UPDATE SET
      reads = day.reads + excluded.reads, kwh = day.kwh + excluded.kwh,
      unmetered_kwh = day.unmetered_kwh + excluded.unmetered_kwh,
      delivered_kwh = day.delivered_kwh + excluded.delivered_kwh,
      min_voltage = least(day.min_voltage, excluded.min_voltage),
      low_voltage_reads = day.low_voltage_reads + excluded.low_voltage_reads,
      high_voltage_reads = day.high_voltage_reads + excluded.high_voltage_reads,
      quarter_hours = day.quarter_hours | excluded.quarter_hours,
      max_interval_reads = greatest(day.max_interval_reads, excluded.max_interval_reads),
      latest_read_at = greatest(day.latest_read_at, excluded.latest_read_at),
      changed_at = greatest(day.changed_at, excluded.changed_at), version = excluded.version
  ), batch AS (
    SELECT tenant_id, feeder_id, min(first_meter_id) AS first_meter_id, sum(reads) AS meters,
           sum(fingerprint) AS fingerprint
    FROM cells GROUP BY tenant_id, feeder_id
  )
  SELECT (SELECT sum(abs(kwh) + abs(delivered_kwh)) FROM cells), (SELECT min(min_voltage) FROM cells),
         (SELECT sum(low_voltage_reads + underregistered_reads) FROM cells), EXISTS (
    SELECT FROM batch LEFT JOIN ami_known_meter_sets known USING (tenant_id, feeder_id, first_meter_id)
    WHERE (known.meters, known.fingerprint) IS DISTINCT FROM (batch.meters, batch.fingerprint)
  ) INTO energy, lowest_voltage, anomalous, has_unknown_set;
  IF NOT ami_is_plausible(energy, lowest_voltage) THEN
    PERFORM ami_refuse_reads();
  END IF;

  IF anomalous > 0 THEN
    INSERT INTO ami_meter_anomalies AS anomaly (tenant_id, day, feeder_id, meter_id, underregistered_reads,
      registered_kwh, delivered_kwh, first_underregistered_at, last_underregistered_at, low_voltage_reads, min_voltage)
    SELECT tenant_id, ami_utc_day(read_at), feeder_id, meter_id, count(*) FILTER (WHERE is_underregistered),
           coalesce(sum(kwh) FILTER (WHERE is_underregistered), 0),
           coalesce(sum(delivered_kwh) FILTER (WHERE is_underregistered), 0),
           min(read_at) FILTER (WHERE is_underregistered), max(read_at) FILTER (WHERE is_underregistered),
           count(*) FILTER (WHERE ami_is_low_voltage(voltage)), min(voltage) FILTER (WHERE ami_is_low_voltage(voltage))
    FROM (
      SELECT *, coalesce(ami_is_underregistered(kwh, delivered_kwh), false) AS is_underregistered FROM new_rows
      WHERE ami_is_low_voltage(voltage) OR ami_is_underregistered(kwh, delivered_kwh)
    ) anomalous GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (tenant_id, day, feeder_id, meter_id) DO UPDATE SET
      underregistered_reads = anomaly.underregistered_reads + excluded.underregistered_reads,
      registered_kwh = anomaly.registered_kwh + excluded.registered_kwh,
      delivered_kwh = anomaly.delivered_kwh + excluded.delivered_kwh,
      first_underregistered_at = least(anomaly.first_underregistered_at, excluded.first_underregistered_at),
      last_underregistered_at = greatest(anomaly.last_underregistered_at, excluded.last_underregistered_at),
      low_voltage_reads = anomaly.low_voltage_reads + excluded.low_voltage_reads,
      min_voltage = least(anomaly.min_voltage, excluded.min_voltage);
  END IF;

  -- A snapshot older than the lock may show meters as known that have been forgotten since.
  IF has_unknown_set OR current_setting('transaction_isolation') <> 'read committed' THEN
    INSERT INTO ami_known_meters (tenant_id, meter_id, feeder_id)
    SELECT tenant_id, meter_id, min(feeder_id) FROM new_rows GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT DO NOTHING;

    INSERT INTO ami_known_meter_sets AS known (tenant_id, feeder_id, first_meter_id, meters, fingerprint)
    SELECT tenant_id, feeder_id, min(meter_id), count(*), sum(hashtextextended(meter_id, 0))
    FROM new_rows GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (tenant_id, feeder_id, first_meter_id) DO UPDATE SET
      meters = excluded.meters, fingerprint = excluded.fingerprint
    WHERE (known.meters, known.fingerprint) <> (excluded.meters, excluded.fingerprint);
  END IF;
  RETURN NULL;
END $$;
