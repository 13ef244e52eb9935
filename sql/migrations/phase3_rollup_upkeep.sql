-- The triggers, and what else concerns the rollups as a whole: counting them anew, retention, meters without reads.

-- Counts one UTC day anew, for rows that came past the triggers (straight into a partition, or with triggers disabled
-- by a bulk load). Inserts wait for it; a day of 25,000 meters takes seconds.
CREATE FUNCTION ami_rebuild_rollups_of_day(rebuilt_day date) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  day_start timestamptz := rebuilt_day::timestamp AT TIME ZONE 'UTC';
  day_end timestamptz := (rebuilt_day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0));
  DELETE FROM ami_feeder_intervals WHERE read_at >= day_start AND read_at < day_end;
  DELETE FROM ami_feeder_days WHERE day = rebuilt_day;
  DELETE FROM ami_meter_anomalies WHERE day = rebuilt_day;

  INSERT INTO ami_feeder_intervals
  SELECT tenant_id, read_at, feeder_id, count(*), sum(kwh),
         coalesce(sum(kwh) FILTER (WHERE delivered_kwh IS NULL), 0), coalesce(sum(delivered_kwh), 0), min(voltage),
         count(*) FILTER (WHERE ami_is_low_voltage(voltage)), count(*) FILTER (WHERE ami_is_high_voltage(voltage))
  FROM meter_reads_electric WHERE read_at >= day_start AND read_at < day_end GROUP BY 1, 2, 3;

  PERFORM ami_refold_days(array_agg(tenant_id), array_agg(rebuilt_day), array_agg(feeder_id))
  FROM (SELECT DISTINCT tenant_id, feeder_id FROM ami_feeder_intervals WHERE read_at >= day_start AND read_at < day_end) found
  HAVING count(*) > 0;

  INSERT INTO ami_meter_anomalies
  SELECT tenant_id, rebuilt_day, feeder_id, meter_id, count(*) FILTER (WHERE is_underregistered),
         coalesce(sum(kwh) FILTER (WHERE is_underregistered), 0),
         coalesce(sum(delivered_kwh) FILTER (WHERE is_underregistered), 0),
         min(read_at) FILTER (WHERE is_underregistered), max(read_at) FILTER (WHERE is_underregistered),
         count(*) FILTER (WHERE ami_is_low_voltage(voltage)), min(voltage) FILTER (WHERE ami_is_low_voltage(voltage))
  FROM (
    SELECT *, coalesce(ami_is_underregistered(kwh, delivered_kwh), false) AS is_underregistered
    FROM meter_reads_electric
    WHERE read_at >= day_start AND read_at < day_end
      AND (ami_is_low_voltage(voltage) OR ami_is_underregistered(kwh, delivered_kwh))
  ) anomalous GROUP BY 1, 2, 3, 4;

  INSERT INTO ami_known_meters (tenant_id, meter_id, feeder_id)
  SELECT tenant_id, meter_id, min(feeder_id) FROM meter_reads_electric
  WHERE read_at >= day_start AND read_at < day_end GROUP BY 1, 2
  ON CONFLICT DO NOTHING;
END $$;

-- Every UTC day that has a partition of ours or something counted, and those of reads in partitions of other names.
CREATE FUNCTION ami_days_with_rollups() RETURNS SETOF date
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
  partition record;
BEGIN
  FOR partition IN
    SELECT child.oid::regclass AS name, substring(child.relname FROM '^meter_reads_electric_p(\d{8})$') AS day
    FROM pg_inherits JOIN pg_class child ON child.oid = pg_inherits.inhrelid
    WHERE pg_inherits.inhparent = 'meter_reads_electric'::regclass
  LOOP
    IF partition.day IS NOT NULL THEN
      RETURN NEXT to_date(partition.day, 'YYYYMMDD');
    ELSE
      RETURN QUERY EXECUTE format('SELECT DISTINCT ami_utc_day(read_at) FROM %s', partition.name);
    END IF;
  END LOOP;
  RETURN QUERY SELECT day FROM ami_feeder_days UNION SELECT day FROM ami_meter_anomalies
    UNION SELECT ami_utc_day(read_at) FROM ami_feeder_intervals;
END $$;

-- CALL it by itself: it commits after each day, so that inserts wait for a day and not for a year.
CREATE PROCEDURE ami_rebuild_rollups()
LANGUAGE plpgsql AS $$
DECLARE
  rebuilt_day date;
BEGIN
  FOR rebuilt_day IN SELECT DISTINCT day FROM ami_days_with_rollups() AS day ORDER BY day DESC LOOP
    PERFORM ami_rebuild_rollups_of_day(rebuilt_day);
    COMMIT;
  END LOOP;
  -- What is left are meters without any read: they are looked at again as after a dropped partition.
  INSERT INTO ami_meter_rechecks (tenant_id) SELECT DISTINCT tenant_id FROM ami_known_meters;
  COMMIT;
  WHILE ami_recheck_meters() IS NOT NULL LOOP
    COMMIT;
  END LOOP;
END $$;

DROP TRIGGER ami_count_new_reads ON meter_reads_electric;
DROP TRIGGER ami_count_deleted_reads ON meter_reads_electric;
DROP TRIGGER ami_count_moved_reads ON meter_reads_electric;
DROP TRIGGER ami_count_truncated_reads ON meter_reads_electric;
CREATE TRIGGER ami_fold_inserted_reads AFTER INSERT ON meter_reads_electric
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ami_fold_inserted_reads();
CREATE TRIGGER ami_fold_deleted_reads AFTER DELETE ON meter_reads_electric
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION ami_fold_deleted_reads();
CREATE TRIGGER ami_fold_updated_reads AFTER UPDATE ON meter_reads_electric
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION ami_fold_updated_reads();
CREATE TRIGGER ami_fold_truncated_reads AFTER TRUNCATE ON meter_reads_electric
  FOR EACH STATEMENT EXECUTE FUNCTION ami_fold_truncated_reads();

-- As before, with the rollups in the place of the counters.
CREATE OR REPLACE FUNCTION ami_drop_read_partitions_before(first_day_kept date) RETURNS text[]
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  expired text[];
  partition_name text;
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
    -- Another process may have dropped it between the look and the lock.
    EXECUTE format('DROP TABLE IF EXISTS %I', partition_name);
  END LOOP;
  WITH dropped AS (DELETE FROM ami_feeder_days WHERE day < first_day_kept RETURNING tenant_id)
  INSERT INTO ami_meter_rechecks (tenant_id) SELECT DISTINCT tenant_id FROM dropped;
  -- By tenant, which leads the keys: a scan of all history would take its time under this lock.
  DELETE FROM ami_meter_anomalies WHERE tenant_id IN (SELECT tenant_id FROM ami_meter_rechecks) AND day < first_day_kept;
  DELETE FROM ami_feeder_intervals
  WHERE tenant_id IN (SELECT tenant_id FROM ami_meter_rechecks)
    AND read_at < first_day_kept::timestamp AT TIME ZONE 'UTC';
  RETURN expired;
END $$;

-- As before, but for the version: a meter that is forgotten changes what is shown of its tenant.
CREATE OR REPLACE FUNCTION ami_forget_meters_without_reads(tenants text[], meters text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  DELETE FROM ami_known_meters known
  USING unnest(tenants, meters) AS candidate (tenant_id, meter_id)
  WHERE known.tenant_id = candidate.tenant_id AND known.meter_id = candidate.meter_id
    AND (SELECT true FROM meter_reads_electric reads
         WHERE reads.tenant_id = known.tenant_id AND reads.meter_id = known.meter_id LIMIT 1) IS NULL;
  IF FOUND THEN
    DELETE FROM ami_known_meter_sets WHERE tenant_id = ANY (tenants);
    UPDATE ami_feeder_days day SET version = DEFAULT
    WHERE (tenant_id, day.day, feeder_id) IN (
      SELECT DISTINCT ON (tenant_id) tenant_id, latest.day, feeder_id FROM ami_feeder_days latest
      WHERE tenant_id = ANY (tenants) ORDER BY tenant_id, latest.day DESC, feeder_id);
  END IF;
END $$;

-- As before, but that it gives up where it would have to wait: while it waited every writer would wait behind it.
-- Answers the tenant, or NULL when none is left or it is to be tried again later.
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
    AND (SELECT true FROM meter_reads_electric reads
         WHERE reads.tenant_id = known.tenant_id AND reads.meter_id = known.meter_id LIMIT 1) IS NULL;
  IF candidates IS NOT NULL THEN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0)) THEN
      INSERT INTO ami_meter_rechecks (tenant_id) VALUES (tenant);
      RETURN NULL;
    END IF;
    PERFORM ami_forget_meters_without_reads(array_fill(tenant, ARRAY[cardinality(candidates)]), candidates);
  END IF;
  RETURN tenant;
END $$;

-- Look-ups by index a meter, whose cost the planner overrates, and short statements by the hundred: compiling them
-- takes a hundred times as long as running them. And whoever may write reads, also a customer's loader that may
-- nothing else, keeps the rollups by it: the triggers act as their owner. pg_temp is named last, since unnamed it
-- would be searched first, and anybody may make tables there.
DO $$
DECLARE
  name regprocedure;
BEGIN
  FOR name IN
    SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND proname IN (
      'ami_fold_inserted_reads', 'ami_fold_updated_reads', 'ami_fold_deleted_reads', 'ami_fold_truncated_reads',
      'ami_apply_interval_changes', 'ami_apply_anomaly_changes', 'ami_find_min_voltage', 'ami_refold_days',
      'ami_rebuild_rollups_of_day', 'ami_forget_meters_without_reads', 'ami_recheck_meters')
  LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
    EXECUTE format('ALTER FUNCTION %s SET jit = off', name);
  END LOOP;
END $$;
ALTER FUNCTION ami_fold_inserted_reads() SECURITY DEFINER;
ALTER FUNCTION ami_fold_updated_reads() SECURITY DEFINER;
ALTER FUNCTION ami_fold_deleted_reads() SECURITY DEFINER;
ALTER FUNCTION ami_fold_truncated_reads() SECURITY DEFINER;

DROP FUNCTION ami_count_new_reads(), ami_count_deleted_reads(), ami_count_moved_reads(), ami_count_truncated_reads(),
  ami_recount_days(text[], date[]), ami_rebuild_read_counters();
DROP TABLE ami_read_counters;

-- What is already there, the known meters too, for their feeders.
DELETE FROM ami_known_meter_sets;
DELETE FROM ami_known_meters;
DO $$
DECLARE
  rebuilt_day date;
BEGIN
  FOR rebuilt_day IN SELECT DISTINCT day FROM ami_days_with_rollups() AS day ORDER BY day DESC LOOP
    PERFORM ami_rebuild_rollups_of_day(rebuilt_day);
  END LOOP;
END $$;
