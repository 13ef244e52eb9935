-- From here on nothing reads the table of reads by its name: it may be a customer's, whose columns are called otherwise.
-- What there is to look up goes through four functions that start-up makes for the table it has found
-- (src/schema/readsAccess.ts): ami_read_at, ami_reads_of_meter, ami_reads_between and ami_rollup_spans. They are
-- inlined, so on our own table the plans are what they were.
--
-- Below are the functions of phase 3 that read it, otherwise as they were.

CREATE OR REPLACE FUNCTION ami_find_min_voltage(tenants text[], instants timestamptz[], feeders text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  of record;
BEGIN
  FOR of IN
    SELECT tenant_id, ami_utc_day(read_at) AS day, count(DISTINCT read_at) > 8 AS are_many,
           array_agg(read_at) AS instants, array_agg(feeder_id) AS feeders
    FROM unnest(tenants, instants, feeders) AS touched (tenant_id, read_at, feeder_id) GROUP BY 1, 2
  LOOP
    UPDATE ami_feeder_intervals cell SET min_voltage = found.min_voltage
    FROM (
      SELECT touched.read_at, touched.feeder_id, min(voltage) AS min_voltage
      FROM unnest(of.instants, of.feeders) AS touched (read_at, feeder_id)
      LEFT JOIN (
        SELECT read_at, feeder_id, voltage
        FROM ami_reads_between(of.day::timestamp AT TIME ZONE 'UTC', (of.day + 1)::timestamp AT TIME ZONE 'UTC')
        WHERE of.are_many AND tenant_id = of.tenant_id
        UNION ALL
        SELECT measured.* FROM (SELECT DISTINCT read_at FROM unnest(of.instants) AS wanted (read_at)) wanted,
          ami_known_meters known,
          LATERAL (
            SELECT read_at, feeder_id, voltage FROM ami_read_at(known.tenant_id, known.meter_id, wanted.read_at) OFFSET 0
          ) measured
        WHERE NOT of.are_many AND known.tenant_id = of.tenant_id
      ) reads USING (read_at, feeder_id)
      GROUP BY 1, 2
    ) found
    WHERE cell.tenant_id = of.tenant_id AND cell.read_at = found.read_at AND cell.feeder_id = found.feeder_id;
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION ami_apply_anomaly_changes(changes ami_anomaly_change[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO ami_meter_anomalies AS anomaly (tenant_id, day, feeder_id, meter_id, underregistered_reads,
    registered_kwh, delivered_kwh, first_underregistered_at, last_underregistered_at, low_voltage_reads, min_voltage)
  SELECT tenant_id, day, feeder_id, meter_id, underregistered_reads, registered_kwh, delivered_kwh, first_come,
         last_come, low_voltage_reads, min_voltage_come
  FROM unnest(changes) ORDER BY 1, 2, 3, 4
  ON CONFLICT (tenant_id, day, feeder_id, meter_id) DO UPDATE SET
    underregistered_reads = anomaly.underregistered_reads + excluded.underregistered_reads,
    registered_kwh = anomaly.registered_kwh + excluded.registered_kwh,
    delivered_kwh = anomaly.delivered_kwh + excluded.delivered_kwh,
    first_underregistered_at = least(anomaly.first_underregistered_at, excluded.first_underregistered_at),
    last_underregistered_at = greatest(anomaly.last_underregistered_at, excluded.last_underregistered_at),
    low_voltage_reads = anomaly.low_voltage_reads + excluded.low_voltage_reads,
    min_voltage = least(anomaly.min_voltage, excluded.min_voltage);

  UPDATE ami_meter_anomalies anomaly SET
    first_underregistered_at = found.first_at, last_underregistered_at = found.last_at, min_voltage = found.min_voltage
  FROM unnest(changes) change,
    LATERAL (
      SELECT min(read_at) FILTER (WHERE ami_is_underregistered(kwh, delivered_kwh)) AS first_at,
             max(read_at) FILTER (WHERE ami_is_underregistered(kwh, delivered_kwh)) AS last_at,
             min(voltage) FILTER (WHERE ami_is_low_voltage(voltage)) AS min_voltage
      FROM ami_reads_of_meter(change.tenant_id, change.meter_id, change.day::timestamp AT TIME ZONE 'UTC',
        (change.day + 1)::timestamp AT TIME ZONE 'UTC') reads
      WHERE reads.feeder_id = change.feeder_id
    ) found
  WHERE change.gone AND anomaly.tenant_id = change.tenant_id AND anomaly.day = change.day
    AND anomaly.feeder_id = change.feeder_id AND anomaly.meter_id = change.meter_id;

  DELETE FROM ami_meter_anomalies anomaly USING unnest(changes) change
  WHERE anomaly.tenant_id = change.tenant_id AND anomaly.day = change.day
    AND anomaly.feeder_id = change.feeder_id AND anomaly.meter_id = change.meter_id
    AND anomaly.underregistered_reads = 0 AND anomaly.low_voltage_reads = 0;
END $$;

-- Which reads of a customer's table GridLens has written, a row a batch: a revision may change those, and no measured
-- one. On our own table every read is ours, and this stays empty.
CREATE TABLE ami_written_reads (
  publish_id   uuid             NOT NULL,
  batch_number smallint         NOT NULL,
  tenant_id    text COLLATE "C" NOT NULL,
  read_at      timestamptz      NOT NULL,
  meter_ids    text[] COLLATE "C" NOT NULL,
  PRIMARY KEY (publish_id, batch_number),
  FOREIGN KEY (publish_id, batch_number) REFERENCES ami_publish_batches ON DELETE CASCADE
);
CREATE INDEX ami_written_reads_by_interval ON ami_written_reads (tenant_id, read_at);

-- Counts UTC days anew, several in one pass: a table without an index by time would be read whole for each of them.
CREATE FUNCTION ami_rebuild_rollups_of_days(first_day date, last_day date) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  day_start timestamptz := first_day::timestamp AT TIME ZONE 'UTC';
  day_end timestamptz := (last_day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0));
  DELETE FROM ami_feeder_intervals WHERE read_at >= day_start AND read_at < day_end;
  DELETE FROM ami_feeder_days WHERE day BETWEEN first_day AND last_day;
  DELETE FROM ami_meter_anomalies WHERE day BETWEEN first_day AND last_day;

  INSERT INTO ami_feeder_intervals
  SELECT tenant_id, read_at, feeder_id, count(*), sum(kwh),
         coalesce(sum(kwh) FILTER (WHERE delivered_kwh IS NULL), 0), coalesce(sum(delivered_kwh), 0), min(voltage),
         count(*) FILTER (WHERE ami_is_low_voltage(voltage)), count(*) FILTER (WHERE ami_is_high_voltage(voltage))
  FROM ami_reads_between(day_start, day_end) GROUP BY 1, 2, 3;

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

CREATE OR REPLACE FUNCTION ami_rebuild_rollups_of_day(rebuilt_day date) RETURNS void
LANGUAGE sql SET search_path FROM CURRENT AS $$ SELECT ami_rebuild_rollups_of_days(rebuilt_day, rebuilt_day) $$;

CREATE OR REPLACE PROCEDURE ami_rebuild_rollups()
LANGUAGE plpgsql AS $$
DECLARE
  span record;
BEGIN
  FOR span IN SELECT * FROM ami_rollup_spans() LOOP
    PERFORM ami_rebuild_rollups_of_days(span.first_day, span.last_day);
    COMMIT;
  END LOOP;
  -- What is left are meters without any read: they are looked at again as after a dropped partition.
  INSERT INTO ami_meter_rechecks (tenant_id) SELECT DISTINCT tenant_id FROM ami_known_meters;
  COMMIT;
  WHILE ami_recheck_meters() IS NOT NULL LOOP
    COMMIT;
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION ami_forget_meters_without_reads(tenants text[], meters text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  DELETE FROM ami_known_meters known
  USING unnest(tenants, meters) AS candidate (tenant_id, meter_id)
  WHERE known.tenant_id = candidate.tenant_id AND known.meter_id = candidate.meter_id
    AND (SELECT true FROM ami_reads_of_meter(known.tenant_id, known.meter_id, '-infinity', 'infinity') LIMIT 1) IS NULL;
  IF FOUND THEN
    DELETE FROM ami_known_meter_sets WHERE tenant_id = ANY (tenants);
    UPDATE ami_feeder_days day SET version = DEFAULT
    WHERE (tenant_id, day.day, feeder_id) IN (
      SELECT DISTINCT ON (tenant_id) tenant_id, latest.day, feeder_id FROM ami_feeder_days latest
      WHERE tenant_id = ANY (tenants) ORDER BY tenant_id, latest.day DESC, feeder_id);
  END IF;
END $$;

CREATE OR REPLACE FUNCTION ami_recheck_meters() RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  tenant text;
  candidates text[];
BEGIN
  SELECT tenant_id INTO tenant FROM ami_meter_rechecks ORDER BY request LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF tenant IS NULL THEN
    RETURN NULL;
  END IF;
  -- Before the look: a request that is committed after this is looked at another time.
  DELETE FROM ami_meter_rechecks WHERE tenant_id = tenant;
  SELECT array_agg(known.meter_id) INTO candidates
  FROM ami_known_meters known
  WHERE known.tenant_id = tenant
    AND (SELECT true FROM ami_reads_of_meter(known.tenant_id, known.meter_id, '-infinity', 'infinity') LIMIT 1) IS NULL;
  IF candidates IS NOT NULL THEN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0)) THEN
      INSERT INTO ami_meter_rechecks (tenant_id) VALUES (tenant);
      RETURN NULL;
    END IF;
    PERFORM ami_forget_meters_without_reads(array_fill(tenant, ARRAY[cardinality(candidates)]), candidates);
  END IF;
  RETURN tenant;
END $$;

CREATE OR REPLACE FUNCTION ami_silent_meters(for_tenant text, at_interval timestamptz, latest_read_at timestamptz, among_all boolean,
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
    WHERE (SELECT true FROM ami_read_at(for_tenant, candidates.meter_id, at_interval) LIMIT 1) IS NULL
  ), aged AS MATERIALIZED (
    -- From after the day before up to and with the latest.
    SELECT (SELECT reads.read_at FROM ami_reads_of_meter(for_tenant, silent.meter_id,
              at_interval - interval '24 h' + interval '1 microsecond', latest_read_at + interval '1 microsecond') reads
            ORDER BY reads.read_at DESC LIMIT 1) AS last_read_at
    FROM silent
  )
  SELECT count(*) FILTER (WHERE last_read_at > at_interval),
         count(*) FILTER (WHERE last_read_at <= at_interval AND last_read_at > at_interval - interval '1 h'),
         count(*) FILTER (WHERE last_read_at <= at_interval - interval '1 h'),
         count(*) FILTER (WHERE last_read_at IS NULL)
  FROM aged
$$;

-- As in phase 3: pg_temp last, nothing compiled. What makes and drops partitions acts as the owner of the reads, so
-- that the processes' role need not be it. Nobody is given what acts as the owner by default: whoever could put the
-- fold functions on a table of his own, or throw days of reads away, would.
DO $$
DECLARE
  name regprocedure;
BEGIN
  FOR name IN
    SELECT oid FROM pg_proc WHERE pronamespace = quote_ident(current_schema())::regnamespace AND proname IN (
      'ami_find_min_voltage', 'ami_apply_anomaly_changes', 'ami_rebuild_rollups_of_days', 'ami_rebuild_rollups_of_day',
      'ami_forget_meters_without_reads', 'ami_recheck_meters', 'ami_ensure_read_partition',
      'ami_drop_read_partitions_before')
  LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
    EXECUTE format('ALTER FUNCTION %s SET jit = off', name);
  END LOOP;
END $$;
ALTER FUNCTION ami_ensure_read_partition(date) SECURITY DEFINER;
ALTER FUNCTION ami_drop_read_partitions_before(date) SECURITY DEFINER;
REVOKE EXECUTE ON FUNCTION ami_ensure_read_partition(date), ami_drop_read_partitions_before(date),
  ami_fold_inserted_reads(), ami_fold_updated_reads(), ami_fold_deleted_reads(), ami_fold_truncated_reads() FROM PUBLIC;
