-- How updates, deletes and TRUNCATE of meter_reads_electric change its rollups. Everything that can be had by difference
-- is; docs/decisions/0003-kpis-from-rollups.md says why nothing is counted anew here.

-- What an update or delete does to one interval of a feeder: the differences, and the lowest voltage among the rows
-- that went and among those that came. Texts are COLLATE "C": rows are locked in the order in which inserts lock them.
CREATE TYPE ami_interval_change AS (
  tenant_id text COLLATE "C", read_at timestamptz, feeder_id text COLLATE "C", reads bigint, kwh numeric,
  unmetered_kwh numeric, delivered_kwh numeric, low_voltage_reads bigint, high_voltage_reads bigint,
  min_voltage_gone numeric, min_voltage_come numeric);
-- The same for the anomalous reads of a meter and day; `gone` says whether any of them went.
CREATE TYPE ami_anomaly_change AS (
  tenant_id text COLLATE "C", day date, feeder_id text COLLATE "C", meter_id text COLLATE "C",
  underregistered_reads bigint, registered_kwh numeric, delivered_kwh numeric, first_come timestamptz,
  last_come timestamptz, low_voltage_reads bigint, min_voltage_come numeric, gone boolean);

-- A NaN or an infinity could never be taken out of a sum again, and what is beyond a double breaks who reads it.
CREATE FUNCTION ami_is_plausible(energy numeric, voltage numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(energy > -1e12 AND energy < 1e12, true) AND coalesce(voltage > -1e12, true)
$$;
CREATE FUNCTION ami_refuse_reads() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'kwh, delivered_kwh and voltage of meter_reads_electric must be finite numbers, in kWh and V'
    USING ERRCODE = 'check_violation';
END $$;

-- Finds the lowest voltage of intervals anew. Only this, not the sums, is had from the reads themselves: a statement
-- that also inserts has its rows there already and adds them in a trigger to come. A few intervals of a day are
-- looked up by an index probe per known meter (0.1 s each with 25,000), many by one scan of the tenant's day (1 s).
-- The caller has locked the intervals' rows.
CREATE FUNCTION ami_find_min_voltage(tenants text[], instants timestamptz[], feeders text[]) RETURNS void
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
        SELECT read_at, feeder_id, voltage FROM meter_reads_electric
        WHERE of.are_many AND tenant_id = of.tenant_id
          AND read_at >= of.day::timestamp AT TIME ZONE 'UTC' AND read_at < (of.day + 1)::timestamp AT TIME ZONE 'UTC'
        UNION ALL
        SELECT measured.* FROM (SELECT DISTINCT read_at FROM unnest(of.instants) AS wanted (read_at)) wanted,
          ami_known_meters known,
          LATERAL (
            SELECT reads.read_at, reads.feeder_id, reads.voltage FROM meter_reads_electric reads
            WHERE reads.tenant_id = known.tenant_id AND reads.meter_id = known.meter_id AND reads.read_at = wanted.read_at
            OFFSET 0
          ) measured
        WHERE NOT of.are_many AND known.tenant_id = of.tenant_id
      ) reads USING (read_at, feeder_id)
      GROUP BY 1, 2
    ) found
    WHERE cell.tenant_id = of.tenant_id AND cell.read_at = found.read_at AND cell.feeder_id = found.feeder_id;
  END LOOP;
END $$;

-- Derives days anew from their intervals. The day's row is made and locked first, in a statement of its own: an
-- insert under way either has committed its interval when the next statement looks, or adds to the row after.
CREATE FUNCTION ami_refold_days(tenants text[], days date[], feeders text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO ami_feeder_days AS day (tenant_id, day, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh,
    low_voltage_reads, high_voltage_reads, quarter_hours, max_interval_reads, changed_at)
  SELECT DISTINCT tenant_id COLLATE "C", touched.day, feeder_id COLLATE "C", 0, 0, 0, 0, 0, 0, 0::bit(96), 0,
         clock_timestamp()
  FROM unnest(tenants, days, feeders) AS touched (tenant_id, day, feeder_id) ORDER BY 1, 2, 3
  ON CONFLICT (tenant_id, day, feeder_id) DO UPDATE SET
    changed_at = greatest(day.changed_at, excluded.changed_at), version = excluded.version;

  UPDATE ami_feeder_days day SET
    reads = folded.reads, kwh = folded.kwh, unmetered_kwh = folded.unmetered_kwh,
    delivered_kwh = folded.delivered_kwh, min_voltage = folded.min_voltage,
    low_voltage_reads = folded.low_voltage_reads, high_voltage_reads = folded.high_voltage_reads,
    quarter_hours = folded.quarter_hours, max_interval_reads = folded.max_interval_reads,
    latest_read_at = folded.latest_read_at
  FROM (SELECT DISTINCT * FROM unnest(tenants, days, feeders)) AS touched (tenant_id, day, feeder_id),
    LATERAL (
      SELECT coalesce(sum(reads), 0) AS reads, coalesce(sum(kwh), 0) AS kwh,
             coalesce(sum(unmetered_kwh), 0) AS unmetered_kwh, coalesce(sum(delivered_kwh), 0) AS delivered_kwh,
             min(min_voltage) AS min_voltage, coalesce(sum(low_voltage_reads), 0) AS low_voltage_reads,
             coalesce(sum(high_voltage_reads), 0) AS high_voltage_reads,
             coalesce(bit_or(ami_quarter_hour_bit(read_at)), 0::bit(96)) AS quarter_hours,
             coalesce(max(reads), 0) AS max_interval_reads, max(read_at) AS latest_read_at
      FROM ami_feeder_intervals cell
      WHERE cell.tenant_id = touched.tenant_id AND cell.feeder_id = touched.feeder_id
        AND cell.read_at >= touched.day::timestamp AT TIME ZONE 'UTC'
        AND cell.read_at < (touched.day + 1)::timestamp AT TIME ZONE 'UTC'
    ) folded
  WHERE day.tenant_id = touched.tenant_id AND day.day = touched.day AND day.feeder_id = touched.feeder_id;

  DELETE FROM ami_feeder_days day
  USING unnest(tenants, days, feeders) AS touched (tenant_id, day, feeder_id)
  WHERE day.tenant_id = touched.tenant_id AND day.day = touched.day AND day.feeder_id = touched.feeder_id
    AND day.reads = 0;
END $$;

-- Applies changes to the intervals, and then to their days. Sums change by their difference; only where the lowest
-- voltage of an interval went is it looked for again.
CREATE FUNCTION ami_apply_interval_changes(changes ami_interval_change[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  tenants text[];
  instants timestamptz[];
  feeders text[];
BEGIN
  WITH folded AS (
    INSERT INTO ami_feeder_intervals AS cell (tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh,
      min_voltage, low_voltage_reads, high_voltage_reads)
    SELECT tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage_come,
           low_voltage_reads, high_voltage_reads
    FROM unnest(changes) ORDER BY 1, 2, 3
    ON CONFLICT (tenant_id, read_at, feeder_id) DO UPDATE SET
      reads = cell.reads + excluded.reads, kwh = cell.kwh + excluded.kwh,
      unmetered_kwh = cell.unmetered_kwh + excluded.unmetered_kwh,
      delivered_kwh = cell.delivered_kwh + excluded.delivered_kwh,
      min_voltage = least(cell.min_voltage, excluded.min_voltage),
      low_voltage_reads = cell.low_voltage_reads + excluded.low_voltage_reads,
      high_voltage_reads = cell.high_voltage_reads + excluded.high_voltage_reads
    RETURNING tenant_id, read_at, feeder_id, reads, min_voltage
  )
  SELECT array_agg(folded.tenant_id), array_agg(folded.read_at), array_agg(folded.feeder_id)
  INTO tenants, instants, feeders
  FROM folded JOIN unnest(changes) change USING (tenant_id, read_at, feeder_id)
  WHERE folded.reads > 0 AND change.min_voltage_gone <= folded.min_voltage
    AND change.min_voltage_come IS DISTINCT FROM folded.min_voltage;
  IF tenants IS NOT NULL THEN
    PERFORM ami_find_min_voltage(tenants, instants, feeders);
  END IF;

  DELETE FROM ami_feeder_intervals cell USING unnest(changes) change
  WHERE cell.tenant_id = change.tenant_id AND cell.read_at = change.read_at AND cell.feeder_id = change.feeder_id
    AND cell.reads = 0;

  PERFORM ami_refold_days(array_agg(tenant_id), array_agg(day), array_agg(feeder_id))
  FROM (SELECT DISTINCT tenant_id, ami_utc_day(read_at) AS day, feeder_id FROM unnest(changes)) touched;
END $$;

-- Applies changes to the anomalies; first, last and lowest are looked for again only where something went.
CREATE FUNCTION ami_apply_anomaly_changes(changes ami_anomaly_change[]) RETURNS void
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
      FROM meter_reads_electric reads
      WHERE reads.tenant_id = change.tenant_id AND reads.meter_id = change.meter_id
        AND reads.feeder_id = change.feeder_id
        AND reads.read_at >= change.day::timestamp AT TIME ZONE 'UTC'
        AND reads.read_at < (change.day + 1)::timestamp AT TIME ZONE 'UTC'
    ) found
  WHERE change.gone AND anomaly.tenant_id = change.tenant_id AND anomaly.day = change.day
    AND anomaly.feeder_id = change.feeder_id AND anomaly.meter_id = change.meter_id;

  DELETE FROM ami_meter_anomalies anomaly USING unnest(changes) change
  WHERE anomaly.tenant_id = change.tenant_id AND anomaly.day = change.day
    AND anomaly.feeder_id = change.feeder_id AND anomaly.meter_id = change.meter_id
    AND anomaly.underregistered_reads = 0 AND anomaly.low_voltage_reads = 0;
END $$;

CREATE FUNCTION ami_fold_deleted_reads() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  changes ami_interval_change[];
  anomalies ami_anomaly_change[];
BEGIN
  IF NOT EXISTS (SELECT FROM old_rows) THEN
    RETURN NULL;
  END IF;
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('gridlens:known-meters', 0));
  -- Which meters have no read left is found out later, by ami_recheck_meters: forgetting one needs every writer to
  -- wait, and a delete that stays open would hold them all up.
  INSERT INTO ami_meter_rechecks (tenant_id) SELECT DISTINCT tenant_id FROM old_rows;
  IF NOT (SELECT ami_is_plausible(sum(abs(kwh) + abs(coalesce(delivered_kwh, 0))), min(voltage)) FROM old_rows) THEN
    PERFORM ami_rebuild_rollups_of_day(day) FROM (SELECT DISTINCT ami_utc_day(read_at) AS day FROM old_rows) touched;
    RETURN NULL;
  END IF;
  SELECT array_agg(change) INTO changes FROM (
    SELECT (tenant_id, read_at, feeder_id, -count(*), -sum(kwh),
            -coalesce(sum(kwh) FILTER (WHERE delivered_kwh IS NULL), 0), -coalesce(sum(delivered_kwh), 0),
            -count(*) FILTER (WHERE ami_is_low_voltage(voltage)),
            -count(*) FILTER (WHERE ami_is_high_voltage(voltage)), min(voltage), NULL)::ami_interval_change AS change
    FROM old_rows GROUP BY tenant_id, read_at, feeder_id
  ) grouped;
  PERFORM ami_apply_interval_changes(changes);

  SELECT array_agg(change) INTO anomalies FROM (
    SELECT (tenant_id, ami_utc_day(read_at), feeder_id, meter_id,
            -count(*) FILTER (WHERE is_underregistered), -coalesce(sum(kwh) FILTER (WHERE is_underregistered), 0),
            -coalesce(sum(delivered_kwh) FILTER (WHERE is_underregistered), 0), NULL, NULL,
            -count(*) FILTER (WHERE ami_is_low_voltage(voltage)), NULL, true)::ami_anomaly_change AS change
    FROM (
      SELECT *, coalesce(ami_is_underregistered(kwh, delivered_kwh), false) AS is_underregistered FROM old_rows
      WHERE ami_is_low_voltage(voltage) OR ami_is_underregistered(kwh, delivered_kwh)
    ) anomalous GROUP BY tenant_id, ami_utc_day(read_at), feeder_id, meter_id
  ) grouped;
  IF anomalies IS NOT NULL THEN
    PERFORM ami_apply_anomaly_changes(anomalies);
  END IF;
  RETURN NULL;
END $$;

-- A revision changes measured values alone; only an update of the key or the feeder moves meters.
CREATE FUNCTION ami_fold_updated_reads() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  moves_meters boolean;
  changes ami_interval_change[];
  anomalies ami_anomaly_change[];
BEGIN
  IF NOT EXISTS (SELECT FROM new_rows) THEN
    RETURN NULL;
  END IF;
  moves_meters := EXISTS (
    SELECT tenant_id, meter_id, feeder_id, read_at FROM new_rows
    EXCEPT ALL
    SELECT tenant_id, meter_id, feeder_id, read_at FROM old_rows);
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('gridlens:known-meters', 0));
  IF moves_meters THEN
    -- Postgres itself (15 to 18) hands triggers a wrong NEW row for a MERGE that inserts and updates: the row "moved",
    -- and yet it is where it was.
    IF EXISTS (
      SELECT FROM old_rows JOIN meter_reads_electric USING (tenant_id, meter_id, read_at)
      WHERE NOT EXISTS (
        SELECT FROM new_rows
        WHERE new_rows.tenant_id = old_rows.tenant_id AND new_rows.meter_id = old_rows.meter_id
          AND new_rows.read_at = old_rows.read_at)
    ) THEN
      RAISE EXCEPTION 'A MERGE into meter_reads_electric cannot both insert and update: use INSERT ... ON CONFLICT'
        USING ERRCODE = 'feature_not_supported';
    END IF;
    INSERT INTO ami_known_meters (tenant_id, meter_id, feeder_id)
    SELECT tenant_id, meter_id, min(feeder_id) FROM new_rows GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT DO NOTHING;
    INSERT INTO ami_meter_rechecks (tenant_id) SELECT DISTINCT tenant_id FROM old_rows;
  END IF;
  IF NOT (SELECT ami_is_plausible(sum(abs(kwh) + abs(coalesce(delivered_kwh, 0))), min(voltage)) FROM new_rows) THEN
    PERFORM ami_refuse_reads();
  END IF;
  IF NOT (SELECT ami_is_plausible(sum(abs(kwh) + abs(coalesce(delivered_kwh, 0))), min(voltage)) FROM old_rows) THEN
    PERFORM ami_rebuild_rollups_of_day(day) FROM (
      SELECT ami_utc_day(read_at) AS day FROM old_rows UNION SELECT ami_utc_day(read_at) FROM new_rows
    ) touched;
    RETURN NULL;
  END IF;

  SELECT array_agg(change) INTO changes FROM (
    SELECT (tenant_id, read_at, feeder_id, sum(sign), sum(sign * kwh),
            coalesce(sum(sign * kwh) FILTER (WHERE delivered_kwh IS NULL), 0), coalesce(sum(sign * delivered_kwh), 0),
            coalesce(sum(sign) FILTER (WHERE ami_is_low_voltage(voltage)), 0),
            coalesce(sum(sign) FILTER (WHERE ami_is_high_voltage(voltage)), 0),
            min(voltage) FILTER (WHERE sign < 0), min(voltage) FILTER (WHERE sign > 0))::ami_interval_change AS change
    FROM (
      SELECT 1 AS sign, tenant_id, read_at, feeder_id, kwh, delivered_kwh, voltage FROM new_rows
      UNION ALL
      SELECT -1, tenant_id, read_at, feeder_id, kwh, delivered_kwh, voltage FROM old_rows
    ) moved GROUP BY tenant_id, read_at, feeder_id
  ) grouped;
  PERFORM ami_apply_interval_changes(changes);

  SELECT array_agg(change) INTO anomalies FROM (
    SELECT (tenant_id, ami_utc_day(read_at), feeder_id, meter_id,
            coalesce(sum(sign) FILTER (WHERE is_underregistered), 0),
            coalesce(sum(sign * kwh) FILTER (WHERE is_underregistered), 0),
            coalesce(sum(sign * delivered_kwh) FILTER (WHERE is_underregistered), 0),
            min(read_at) FILTER (WHERE is_underregistered AND sign > 0),
            max(read_at) FILTER (WHERE is_underregistered AND sign > 0),
            coalesce(sum(sign) FILTER (WHERE ami_is_low_voltage(voltage)), 0),
            min(voltage) FILTER (WHERE ami_is_low_voltage(voltage) AND sign > 0),
            bool_or(sign < 0))::ami_anomaly_change AS change
    FROM (
      SELECT 1 AS sign, tenant_id, read_at, feeder_id, meter_id, kwh, delivered_kwh, voltage,
             coalesce(ami_is_underregistered(kwh, delivered_kwh), false) AS is_underregistered FROM new_rows
      WHERE ami_is_low_voltage(voltage) OR ami_is_underregistered(kwh, delivered_kwh)
      UNION ALL
      SELECT -1, tenant_id, read_at, feeder_id, meter_id, kwh, delivered_kwh, voltage,
             coalesce(ami_is_underregistered(kwh, delivered_kwh), false) FROM old_rows
      WHERE ami_is_low_voltage(voltage) OR ami_is_underregistered(kwh, delivered_kwh)
    ) moved GROUP BY tenant_id, ami_utc_day(read_at), feeder_id, meter_id
  ) grouped;
  IF anomalies IS NOT NULL THEN
    PERFORM ami_apply_anomaly_changes(anomalies);
  END IF;
  RETURN NULL;
END $$;

-- TRUNCATE, since a DELETE in a transaction with an old snapshot would leave what it does not see.
CREATE FUNCTION ami_fold_truncated_reads() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  TRUNCATE ami_feeder_intervals, ami_feeder_days, ami_meter_anomalies, ami_known_meter_sets, ami_known_meters;
  RETURN NULL;
END $$;
