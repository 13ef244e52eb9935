-- How long the intervals of reads are: what is expected of a meter that is read every 5, 30 or 60 minutes follows from it. Fleets
-- of quarter hours have nothing of it. The functions are those of the phases before, with these numbers.
SELECT set_config('ami.search_path', current_setting('search_path'), true);

CREATE TABLE ami_feeder_lengths (
  tenant_id        text COLLATE "C" NOT NULL,
  read_at          timestamptz      NOT NULL,
  feeder_id        text COLLATE "C" NOT NULL,
  interval_minutes smallint         NOT NULL,
  reads            bigint           NOT NULL,
  PRIMARY KEY (tenant_id, read_at, feeder_id, interval_minutes)
) WITH (fillfactor = 70);

CREATE TYPE ami_length_change AS (
  tenant_id text COLLATE "C", read_at timestamptz, feeder_id text COLLATE "C", interval_minutes smallint, reads bigint);

-- The functions below keep this search path: the own schema, and pg_temp last. Unnamed, pg_temp would be searched
-- first, and anybody may make objects there. JIT is off: these are short statements by the hundred, and look-ups by
-- index whose cost the planner overrates; compiling them takes a hundred times as long as running them.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE FUNCTION ami_apply_length_changes(changes ami_length_change[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  INSERT INTO ami_feeder_lengths AS counted (tenant_id, read_at, feeder_id, interval_minutes, reads)
  SELECT * FROM unnest(changes) WHERE reads <> 0 ORDER BY 1, 2, 3, 4
  ON CONFLICT (tenant_id, read_at, feeder_id, interval_minutes) DO UPDATE SET reads = counted.reads + excluded.reads;
  DELETE FROM ami_feeder_lengths counted USING unnest(changes) change
  WHERE counted.tenant_id = change.tenant_id AND counted.read_at = change.read_at
    AND counted.feeder_id = change.feeder_id AND counted.interval_minutes = change.interval_minutes
    AND change.reads < 0 AND counted.reads = 0;
END $$;

CREATE FUNCTION ami_expected_by_length(for_tenant text, for_day date)
RETURNS TABLE (feeder_id text, interval_minutes integer, expected_meters bigint, phases numeric[])
LANGUAGE plpgsql STABLE ROWS 25 SET search_path FROM CURRENT SET jit = off AS $$
#variable_conflict use_column
DECLARE
  week_start timestamptz := ami_day_start(for_tenant, for_day - 7);
  day_end timestamptz := ami_day_start(for_tenant, for_day + 1);
BEGIN
  IF NOT EXISTS (SELECT FROM ami_feeder_lengths
                 WHERE tenant_id = for_tenant AND read_at >= week_start AND read_at < day_end) THEN
    RETURN QUERY SELECT feeder_id, 15, expected_meters, NULL::numeric[] FROM ami_expected_meters(for_tenant, for_day);
    RETURN;
  END IF;
  RETURN QUERY
  WITH lengths AS MATERIALIZED (
    SELECT * FROM ami_feeder_lengths WHERE tenant_id = for_tenant AND read_at >= week_start AND read_at < day_end
  )
  SELECT cell.feeder_id::text, 15, max(cell.reads - coalesce(other.reads, 0))::bigint, NULL::numeric[]
  FROM ami_feeder_intervals cell
  LEFT JOIN (SELECT read_at, feeder_id, sum(reads) AS reads FROM lengths GROUP BY 1, 2) other USING (read_at, feeder_id)
  WHERE cell.tenant_id = for_tenant AND cell.read_at >= week_start AND cell.read_at < day_end
  GROUP BY 1
  UNION ALL
  SELECT lengths.feeder_id::text, lengths.interval_minutes::integer, max(reads)::bigint,
         array_agg(DISTINCT mod(extract(epoch FROM read_at), lengths.interval_minutes * 60))
  FROM lengths GROUP BY 1, 2;
END $$;

CREATE FUNCTION ami_expected_meters_at(for_tenant text, at_instant timestamptz)
RETURNS TABLE (feeder_id text, expected_meters bigint)
LANGUAGE plpgsql STABLE ROWS 25 SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  RETURN QUERY SELECT of_length.feeder_id, coalesce(sum(of_length.expected_meters)
      FILTER (WHERE phases IS NULL OR mod(extract(epoch FROM at_instant), interval_minutes * 60) = ANY (phases)), 0)::bigint
  FROM ami_expected_by_length(for_tenant, ami_day_of(for_tenant, at_instant)) of_length GROUP BY 1;
END $$;

CREATE OR REPLACE FUNCTION ami_fold_inserted_reads() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  energy numeric;
  lowest_voltage numeric;
  anomalous bigint;
  other_lengths bigint;
  has_unknown_set boolean;
BEGIN
  -- Shared: writers do not wait for each other. They wait for a rebuild and while meters are being forgotten.
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('gridlens:known-meters', 0));
  -- Above read committed the snapshot may be older than the lock.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    PERFORM ami_require_current_zones(array_agg(DISTINCT tenant_id)) FROM new_rows;
  END IF;

  WITH cells AS MATERIALIZED (
    SELECT tenant_id, read_at, feeder_id, count(*) AS reads,
           coalesce(sum(kwh) FILTER (WHERE is_measured), 0) AS kwh,
           coalesce(sum(kwh) FILTER (WHERE is_measured AND delivered_kwh IS NULL), 0) AS unmetered_kwh,
           coalesce(sum(delivered_kwh) FILTER (WHERE is_measured), 0) AS delivered_kwh, min(voltage) AS min_voltage,
           count(*) FILTER (WHERE ami_is_low_voltage(voltage)) AS low_voltage_reads,
           count(*) FILTER (WHERE ami_is_high_voltage(voltage)) AS high_voltage_reads,
           count(*) FILTER (WHERE ami_is_underregistered(kwh, delivered_kwh)) AS underregistered_reads,
           min(meter_id) AS first_meter_id, sum(hashtextextended(meter_id, 0)) AS fingerprint,
           count(*) FILTER (WHERE NOT is_measured) AS implausible_reads,
           count(*) FILTER (WHERE interval_minutes <> 15) AS of_other_lengths,
           sum(abs(kwh) + abs(coalesce(delivered_kwh, 0))) FILTER (WHERE NOT is_measured) AS implausible_kwh
    -- OFFSET 0: the rule is asked once a read, not once a figure.
    FROM (SELECT *, ami_is_measured(kwh, delivered_kwh) AS is_measured FROM new_rows OFFSET 0) judged
    GROUP BY tenant_id, read_at, feeder_id
  ), folded AS (
    INSERT INTO ami_feeder_intervals AS cell (tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh,
      min_voltage, low_voltage_reads, high_voltage_reads, implausible_reads, meters_fingerprint)
    SELECT tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage, low_voltage_reads,
           high_voltage_reads, implausible_reads, fingerprint
    FROM cells ORDER BY 1, 2, 3
    ON CONFLICT (tenant_id, read_at, feeder_id) DO UPDATE SET
      reads = cell.reads + excluded.reads, kwh = cell.kwh + excluded.kwh,
      unmetered_kwh = cell.unmetered_kwh + excluded.unmetered_kwh,
      delivered_kwh = cell.delivered_kwh + excluded.delivered_kwh,
      min_voltage = least(cell.min_voltage, excluded.min_voltage),
      low_voltage_reads = cell.low_voltage_reads + excluded.low_voltage_reads,
      high_voltage_reads = cell.high_voltage_reads + excluded.high_voltage_reads,
      implausible_reads = cell.implausible_reads + excluded.implausible_reads,
      meters_fingerprint = cell.meters_fingerprint + excluded.meters_fingerprint
    RETURNING tenant_id, read_at, feeder_id, reads AS interval_reads
  ), placed AS MATERIALIZED (
    SELECT cells.*, interval_reads, ami_clock_day(zone.clock, read_at) AS day, zone.clock
    FROM cells JOIN folded USING (tenant_id, read_at, feeder_id) LEFT JOIN ami_tenant_zones zone USING (tenant_id)
  ), days AS (
    INSERT INTO ami_feeder_days AS day (tenant_id, day, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh,
      min_voltage, low_voltage_reads, high_voltage_reads, quarter_hours, max_interval_reads, latest_read_at, changed_at,
      implausible_reads, further_quarter_hours)
    SELECT tenant_id, day, feeder_id, sum(reads), sum(kwh), sum(unmetered_kwh), sum(delivered_kwh),
           min(min_voltage), sum(low_voltage_reads), sum(high_voltage_reads),
           bit_or(ami_day_bits(ami_clock_day_start(clock, day), read_at))::bit(96),
           max(interval_reads), max(read_at), clock_timestamp(), sum(implausible_reads),
           (bit_or(ami_day_bits(ami_clock_day_start(clock, day), read_at)) << 96)::bit(32)
    FROM placed
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (tenant_id, day, feeder_id) DO UPDATE SET
      reads = day.reads + excluded.reads, kwh = day.kwh + excluded.kwh,
      unmetered_kwh = day.unmetered_kwh + excluded.unmetered_kwh,
      delivered_kwh = day.delivered_kwh + excluded.delivered_kwh,
      min_voltage = least(day.min_voltage, excluded.min_voltage),
      low_voltage_reads = day.low_voltage_reads + excluded.low_voltage_reads,
      high_voltage_reads = day.high_voltage_reads + excluded.high_voltage_reads,
      implausible_reads = day.implausible_reads + excluded.implausible_reads,
      quarter_hours = day.quarter_hours | excluded.quarter_hours,
      further_quarter_hours = day.further_quarter_hours | excluded.further_quarter_hours,
      max_interval_reads = greatest(day.max_interval_reads, excluded.max_interval_reads),
      latest_read_at = greatest(day.latest_read_at, excluded.latest_read_at),
      changed_at = greatest(day.changed_at, excluded.changed_at), version = excluded.version
  ), batch AS (
    SELECT tenant_id, feeder_id, min(first_meter_id) AS first_meter_id, sum(reads) AS meters,
           sum(fingerprint) AS fingerprint
    FROM cells GROUP BY tenant_id, feeder_id
  )
  SELECT (SELECT sum(implausible_kwh) FROM cells), (SELECT min(min_voltage) FROM cells),
         (SELECT sum(low_voltage_reads + underregistered_reads) FROM cells),
         (SELECT sum(of_other_lengths) FROM cells), EXISTS (
    SELECT FROM batch LEFT JOIN ami_known_meter_sets known USING (tenant_id, feeder_id, first_meter_id)
    WHERE (known.meters, known.fingerprint) IS DISTINCT FROM (batch.meters, batch.fingerprint)
  ) INTO energy, lowest_voltage, anomalous, other_lengths, has_unknown_set;
  IF NOT ami_is_plausible(energy, lowest_voltage) THEN
    PERFORM ami_refuse_reads();
  END IF;

  IF other_lengths > 0 THEN
    PERFORM ami_apply_length_changes(array_agg((tenant_id, read_at, feeder_id, interval_minutes, reads)::ami_length_change))
    FROM (
      SELECT tenant_id, read_at, feeder_id, interval_minutes, count(*) AS reads FROM new_rows
      WHERE interval_minutes <> 15 GROUP BY 1, 2, 3, 4
    ) counted;
  END IF;

  IF anomalous > 0 THEN
    INSERT INTO ami_meter_anomalies AS anomaly (tenant_id, day, feeder_id, meter_id, underregistered_reads,
      registered_kwh, delivered_kwh, first_underregistered_at, last_underregistered_at, low_voltage_reads, min_voltage)
    SELECT tenant_id, ami_clock_day(zone.clock, read_at), feeder_id, meter_id, count(*) FILTER (WHERE is_underregistered),
           coalesce(sum(kwh) FILTER (WHERE is_underregistered), 0),
           coalesce(sum(delivered_kwh) FILTER (WHERE is_underregistered), 0),
           min(read_at) FILTER (WHERE is_underregistered), max(read_at) FILTER (WHERE is_underregistered),
           count(*) FILTER (WHERE ami_is_low_voltage(voltage)), min(voltage) FILTER (WHERE ami_is_low_voltage(voltage))
    FROM (
      SELECT *, coalesce(ami_is_underregistered(kwh, delivered_kwh), false) AS is_underregistered FROM new_rows
      WHERE ami_is_low_voltage(voltage) OR ami_is_underregistered(kwh, delivered_kwh)
    ) anomalous LEFT JOIN ami_tenant_zones zone USING (tenant_id) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (tenant_id, day, feeder_id, meter_id) DO UPDATE SET
      underregistered_reads = anomaly.underregistered_reads + excluded.underregistered_reads,
      registered_kwh = anomaly.registered_kwh + excluded.registered_kwh,
      delivered_kwh = anomaly.delivered_kwh + excluded.delivered_kwh,
      first_underregistered_at = least(anomaly.first_underregistered_at, excluded.first_underregistered_at),
      last_underregistered_at = greatest(anomaly.last_underregistered_at, excluded.last_underregistered_at),
      low_voltage_reads = anomaly.low_voltage_reads + excluded.low_voltage_reads,
      min_voltage = least(anomaly.min_voltage, excluded.min_voltage);
  END IF;

  -- Above read committed the snapshot may be older than the lock, and show meters as known that were forgotten since.
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

CREATE OR REPLACE FUNCTION ami_fold_deleted_reads() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  changes ami_interval_change[];
  anomalies ami_anomaly_change[];
BEGIN
  IF NOT EXISTS (SELECT FROM old_rows) THEN
    RETURN NULL;
  END IF;
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('gridlens:known-meters', 0));
  PERFORM ami_require_current_zones(array_agg(DISTINCT tenant_id)) FROM old_rows;
  -- ami_recheck_meters finds out later which meters have no read left. Forgetting a meter makes every writer wait, and
  -- a delete that stays open would hold all of them up.
  INSERT INTO ami_meter_rechecks (tenant_id) SELECT DISTINCT tenant_id FROM old_rows;
  IF NOT (SELECT ami_is_plausible(sum(abs(kwh) + abs(coalesce(delivered_kwh, 0))), min(voltage)) FROM old_rows) THEN
    PERFORM ami_rebuild_rollups_of_day(day) FROM (SELECT DISTINCT ami_utc_day(read_at) AS day FROM old_rows) touched;
    RETURN NULL;
  END IF;
  SELECT array_agg(change) INTO changes FROM (
    SELECT (tenant_id, read_at, feeder_id, -count(*), -coalesce(sum(kwh) FILTER (WHERE is_measured), 0),
            -coalesce(sum(kwh) FILTER (WHERE is_measured AND delivered_kwh IS NULL), 0),
            -coalesce(sum(delivered_kwh) FILTER (WHERE is_measured), 0),
            -count(*) FILTER (WHERE ami_is_low_voltage(voltage)),
            -count(*) FILTER (WHERE ami_is_high_voltage(voltage)), min(voltage), NULL,
            -count(*) FILTER (WHERE NOT is_measured), -sum(hashtextextended(meter_id, 0)))::ami_interval_change AS change
    FROM (SELECT *, ami_is_measured(kwh, delivered_kwh) AS is_measured FROM old_rows OFFSET 0) judged
    GROUP BY tenant_id, read_at, feeder_id
  ) grouped;
  PERFORM ami_apply_interval_changes(changes);
  PERFORM ami_apply_length_changes(array_agg((tenant_id, read_at, feeder_id, interval_minutes, reads)::ami_length_change))
  FROM (
    SELECT tenant_id, read_at, feeder_id, interval_minutes, -count(*) AS reads FROM old_rows
    WHERE interval_minutes <> 15 GROUP BY 1, 2, 3, 4
  ) counted HAVING count(*) > 0;

  SELECT array_agg(change) INTO anomalies FROM (
    SELECT (tenant_id, ami_day_of(tenant_id, read_at), feeder_id, meter_id,
            -count(*) FILTER (WHERE is_underregistered), -coalesce(sum(kwh) FILTER (WHERE is_underregistered), 0),
            -coalesce(sum(delivered_kwh) FILTER (WHERE is_underregistered), 0), NULL, NULL,
            -count(*) FILTER (WHERE ami_is_low_voltage(voltage)), NULL, true)::ami_anomaly_change AS change
    FROM (
      SELECT *, coalesce(ami_is_underregistered(kwh, delivered_kwh), false) AS is_underregistered FROM old_rows
      WHERE ami_is_low_voltage(voltage) OR ami_is_underregistered(kwh, delivered_kwh)
    ) anomalous GROUP BY tenant_id, ami_day_of(tenant_id, read_at), feeder_id, meter_id
  ) grouped;
  IF anomalies IS NOT NULL THEN
    PERFORM ami_apply_anomaly_changes(anomalies);
  END IF;
  RETURN NULL;
END $$;

-- It names the table of reads, or a stand-in for it, so it is changed where it stands.
DO $migrate$
DECLARE
  definition text := pg_get_functiondef('ami_fold_updated_reads()'::regprocedure);
  changed text := replace(definition, $old$  PERFORM ami_apply_interval_changes(changes);
$old$, $new$  PERFORM ami_apply_interval_changes(changes);
  PERFORM ami_apply_length_changes(array_agg((tenant_id, read_at, feeder_id, interval_minutes, reads)::ami_length_change))
  FROM (
    SELECT tenant_id, read_at, feeder_id, interval_minutes, sum(sign)::bigint AS reads FROM (
      SELECT 1 AS sign, tenant_id, read_at, feeder_id, interval_minutes FROM new_rows
      UNION ALL SELECT -1, tenant_id, read_at, feeder_id, interval_minutes FROM old_rows
    ) moved WHERE interval_minutes <> 15 GROUP BY 1, 2, 3, 4
  ) counted HAVING count(*) > 0;
$new$);
BEGIN
  IF changed = definition THEN
    RAISE EXCEPTION 'ami_fold_updated_reads is not as the migrations before have left it';
  END IF;
  EXECUTE changed;
END $migrate$;

CREATE OR REPLACE FUNCTION ami_fold_truncated_reads() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  TRUNCATE ami_feeder_intervals, ami_feeder_lengths, ami_feeder_days, ami_meter_anomalies, ami_known_meter_sets, ami_known_meters;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ami_rebuild_rollups_of_days(first_day date, last_day date) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  day_start timestamptz := first_day::timestamp AT TIME ZONE 'UTC';
  day_end timestamptz := (last_day + 1)::timestamp AT TIME ZONE 'UTC';
  zoned text[];
  zone record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0));
  zoned := coalesce((SELECT array_agg(tenant_id) FROM ami_tenant_zones WHERE clock IS NOT NULL), '{}');
  DELETE FROM ami_feeder_intervals WHERE read_at >= day_start AND read_at < day_end;
  DELETE FROM ami_feeder_lengths WHERE read_at >= day_start AND read_at < day_end;
  DELETE FROM ami_feeder_days WHERE day BETWEEN first_day AND last_day AND tenant_id <> ALL (zoned);
  DELETE FROM ami_meter_anomalies WHERE day BETWEEN first_day AND last_day AND tenant_id <> ALL (zoned);

  INSERT INTO ami_feeder_intervals
  SELECT tenant_id, read_at, feeder_id, count(*), coalesce(sum(kwh) FILTER (WHERE is_measured), 0),
         coalesce(sum(kwh) FILTER (WHERE is_measured AND delivered_kwh IS NULL), 0),
         coalesce(sum(delivered_kwh) FILTER (WHERE is_measured), 0), min(voltage),
         count(*) FILTER (WHERE ami_is_low_voltage(voltage)), count(*) FILTER (WHERE ami_is_high_voltage(voltage)),
         count(*) FILTER (WHERE NOT is_measured), sum(hashtextextended(meter_id, 0))
  FROM (
    SELECT *, ami_is_measured(kwh, delivered_kwh) AS is_measured FROM ami_reads_between(day_start, day_end) OFFSET 0
  ) judged GROUP BY 1, 2, 3;

  INSERT INTO ami_feeder_lengths SELECT * FROM ami_read_lengths(day_start, day_end);

  PERFORM ami_refold_days(array_agg(tenant_id), array_agg(day), array_agg(feeder_id))
  FROM (
    SELECT DISTINCT tenant_id, ami_utc_day(read_at) AS day, feeder_id FROM ami_feeder_intervals
    WHERE read_at >= day_start AND read_at < day_end AND tenant_id <> ALL (zoned)
  ) found
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
    WHERE (ami_is_low_voltage(voltage) OR ami_is_underregistered(kwh, delivered_kwh)) AND tenant_id <> ALL (zoned)
  ) anomalous GROUP BY 1, 2, 3, 4;

  -- A day of a zone begins and ends within others of UTC: what of it lies there is counted too.
  FOR zone IN
    SELECT tenant_id, ami_clock_day(clock, day_start) AS first_day,
           ami_clock_day(clock, day_end - interval '1 microsecond') AS last_day, clock
    FROM ami_tenant_zones WHERE clock IS NOT NULL
  LOOP
    PERFORM ami_refold_days(array_agg(zone.tenant_id), array_agg(day), array_agg(feeder_id))
    FROM (
      SELECT day, feeder_id FROM ami_feeder_days
      WHERE tenant_id = zone.tenant_id AND day BETWEEN zone.first_day AND zone.last_day
      UNION
      SELECT ami_clock_day(zone.clock, read_at), feeder_id FROM ami_feeder_intervals
      WHERE tenant_id = zone.tenant_id AND read_at >= day_start AND read_at < day_end
    ) found
    HAVING count(*) > 0;
    PERFORM ami_recount_anomalies(zone.tenant_id, zone.first_day, zone.last_day);
  END LOOP;

  INSERT INTO ami_known_meters (tenant_id, meter_id, feeder_id)
  SELECT tenant_id, meter_id, min(feeder_id) FROM ami_reads_between(day_start, day_end) GROUP BY 1, 2
  ON CONFLICT DO NOTHING;
END $$;

-- Partitions are dropped of our own table alone, and only its rows say how long they are.
DO $migrate$
DECLARE
  definition text;
BEGIN
  SELECT pg_get_functiondef(oid) INTO definition FROM pg_proc
  WHERE pronamespace = quote_ident(current_schema())::regnamespace AND proname = 'ami_write_batch'
    AND position('ami_written_reads' IN prosrc) = 0;
  IF definition IS NULL THEN
    RETURN;
  END IF;
  EXECUTE $drop$
CREATE OR REPLACE FUNCTION ami_drop_read_partitions_before(first_day_kept date) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  expired text[];
  partition_name text;
  zoned text[];
  zone record;
BEGIN
  SELECT array_agg(child.relname::text ORDER BY child.relname) INTO expired
  FROM pg_inherits
  JOIN pg_class child ON child.oid = pg_inherits.inhrelid
  WHERE pg_inherits.inhparent = 'meter_reads_electric'::regclass
    AND child.relname ~ '^meter_reads_electric_p\d{8}$'
    AND to_date(right(child.relname, 8), 'YYYYMMDD') < first_day_kept;
  IF expired IS NULL OR NOT pg_try_advisory_xact_lock(hashtextextended('gridlens:retention', 0)) THEN
    RETURN '{}';
  END IF;
  -- The table first: an insert holds it before it wants the other lock, and the reverse order would deadlock.
  LOCK TABLE meter_reads_electric IN ACCESS EXCLUSIVE MODE;
  PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0));
  FOREACH partition_name IN ARRAY expired LOOP
    -- Another process may have dropped it before this one got the lock.
    EXECUTE format('DROP TABLE IF EXISTS %I', partition_name);
  END LOOP;
  zoned := coalesce((SELECT array_agg(tenant_id) FROM ami_tenant_zones WHERE clock IS NOT NULL), '{}');
  WITH dropped AS (
    DELETE FROM ami_feeder_days WHERE day < first_day_kept AND tenant_id <> ALL (zoned) RETURNING tenant_id
  )
  INSERT INTO ami_meter_rechecks (tenant_id) SELECT DISTINCT tenant_id FROM dropped UNION ALL SELECT unnest(zoned);
  -- By tenant, the first column of both keys: a scan of all history would hold this lock for long.
  DELETE FROM ami_meter_anomalies
  WHERE tenant_id IN (SELECT tenant_id FROM ami_meter_rechecks) AND day < first_day_kept AND tenant_id <> ALL (zoned);
  DELETE FROM ami_feeder_intervals
  WHERE tenant_id IN (SELECT tenant_id FROM ami_meter_rechecks)
    AND read_at < first_day_kept::timestamp AT TIME ZONE 'UTC';
  DELETE FROM ami_feeder_lengths
  WHERE tenant_id IN (SELECT tenant_id FROM ami_meter_rechecks)
    AND read_at < first_day_kept::timestamp AT TIME ZONE 'UTC';
  -- A day of a zone may have begun in what went: it stays with what is left of it.
  FOR zone IN
    SELECT tenant_id, clock, ami_clock_day(clock, first_day_kept::timestamp AT TIME ZONE 'UTC') AS day
    FROM ami_tenant_zones WHERE clock IS NOT NULL
  LOOP
    DELETE FROM ami_feeder_days WHERE tenant_id = zone.tenant_id AND day < zone.day;
    DELETE FROM ami_meter_anomalies WHERE tenant_id = zone.tenant_id AND day < zone.day;
    PERFORM ami_refold_days(array_agg(tenant_id), array_agg(day), array_agg(feeder_id)) FROM ami_feeder_days
    WHERE tenant_id = zone.tenant_id AND day = zone.day HAVING count(*) > 0;
    PERFORM ami_recount_anomalous_meters(zone.tenant_id, zone.day, zone.day, zone.clock);
  END LOOP;
  RETURN expired;
END $$
  $drop$;
  -- Only imported reads say how long they are.
  PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0));
  INSERT INTO ami_feeder_lengths
  SELECT tenant_id, read_at, feeder_id, interval_minutes, count(*) FROM meter_reads_electric
  WHERE interval_minutes <> 15 AND tenant_id IN (SELECT tenant_id FROM ami_imports) GROUP BY 1, 2, 3, 4;
END $migrate$;

SELECT set_config('search_path', current_setting('ami.search_path'), true);

CREATE OR REPLACE FUNCTION ami_feeder_completeness(for_tenant text, for_day date)
RETURNS TABLE (feeder_id text, interval_at timestamptz, expected_meters bigint, silent_meters bigint,
  expected_reads numeric, arrived_reads numeric)
LANGUAGE plpgsql STABLE ROWS 25 SET search_path FROM CURRENT SET jit = off AS $$
#variable_conflict use_column
DECLARE
  day_start timestamptz := ami_day_start(for_tenant, for_day);
  day_end timestamptz := ami_day_start(for_tenant, for_day + 1);
  being_written timestamptz[] := ami_intervals_being_written(for_tenant);
  settled_at timestamptz := ami_latest_settled_interval(for_tenant, day_start, day_end);
  has_lengths boolean := EXISTS (
    SELECT FROM ami_feeder_lengths WHERE tenant_id = for_tenant AND read_at >= day_start AND read_at < day_end);
BEGIN
  RETURN QUERY
  WITH governing AS (
    -- In the same order as src/ledger/publishedIntervals.ts.
    SELECT DISTINCT ON (read_at, fleet_id IS NULL) read_at, meter_count, feeder_count, fleet_id FROM ami_publishes
    WHERE tenant_id = for_tenant AND read_at >= day_start AND read_at < day_end AND origin NOT IN ('revision', 'import', 'late')
      AND read_at <> ALL (being_written)
    ORDER BY read_at DESC, fleet_id IS NULL, meter_count DESC, on_conflict = 'update' DESC,
      CASE WHEN on_conflict = 'update' THEN accepted_at END DESC, accepted_at
  ), fleets AS MATERIALIZED (
    SELECT read_at, max(meter_count) FILTER (WHERE fleet_id IS NULL) AS synthetic_meters,
           max(feeder_count) FILTER (WHERE fleet_id IS NULL) AS synthetic_feeders,
           max(fleet_id) AS fleet_id, max(meter_count) FILTER (WHERE fleet_id IS NOT NULL) AS registry_meters
    FROM governing GROUP BY 1
  ), published AS (
    SELECT feeder_id, sum(intervals * size) AS reads, max(size) FILTER (WHERE is_settled) AS meters
    FROM (
      SELECT synthetic_meters, synthetic_feeders, fleet_id, registry_meters, read_at = settled_at AS is_settled,
             count(*) AS intervals
      FROM fleets GROUP BY 1, 2, 3, 4, 5
    ) alike,
      LATERAL (
        SELECT feeder_id, max(meters) AS size
        FROM (
          SELECT ('FEEDER_' || number) COLLATE "C" AS feeder_id,
                 synthetic_meters / synthetic_feeders
                   + (number <= synthetic_meters % synthetic_feeders)::integer AS meters
          FROM generate_series(1, least(synthetic_feeders, synthetic_meters)) AS number
          WHERE synthetic_meters IS NOT NULL
          UNION ALL
          SELECT feeder.feeder_id, least(feeder.range_to, registry_meters) - feeder.range_from
          FROM ami_fleet_feeders feeder
          WHERE feeder.fleet_id = alike.fleet_id AND feeder.range_from < registry_meters
        ) of_either
        GROUP BY 1
      ) sized
    GROUP BY 1
  ), quarter_hours AS (
    -- Of a day that has other lengths too only those with a read that has none.
    SELECT CASE WHEN has_lengths THEN (
        SELECT bit_or(ami_day_bits(day_start, cell.read_at)) FROM ami_feeder_intervals cell
        WHERE cell.tenant_id = for_tenant AND cell.read_at >= day_start AND cell.read_at < day_end
          AND cell.reads > (SELECT coalesce(sum(other.reads), 0) FROM ami_feeder_lengths other
            WHERE other.tenant_id = for_tenant AND other.read_at = cell.read_at AND other.feeder_id = cell.feeder_id))
      ELSE (
        SELECT (bit_or(quarter_hours) || bit_or(further_quarter_hours))::bit(128)
        FROM ami_feeder_days WHERE tenant_id = for_tenant AND day = for_day)
      END AS bits
  ), unpublished AS (
    SELECT bit_count(coalesce(bits, 0::bit(128))
             & ~coalesce((SELECT bit_or(ami_day_bits(day_start, at)) FROM (
                 SELECT read_at AS at FROM fleets
                 UNION ALL SELECT at FROM unnest(being_written) AS at WHERE at >= day_start AND at < day_end) counted),
               0::bit(128))) AS intervals
    FROM quarter_hours
  ), slots AS (
    SELECT interval_minutes, count(DISTINCT read_at) AS slots FROM ami_feeder_lengths
    WHERE tenant_id = for_tenant AND read_at >= day_start AND read_at < day_end AND read_at <> ALL (being_written)
    GROUP BY 1
  ), known AS (
    SELECT feeder_id, max(expected_meters) FILTER (WHERE phases IS NULL) AS expected_meters,
           sum(expected_meters) FILTER (
             WHERE phases IS NULL OR mod(extract(epoch FROM settled_at), interval_minutes * 60) = ANY (phases)
           ) AS settled_meters,
           sum(expected_meters * slots) FILTER (WHERE phases IS NOT NULL) AS reads_of_lengths
    FROM ami_expected_by_length(for_tenant, for_day) LEFT JOIN slots USING (interval_minutes) GROUP BY 1
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
    SELECT feeder_id, coalesce(CASE WHEN yes THEN published.meters ELSE known.settled_meters END, 0)::bigint AS meters,
           coalesce(published.reads, 0) + coalesce(known.expected_meters * unpublished.intervals, 0)
             + coalesce(known.reads_of_lengths, 0) AS reads
    FROM known
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
