-- How many reads are estimates. Completeness takes an estimate for a read, so what it says is shown beside this.
CREATE TABLE ami_feeder_estimates (
  tenant_id text COLLATE "C" NOT NULL,
  read_at   timestamptz      NOT NULL,
  feeder_id text COLLATE "C" NOT NULL,
  reads     bigint           NOT NULL,
  PRIMARY KEY (tenant_id, read_at, feeder_id)
) WITH (fillfactor = 70);
COMMENT ON TABLE ami_feeder_estimates IS
  'Of the reads of ami_feeder_intervals those whose quality is estimated, kept by triggers. A table of its own: where '
  'nothing is estimated it has no row.';
COMMENT ON COLUMN ami_feeder_estimates.read_at IS 'Start of the interval.';
COMMENT ON COLUMN ami_feeder_estimates.reads IS 'Number of estimated reads.';

CREATE TYPE ami_estimate_change AS (
  tenant_id text COLLATE "C", read_at timestamptz, feeder_id text COLLATE "C", reads bigint);
COMMENT ON TYPE ami_estimate_change IS 'What a statement does to the number of a feeder''s estimated reads at one instant.';

-- The functions below keep this search path: the own schema, and pg_temp last. Unnamed, pg_temp would be searched
-- first, and anybody may make objects there. JIT is off: these are short statements by the hundred, and look-ups by
-- index whose cost the planner overrates; compiling them takes a hundred times as long as running them.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE FUNCTION ami_apply_estimate_changes(changes ami_estimate_change[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  INSERT INTO ami_feeder_estimates AS counted (tenant_id, read_at, feeder_id, reads)
  SELECT * FROM unnest(changes) WHERE reads <> 0 ORDER BY 1, 2, 3
  ON CONFLICT (tenant_id, read_at, feeder_id) DO UPDATE SET reads = counted.reads + excluded.reads;
  DELETE FROM ami_feeder_estimates counted USING unnest(changes) change
  WHERE counted.tenant_id = change.tenant_id AND counted.read_at = change.read_at
    AND counted.feeder_id = change.feeder_id AND change.reads < 0 AND counted.reads = 0;
END $$;
COMMENT ON FUNCTION ami_apply_estimate_changes(ami_estimate_change[]) IS
  'Applies changes to the numbers of estimated reads. Whoever changes one has locked its row of ami_feeder_intervals '
  'before: the triggers that call this come after those of the rollups, by their names.';

CREATE FUNCTION ami_estimates_of_day(for_tenant text, for_day date)
RETURNS TABLE (feeder_id text, reads bigint)
LANGUAGE plpgsql STABLE ROWS 25 SET search_path FROM CURRENT SET jit = off AS $$
#variable_conflict use_column
DECLARE
  day_start timestamptz := ami_day_start(for_tenant, for_day);
  day_end timestamptz := ami_day_start(for_tenant, for_day + 1);
BEGIN
  RETURN QUERY SELECT feeder_id::text, sum(reads)::bigint FROM ami_feeder_estimates
  WHERE tenant_id = for_tenant AND read_at >= day_start AND read_at < day_end GROUP BY 1;
END $$;
COMMENT ON FUNCTION ami_estimates_of_day(text, date) IS
  'How many reads of a day of the tenant''s zone are estimates, by feeder; no row of a feeder without any.';

-- These act as their owner, for whoever may write reads. Nobody else may execute them: on a table of one's own, as
-- triggers, they could be made to forge the KPIs.
CREATE FUNCTION ami_tally_inserted_estimates() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  IF EXISTS (SELECT FROM new_rows WHERE quality = 'estimated') THEN
    PERFORM ami_apply_estimate_changes(array_agg((tenant_id, read_at, feeder_id, reads)::ami_estimate_change))
    FROM (
      SELECT tenant_id, read_at, feeder_id, count(*) AS reads FROM new_rows WHERE quality = 'estimated' GROUP BY 1, 2, 3
    ) counted;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION ami_tally_inserted_estimates() IS 'Trigger: counts the estimates among the rows of an INSERT.';

CREATE FUNCTION ami_tally_deleted_estimates() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  IF EXISTS (SELECT FROM old_rows WHERE quality = 'estimated') THEN
    PERFORM ami_apply_estimate_changes(array_agg((tenant_id, read_at, feeder_id, reads)::ami_estimate_change))
    FROM (
      SELECT tenant_id, read_at, feeder_id, -count(*) AS reads FROM old_rows WHERE quality = 'estimated' GROUP BY 1, 2, 3
    ) counted;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION ami_tally_deleted_estimates() IS 'Trigger: takes the estimates among the rows of a DELETE off.';

CREATE FUNCTION ami_tally_updated_estimates() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  PERFORM ami_apply_estimate_changes(array_agg((tenant_id, read_at, feeder_id, reads)::ami_estimate_change))
  FROM (
    SELECT tenant_id, read_at, feeder_id, sum(sign)::bigint AS reads FROM (
      SELECT 1 AS sign, tenant_id, read_at, feeder_id FROM new_rows WHERE quality = 'estimated'
      UNION ALL SELECT -1, tenant_id, read_at, feeder_id FROM old_rows WHERE quality = 'estimated'
    ) moved GROUP BY 1, 2, 3 HAVING sum(sign) <> 0
  ) counted HAVING count(*) > 0;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION ami_tally_updated_estimates() IS
  'Trigger: counts what an UPDATE makes an estimate, and what it makes one no longer.';

CREATE FUNCTION ami_tally_truncated_estimates() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  TRUNCATE ami_feeder_estimates;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION ami_tally_truncated_estimates() IS 'Trigger: forgets the estimates with the reads.';

REVOKE EXECUTE ON FUNCTION ami_tally_inserted_estimates(), ami_tally_deleted_estimates(), ami_tally_updated_estimates(),
  ami_tally_truncated_estimates() FROM PUBLIC;
