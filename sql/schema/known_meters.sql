-- Which meters of a tenant have any read, so that status need not scan history.
CREATE TABLE ami_known_meters (
  tenant_id text COLLATE "C" NOT NULL,
  meter_id  text COLLATE "C" NOT NULL,
  feeder_id text COLLATE "C",
  PRIMARY KEY (tenant_id, meter_id)
);
COMMENT ON TABLE ami_known_meters IS 'Meters that have at least one read, kept by triggers.';
COMMENT ON COLUMN ami_known_meters.feeder_id IS
  'The feeder that the meter was first seen on, for looking at the meters of one feeder. It is a hint: a meter that '
  'has moved keeps it, since looking at every meter of every batch cost 15 to 20 % of the insert rate.';

CREATE TABLE ami_known_meter_sets (
  tenant_id      text COLLATE "C" NOT NULL,
  feeder_id      text COLLATE "C" NOT NULL,
  first_meter_id text COLLATE "C" NOT NULL,
  meters         bigint           NOT NULL,
  fingerprint    numeric          NOT NULL,
  PRIMARY KEY (tenant_id, feeder_id, first_meter_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE ami_known_meter_sets IS
  'Sets of meters that are all in ami_known_meters. Looking up the 500 meters of each batch cost 15 to 20 % of the '
  'insert rate. Batches repeat the same meters every interval, so the set itself is remembered: a batch whose '
  'fingerprint is here has known meters only.';
COMMENT ON COLUMN ami_known_meter_sets.first_meter_id IS 'The set''s first meter in byte order.';
COMMENT ON COLUMN ami_known_meter_sets.meters IS 'Number of meters in the set.';
COMMENT ON COLUMN ami_known_meter_sets.fingerprint IS
  'Sum of the meters'' hashes. A sum and not an XOR, so that a meter that comes twice does not cancel out.';

CREATE TABLE ami_meter_rechecks (
  tenant_id text COLLATE "C" NOT NULL,
  request   bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY
);
COMMENT ON TABLE ami_meter_rechecks IS
  'Tenants of which reads were deleted: some of their meters may have no read left. There is one row per request '
  'rather than per tenant: a request must neither wait for another transaction nor be lost in it.';
COMMENT ON COLUMN ami_meter_rechecks.request IS 'Number of the request, rising.';

-- The functions below keep this search path: the own schema, and pg_temp last. Unnamed, pg_temp would be searched
-- first, and anybody may make objects there. JIT is off: these are short statements by the hundred, and look-ups by
-- index whose cost the planner overrates; compiling them takes a hundred times as long as running them.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE FUNCTION ami_forget_meters_without_reads(tenants text[], meters text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
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
COMMENT ON FUNCTION ami_forget_meters_without_reads(text[], text[]) IS
  'Forgets those of the given meters that have no read left. Each meter is looked up by itself, one index probe per '
  'partition: as a join this became a scan of the whole history under the exclusive lock. The caller holds that lock '
  '(gridlens:known-meters). Raises the version of a day of the tenant, since forgetting changes what is shown of it.';

CREATE FUNCTION ami_recheck_meters() RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  tenant text;
  candidates text[];
BEGIN
  SELECT tenant_id INTO tenant FROM ami_meter_rechecks ORDER BY request LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF tenant IS NULL THEN
    RETURN NULL;
  END IF;
  -- Deleted before the meters are looked at: a request that is committed after this stays, and gets a turn of its own.
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
COMMENT ON FUNCTION ami_recheck_meters() IS
  'Forgets the meters without reads of one tenant that is to be rechecked. The candidates are found without a lock, '
  'and the few that there are looked at again under it. Gives up where it would have to wait for the lock, since '
  'every writer would wait behind it. Answers the tenant; NULL when none is left or this one is to be tried again '
  'later.';
