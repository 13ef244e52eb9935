-- How DELETE, UPDATE and TRUNCATE of reads change the rollups. The functions of rollup_changes.sql do the work.

-- The functions below act as their owner: whoever may write reads, even a customer's loader that may nothing else,
-- keeps the rollups by them. So they keep this search path: the own schema, and pg_temp last. Unnamed, pg_temp would be
-- searched first, and anybody may make objects there. Nobody else may execute them: on a table of one's own, as
-- triggers, they could be made to forge the KPIs. JIT is off: compiling these short statements takes a hundred times as
-- long as running them.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE FUNCTION ami_fold_deleted_reads() RETURNS trigger
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
            -count(*) FILTER (WHERE NOT is_measured), -sum(hashtextextended(meter_id, 0)),
            -sum(fed_in_kwh), -count(fed_in_kwh))::ami_interval_change AS change
    FROM (SELECT *, ami_is_measured(kwh, delivered_kwh) AS is_measured,
                 ami_fed_in(kwh, delivered_kwh, received_kwh) AS fed_in_kwh FROM old_rows OFFSET 0) judged
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
COMMENT ON FUNCTION ami_fold_deleted_reads() IS 'Trigger: takes the rows of a DELETE out of the rollups.';

CREATE FUNCTION ami_fold_updated_reads() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $$
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
  PERFORM ami_require_current_zones(array_agg(DISTINCT tenant_id)) FROM new_rows;
  IF moves_meters THEN
    -- Postgres 15 to 18 hands triggers a wrong NEW row for a MERGE that both inserts and updates. Such a row seems to
    -- have moved, and yet it is where it was.
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
    SELECT (tenant_id, read_at, feeder_id, sum(sign), coalesce(sum(sign * kwh) FILTER (WHERE is_measured), 0),
            coalesce(sum(sign * kwh) FILTER (WHERE is_measured AND delivered_kwh IS NULL), 0),
            coalesce(sum(sign * delivered_kwh) FILTER (WHERE is_measured), 0),
            coalesce(sum(sign) FILTER (WHERE ami_is_low_voltage(voltage)), 0),
            coalesce(sum(sign) FILTER (WHERE ami_is_high_voltage(voltage)), 0),
            min(voltage) FILTER (WHERE sign < 0), min(voltage) FILTER (WHERE sign > 0),
            coalesce(sum(sign) FILTER (WHERE NOT is_measured), 0), sum(sign * meter_hash),
            sum(sign * fed_in_kwh), coalesce(sum(sign) FILTER (WHERE fed_in_kwh IS NOT NULL), 0))::ami_interval_change AS change
    FROM (
      SELECT 1 AS sign, tenant_id, read_at, feeder_id, kwh, delivered_kwh, voltage,
             hashtextextended(meter_id, 0)::numeric AS meter_hash,
             ami_is_measured(kwh, delivered_kwh) AS is_measured,
             ami_fed_in(kwh, delivered_kwh, received_kwh) AS fed_in_kwh FROM new_rows
      UNION ALL
      SELECT -1, tenant_id, read_at, feeder_id, kwh, delivered_kwh, voltage, hashtextextended(meter_id, 0),
             ami_is_measured(kwh, delivered_kwh), ami_fed_in(kwh, delivered_kwh, received_kwh) FROM old_rows
    ) moved GROUP BY tenant_id, read_at, feeder_id
  ) grouped;
  PERFORM ami_apply_interval_changes(changes);
  PERFORM ami_apply_length_changes(array_agg((tenant_id, read_at, feeder_id, interval_minutes, reads)::ami_length_change))
  FROM (
    SELECT tenant_id, read_at, feeder_id, interval_minutes, sum(sign)::bigint AS reads FROM (
      SELECT 1 AS sign, tenant_id, read_at, feeder_id, interval_minutes FROM new_rows
      UNION ALL SELECT -1, tenant_id, read_at, feeder_id, interval_minutes FROM old_rows
    ) moved WHERE interval_minutes <> 15 GROUP BY 1, 2, 3, 4
  ) counted HAVING count(*) > 0;

  SELECT array_agg(change) INTO anomalies FROM (
    SELECT (tenant_id, ami_day_of(tenant_id, read_at), feeder_id, meter_id,
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
    ) moved GROUP BY tenant_id, ami_day_of(tenant_id, read_at), feeder_id, meter_id
  ) grouped;
  IF anomalies IS NOT NULL THEN
    PERFORM ami_apply_anomaly_changes(anomalies);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION ami_fold_updated_reads() IS
  'Trigger: puts the new rows of an UPDATE in the place of the old ones in the rollups. A revision changes only '
  'measured values; only an update of the key or the feeder moves meters.';

CREATE FUNCTION ami_fold_truncated_reads() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  TRUNCATE ami_feeder_intervals, ami_feeder_lengths, ami_feeder_days, ami_meter_anomalies, ami_known_meter_sets, ami_known_meters;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION ami_fold_truncated_reads() IS
  'Trigger: empties the rollups with the reads. By TRUNCATE, since a DELETE in a transaction with an old snapshot '
  'would leave the rows that it does not see.';

REVOKE EXECUTE ON FUNCTION ami_fold_updated_reads(), ami_fold_deleted_reads(), ami_fold_truncated_reads() FROM PUBLIC;
