-- The partitions of GridLens's own table of reads, one per UTC day: making them and dropping them.

-- Reads pg_class itself: to_regclass would answer from a cache that waiting for an advisory lock does not refresh, and
-- two processes that started at once did make the same partition.
CREATE FUNCTION ami_has_read_partition(partition_name text) RETURNS boolean
LANGUAGE sql VOLATILE SET search_path FROM CURRENT AS $$
  SELECT EXISTS (
    SELECT FROM pg_class parent
    JOIN pg_class partition ON partition.relnamespace = parent.relnamespace AND partition.relname = partition_name
    WHERE parent.oid = 'meter_reads_electric'::regclass);
$$;
COMMENT ON FUNCTION ami_has_read_partition(text) IS
  'Whether there is a partition of this name beside meter_reads_electric.';

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
COMMENT ON FUNCTION ami_days_with_rollups() IS
  'Every UTC day that has a partition of GridLens''s or something counted, and the days of the reads in partitions '
  'of other names. A day may come more than once.';

-- These two act as their owner. So they keep this search path: the own schema, and pg_temp last. Unnamed, pg_temp would
-- be searched first, and anybody may make objects there.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

-- CREATE and ATTACH rather than PARTITION OF, which would lock the parent against every insert and query.
CREATE FUNCTION ami_ensure_read_partition(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  partition_name text := 'meter_reads_electric_p' || to_char(day, 'YYYYMMDD');
BEGIN
  IF ami_has_read_partition(partition_name) THEN
    RETURN false;
  END IF;
  -- Two processes may want the same day at once; the second then finds it made.
  PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:partitions', 0));
  IF ami_has_read_partition(partition_name) THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE meter_reads_electric INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition_name);
  EXECUTE format(
    'ALTER TABLE meter_reads_electric ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
    partition_name, day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
  RETURN true;
END $$;
COMMENT ON FUNCTION ami_ensure_read_partition(date) IS
  'Makes the partition of one UTC day when it is missing; answers whether it made it. Acts as the owner of the '
  'reads, so that the processes'' role need not be it.';

CREATE FUNCTION ami_drop_read_partitions_before(first_day_kept date) RETURNS text[]
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
  DELETE FROM ami_feeder_estimates
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
END $$;
COMMENT ON FUNCTION ami_drop_read_partitions_before(date) IS
  'Drops the partitions of the days before the given one, with what was counted of them; answers their names. The '
  'table is locked against inserts only for the drop itself; ami_recheck_meters finds out afterwards which meters '
  'are left. Set lock_timeout: behind a long report it must give up rather than make every insert wait behind it. '
  'One process does it at a time; another finds nothing to do. Acts as the owner of the reads.';

CREATE FUNCTION ami_drop_archived_partition(archived_day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  -- The table first: an insert holds it before it wants the other lock, and the reverse order would deadlock.
  LOCK TABLE meter_reads_electric IN ACCESS EXCLUSIVE MODE;
  PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0));
  EXECUTE format('DROP TABLE %I', 'meter_reads_electric_p' || to_char(archived_day, 'YYYYMMDD'));
  INSERT INTO ami_meter_rechecks (tenant_id)
  SELECT DISTINCT tenant_id FROM ami_feeder_intervals
  WHERE read_at >= archived_day::timestamp AT TIME ZONE 'UTC'
    AND read_at < (archived_day + 1)::timestamp AT TIME ZONE 'UTC';
END $$;
COMMENT ON FUNCTION ami_drop_archived_partition(date) IS
  'Drops the partition of a day that was archived. What was counted of the day stays, unlike after '
  'ami_drop_read_partitions_before. Set lock_timeout, as for that one. Acts as the owner of the reads.';

-- Whoever might call it could throw days of reads away.
REVOKE EXECUTE ON FUNCTION ami_ensure_read_partition(date), ami_drop_read_partitions_before(date),
  ami_drop_archived_partition(date) FROM PUBLIC;
