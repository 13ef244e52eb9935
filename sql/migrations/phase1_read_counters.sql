-- What scale status needs to know without scanning history: reads and latest read per tenant, UTC day and
-- feeder, and which meters have any read. Derived from meter_reads_electric alone, by statement triggers, so
-- that rows from psql count like any other and rows skipped by ON CONFLICT DO NOTHING do not.

-- One row per feeder, not per tenant: concurrent batches are of different feeders, and would otherwise queue
-- for one row's lock from trigger to commit. fillfactor leaves room for in-page (HOT) updates.
CREATE TABLE ami_read_counters (
  tenant_id      text COLLATE "C" NOT NULL,
  day            date             NOT NULL,
  feeder_id      text COLLATE "C" NOT NULL,
  reads          bigint           NOT NULL,
  latest_read_at timestamptz      NOT NULL,
  changed_at     timestamptz      NOT NULL,
  PRIMARY KEY (tenant_id, day, feeder_id),
  CONSTRAINT ami_read_counters_not_empty CHECK (reads > 0)
) WITH (fillfactor = 50);

CREATE TABLE ami_known_meters (
  tenant_id text COLLATE "C" NOT NULL,
  meter_id  text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, meter_id)
);

-- Looking up 500 meters a batch in ami_known_meters cost 15-20 % of the insert rate. Batches repeat the same
-- meters every interval, so the set itself is remembered: a batch whose fingerprint is here is all known.
-- The fingerprint is a sum, not an xor, so that a meter that comes twice does not cancel out.
CREATE TABLE ami_known_meter_sets (
  tenant_id      text COLLATE "C" NOT NULL,
  feeder_id      text COLLATE "C" NOT NULL,
  first_meter_id text COLLATE "C" NOT NULL,
  meters         bigint           NOT NULL,
  fingerprint    numeric          NOT NULL,
  PRIMARY KEY (tenant_id, feeder_id, first_meter_id)
) WITH (fillfactor = 50);

-- Adds the new_rows of the calling trigger. The rows are read once and grouped (a second pass over 500 rows
-- cost as much as all the rest); counters are locked in key order, so that batches cannot deadlock.
CREATE FUNCTION ami_count_new_reads() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  has_unknown_set boolean;
BEGIN
  -- Shared: inserts do not wait for each other, only for a delete that is forgetting meters.
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('gridlens:known-meters', 0));

  WITH cells AS MATERIALIZED (
    SELECT tenant_id, feeder_id, read_at, count(*) AS reads, min(meter_id) AS first_meter_id,
           sum(hashtextextended(meter_id, 0)) AS fingerprint
    FROM new_rows GROUP BY tenant_id, feeder_id, read_at
  ), counted AS (
    INSERT INTO ami_read_counters AS counter (tenant_id, day, feeder_id, reads, latest_read_at, changed_at)
    SELECT tenant_id, (read_at AT TIME ZONE 'UTC')::date, feeder_id, sum(reads), max(read_at), clock_timestamp()
    FROM cells GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (tenant_id, day, feeder_id) DO UPDATE SET
      reads = counter.reads + excluded.reads,
      latest_read_at = greatest(counter.latest_read_at, excluded.latest_read_at),
      changed_at = greatest(counter.changed_at, excluded.changed_at)
  ), batch AS (
    SELECT tenant_id, feeder_id, min(first_meter_id) AS first_meter_id, sum(reads) AS meters,
           sum(fingerprint) AS fingerprint
    FROM cells GROUP BY tenant_id, feeder_id
  )
  SELECT EXISTS (
    SELECT FROM batch LEFT JOIN ami_known_meter_sets known USING (tenant_id, feeder_id, first_meter_id)
    WHERE (known.meters, known.fingerprint) IS DISTINCT FROM (batch.meters, batch.fingerprint)
  ) INTO has_unknown_set;
  IF NOT has_unknown_set THEN
    RETURN NULL;
  END IF;

  INSERT INTO ami_known_meters (tenant_id, meter_id)
  SELECT DISTINCT tenant_id, meter_id FROM new_rows ORDER BY 1, 2
  ON CONFLICT DO NOTHING;

  INSERT INTO ami_known_meter_sets AS known (tenant_id, feeder_id, first_meter_id, meters, fingerprint)
  SELECT tenant_id, feeder_id, min(meter_id), count(*), sum(hashtextextended(meter_id, 0))
  FROM new_rows GROUP BY 1, 2 ORDER BY 1, 2
  ON CONFLICT (tenant_id, feeder_id, first_meter_id) DO UPDATE SET
    meters = excluded.meters, fingerprint = excluded.fingerprint
  WHERE (known.meters, known.fingerprint) <> (excluded.meters, excluded.fingerprint);
  RETURN NULL;
END $$;

-- Counts the given tenants' days anew from the reads: the latest read of a day cannot be had by subtraction.
-- The caller holds the exclusive lock of the known meters, so no insert is half counted meanwhile.
CREATE FUNCTION ami_recount_days(tenants text[], days date[]) RETURNS void
LANGUAGE sql SET search_path FROM CURRENT AS $$
  DELETE FROM ami_read_counters counter
  USING unnest(tenants, days) AS touched (tenant_id, day)
  WHERE counter.tenant_id = touched.tenant_id AND counter.day = touched.day;

  INSERT INTO ami_read_counters (tenant_id, day, feeder_id, reads, latest_read_at, changed_at)
  SELECT reads.tenant_id, touched.day, reads.feeder_id, count(*), max(reads.read_at), clock_timestamp()
  FROM (SELECT DISTINCT * FROM unnest(tenants, days)) AS touched (tenant_id, day)
  JOIN meter_reads_electric reads
    ON reads.tenant_id = touched.tenant_id
   AND reads.read_at >= touched.day::timestamp AT TIME ZONE 'UTC'
   AND reads.read_at < (touched.day + 1)::timestamp AT TIME ZONE 'UTC'
  GROUP BY 1, 2, 3;
$$;

-- Forgets those of the given meters that have no read left. Each is looked up by itself, an index probe a
-- partition: as a join this became a scan of the whole history under the exclusive lock.
-- The caller holds that lock.
CREATE FUNCTION ami_forget_meters_without_reads(tenants text[], meters text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  DELETE FROM ami_known_meters known
  USING unnest(tenants, meters) AS candidate (tenant_id, meter_id)
  WHERE known.tenant_id = candidate.tenant_id AND known.meter_id = candidate.meter_id
    AND (SELECT true FROM meter_reads_electric reads
         WHERE reads.tenant_id = known.tenant_id AND reads.meter_id = known.meter_id LIMIT 1) IS NULL;
  IF FOUND THEN
    DELETE FROM ami_known_meter_sets WHERE tenant_id = ANY (tenants);
  END IF;
END $$;

CREATE FUNCTION ami_count_deleted_reads() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  tenants text[];
  days date[];
BEGIN
  SELECT array_agg(tenant_id), array_agg(day) INTO tenants, days
  FROM (SELECT DISTINCT tenant_id, (read_at AT TIME ZONE 'UTC')::date AS day FROM old_rows) touched;
  IF tenants IS NULL THEN
    RETURN NULL;
  END IF;
  -- Exclusive, and before anything else is locked: an insert that found a meter known, or that is between
  -- its rows and its counters, must not overlap with this.
  PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0));
  PERFORM ami_recount_days(tenants, days);
  PERFORM ami_forget_meters_without_reads(array_agg(tenant_id), array_agg(meter_id))
  FROM (SELECT DISTINCT tenant_id, meter_id FROM old_rows) touched;
  RETURN NULL;
END $$;

-- A revision changes measured values alone and counts nothing; only an update of the key or the feeder does.
CREATE FUNCTION ami_count_moved_reads() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  tenants text[];
  days date[];
BEGIN
  IF NOT EXISTS (
    SELECT tenant_id, meter_id, feeder_id, read_at FROM new_rows
    EXCEPT ALL
    SELECT tenant_id, meter_id, feeder_id, read_at FROM old_rows
  ) THEN
    RETURN NULL;
  END IF;
  SELECT array_agg(tenant_id), array_agg(day) INTO tenants, days
  FROM (
    SELECT tenant_id, (read_at AT TIME ZONE 'UTC')::date AS day FROM old_rows
    UNION
    SELECT tenant_id, (read_at AT TIME ZONE 'UTC')::date AS day FROM new_rows
  ) touched;
  PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0));
  PERFORM ami_recount_days(tenants, days);
  INSERT INTO ami_known_meters (tenant_id, meter_id)
  SELECT DISTINCT tenant_id, meter_id FROM new_rows
  ON CONFLICT DO NOTHING;
  PERFORM ami_forget_meters_without_reads(array_agg(tenant_id), array_agg(meter_id))
  FROM (SELECT DISTINCT tenant_id, meter_id FROM old_rows) touched;
  RETURN NULL;
END $$;

CREATE FUNCTION ami_count_truncated_reads() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  DELETE FROM ami_read_counters;
  DELETE FROM ami_known_meter_sets;
  DELETE FROM ami_known_meters;
  RETURN NULL;
END $$;

CREATE TRIGGER ami_count_new_reads AFTER INSERT ON meter_reads_electric
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ami_count_new_reads();
CREATE TRIGGER ami_count_deleted_reads AFTER DELETE ON meter_reads_electric
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION ami_count_deleted_reads();
CREATE TRIGGER ami_count_moved_reads AFTER UPDATE ON meter_reads_electric
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION ami_count_moved_reads();
CREATE TRIGGER ami_count_truncated_reads AFTER TRUNCATE ON meter_reads_electric
  FOR EACH STATEMENT EXECUTE FUNCTION ami_count_truncated_reads();

-- Counts everything anew, for rows that came past the triggers (straight into a partition, or with triggers
-- disabled by a bulk load).
CREATE FUNCTION ami_rebuild_read_counters() RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0));
  DELETE FROM ami_read_counters;
  DELETE FROM ami_known_meter_sets;
  DELETE FROM ami_known_meters;
  INSERT INTO ami_read_counters (tenant_id, day, feeder_id, reads, latest_read_at, changed_at)
  SELECT tenant_id, (read_at AT TIME ZONE 'UTC')::date, feeder_id, count(*), max(read_at), clock_timestamp()
  FROM meter_reads_electric GROUP BY 1, 2, 3;
  INSERT INTO ami_known_meters (tenant_id, meter_id)
  SELECT DISTINCT tenant_id, meter_id FROM meter_reads_electric;
END $$;

-- Tenants of which a partition was dropped: some of their meters may have no read left.
CREATE TABLE ami_meter_rechecks (tenant_id text COLLATE "C" PRIMARY KEY);

-- Drops the partitions of the days before the given one, with what was counted of them; answers their names.
-- It locks the table against inserts, but only for the drop itself; which meters are left is found out after,
-- by ami_recheck_meters. Set lock_timeout: behind a long report it must give up rather than have every insert
-- wait behind it. One process at a time; another finds nothing to do.
CREATE FUNCTION ami_drop_read_partitions_before(first_day_kept date) RETURNS text[]
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
  WITH dropped AS (DELETE FROM ami_read_counters WHERE day < first_day_kept RETURNING tenant_id)
  INSERT INTO ami_meter_rechecks SELECT DISTINCT tenant_id FROM dropped ON CONFLICT DO NOTHING;
  RETURN expired;
END $$;

-- Forgets the meters without reads of one tenant that is to be rechecked; answers which, or NULL when none is
-- left. The candidates are found without a lock, the few that there are looked at again under it.
CREATE FUNCTION ami_recheck_meters() RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  tenant text;
  candidates text[];
BEGIN
  DELETE FROM ami_meter_rechecks WHERE tenant_id = (
    SELECT tenant_id FROM ami_meter_rechecks ORDER BY tenant_id LIMIT 1 FOR UPDATE SKIP LOCKED
  ) RETURNING tenant_id INTO tenant;
  IF tenant IS NULL THEN
    RETURN NULL;
  END IF;
  SELECT array_agg(known.meter_id) INTO candidates
  FROM ami_known_meters known
  WHERE known.tenant_id = tenant
    AND (SELECT true FROM meter_reads_electric reads
         WHERE reads.tenant_id = known.tenant_id AND reads.meter_id = known.meter_id LIMIT 1) IS NULL;
  IF candidates IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0));
    PERFORM ami_forget_meters_without_reads(array_fill(tenant, ARRAY[cardinality(candidates)]), candidates);
  END IF;
  RETURN tenant;
END $$;
