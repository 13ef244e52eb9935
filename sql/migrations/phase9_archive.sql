-- Archive: days of reads that were archived as files before retention dropped them.
CREATE TABLE ami_archive_days (
  day         date   PRIMARY KEY,
  reads       bigint,
  bytes       bigint,
  sha256      text,
  archived_at timestamptz,
  dropped_at  timestamptz,
  restored_at timestamptz,
  failure     text,
  failed_at   timestamptz,
  CONSTRAINT ami_archive_days_archived_whole CHECK ((archived_at IS NULL) = (reads IS NULL)),
  CONSTRAINT ami_archive_days_dropped_archived CHECK (dropped_at IS NULL OR archived_at IS NOT NULL),
  CONSTRAINT ami_archive_days_failure_dated CHECK ((failure IS NULL) = (failed_at IS NULL))
);

SELECT set_config('ami.search_path', current_setting('search_path'), true);
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);
-- Partitions are dropped of our own table alone.
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
  $drop$;
  -- Whoever might call it could throw a day of reads away.
  REVOKE EXECUTE ON FUNCTION ami_drop_archived_partition(date) FROM PUBLIC;
END $migrate$;
SELECT set_config('search_path', current_setting('ami.search_path'), true);
