-- How many reads are estimates, beside completeness, which takes an estimate for a read.
SELECT set_config('ami.search_path', current_setting('search_path'), true);

CREATE TABLE ami_feeder_estimates (
  tenant_id text COLLATE "C" NOT NULL,
  read_at   timestamptz      NOT NULL,
  feeder_id text COLLATE "C" NOT NULL,
  reads     bigint           NOT NULL,
  PRIMARY KEY (tenant_id, read_at, feeder_id)
) WITH (fillfactor = 70);

CREATE TYPE ami_estimate_change AS (
  tenant_id text COLLATE "C", read_at timestamptz, feeder_id text COLLATE "C", reads bigint);

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

CREATE FUNCTION ami_tally_truncated_estimates() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  TRUNCATE ami_feeder_estimates;
  RETURN NULL;
END $$;

REVOKE EXECUTE ON FUNCTION ami_tally_inserted_estimates(), ami_tally_deleted_estimates(), ami_tally_updated_estimates(),
  ami_tally_truncated_estimates() FROM PUBLIC;

SELECT set_config('search_path', current_setting('ami.search_path'), true);

-- What is dropped or counted anew is so of the estimates too. The functions are changed where they stand.
DO $migrate$
DECLARE
  definition text := pg_get_functiondef('ami_rebuild_rollups_of_days(date, date)'::regprocedure);
  changed text := replace(definition, $old$  INSERT INTO ami_feeder_lengths SELECT * FROM ami_read_lengths(day_start, day_end);
$old$, $new$  INSERT INTO ami_feeder_lengths SELECT * FROM ami_read_lengths(day_start, day_end);
  DELETE FROM ami_feeder_estimates WHERE read_at >= day_start AND read_at < day_end;
  INSERT INTO ami_feeder_estimates SELECT * FROM ami_read_estimates(day_start, day_end);
$new$);
BEGIN
  IF changed = definition THEN
    RAISE EXCEPTION 'ami_rebuild_rollups_of_days is not as the migrations before have left it';
  END IF;
  EXECUTE changed;
END $migrate$;

-- Only our own table says of a read that it is an estimate. All such reads are of imports, whose spans are known.
DO $migrate$
DECLARE
  definition text;
  changed text;
BEGIN
  SELECT pg_get_functiondef(oid) INTO definition FROM pg_proc
  WHERE pronamespace = quote_ident(current_schema())::regnamespace AND proname = 'ami_write_batch'
    AND position('ami_written_reads' IN prosrc) = 0;
  IF definition IS NULL THEN
    RETURN;
  END IF;
  definition := pg_get_functiondef('ami_drop_read_partitions_before(date)'::regprocedure);
  changed := replace(definition, $old$  DELETE FROM ami_feeder_lengths
  WHERE tenant_id IN (SELECT tenant_id FROM ami_meter_rechecks)
    AND read_at < first_day_kept::timestamp AT TIME ZONE 'UTC';
$old$, $new$  DELETE FROM ami_feeder_lengths
  WHERE tenant_id IN (SELECT tenant_id FROM ami_meter_rechecks)
    AND read_at < first_day_kept::timestamp AT TIME ZONE 'UTC';
  DELETE FROM ami_feeder_estimates
  WHERE tenant_id IN (SELECT tenant_id FROM ami_meter_rechecks)
    AND read_at < first_day_kept::timestamp AT TIME ZONE 'UTC';
$new$);
  IF changed = definition THEN
    RAISE EXCEPTION 'ami_drop_read_partitions_before is not as the migrations before have left it';
  END IF;
  EXECUTE changed;

  EXECUTE $create$
CREATE TRIGGER ami_tally_inserted_estimates AFTER INSERT ON meter_reads_electric
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ami_tally_inserted_estimates();
CREATE TRIGGER ami_tally_deleted_estimates AFTER DELETE ON meter_reads_electric
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION ami_tally_deleted_estimates();
CREATE TRIGGER ami_tally_updated_estimates AFTER UPDATE ON meter_reads_electric
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION ami_tally_updated_estimates();
CREATE TRIGGER ami_tally_truncated_estimates AFTER TRUNCATE ON meter_reads_electric
  FOR EACH STATEMENT EXECUTE FUNCTION ami_tally_truncated_estimates();
  $create$;
  -- The triggers hold off whoever writes: nothing is missed, nothing counted twice.
  INSERT INTO ami_feeder_estimates
  SELECT tenant_id, read_at, feeder_id, count(*) FROM meter_reads_electric
  WHERE quality = 'estimated' AND read_at >= (SELECT min(first_read_at) FROM ami_imports)
    AND read_at <= (SELECT max(last_read_at) FROM ami_imports)
  GROUP BY 1, 2, 3;
END $migrate$;

-- A customer's own view stays as it is.
DO $migrate$
DECLARE
  kpi record;
BEGIN
  FOR kpi IN SELECT * FROM (VALUES
    ('v_kpi_electric_overview_daily', $$
CREATE OR REPLACE VIEW v_kpi_electric_overview_daily AS
SELECT day.tenant_id, day.day, day.feeders, day.intervals, day.reads,
       expected.meters AS expected_meters,
       least(100, ami_percent(expected.arrived_reads, expected.reads)) AS completeness_pct,
       day.kwh, day.delivered_kwh, day.delivered_kwh - day.metered_kwh AS loss_kwh,
       ami_percent(day.delivered_kwh - day.metered_kwh, day.delivered_kwh) AS loss_pct,
       day.min_voltage, day.low_voltage_reads, day.high_voltage_reads, day.latest_read_at, day.implausible_reads,
       ami_percent(coalesce(estimated.reads, 0), day.reads) AS estimated_pct
FROM (
  SELECT tenant_id, day, count(*) AS feeders, 
         bit_count(bit_or(quarter_hours)) + bit_count(bit_or(further_quarter_hours)) AS intervals,
         sum(reads)::bigint AS reads, sum(kwh) AS kwh, sum(kwh - unmetered_kwh) AS metered_kwh,
         sum(delivered_kwh) AS delivered_kwh, min(min_voltage) AS min_voltage,
         sum(low_voltage_reads)::bigint AS low_voltage_reads,
         sum(high_voltage_reads)::bigint AS high_voltage_reads, max(latest_read_at) AS latest_read_at,
         sum(implausible_reads)::bigint AS implausible_reads
  FROM ami_feeder_days GROUP BY tenant_id, day
) day
-- An aggregate of one row: the planner leaves the join out when nobody asks for these columns.
LEFT JOIN LATERAL (
  SELECT sum(expected_meters)::bigint AS meters, sum(expected_reads) AS reads, sum(arrived_reads) AS arrived_reads
  FROM ami_feeder_completeness(day.tenant_id, day.day)
) expected ON true
LEFT JOIN LATERAL (SELECT sum(reads) AS reads FROM ami_estimates_of_day(day.tenant_id, day.day)) estimated ON true
    $$),
    ('v_kpi_fieldops_daily', $$
CREATE OR REPLACE VIEW v_kpi_fieldops_daily AS
SELECT tenant_id, day, feeder_id,
       rank() OVER (PARTITION BY tenant_id, day
         ORDER BY coalesce(silent_meters, 0) + undervoltage_meters DESC, completeness_pct, min_voltage) AS priority,
       expected_meters, silent_meters, undervoltage_meters, min_voltage, completeness_pct, interval_at,
       concat_ws(' ',
         CASE WHEN silent_meters > 0 THEN format('%s of %s meters silent in the interval %s UTC.',
           silent_meters, expected_meters, to_char(interval_at AT TIME ZONE 'UTC', 'HH24:MI')) END,
         CASE WHEN undervoltage_meters > 0 THEN format('%s %s below 114 V, down to %s V.', undervoltage_meters,
           CASE WHEN undervoltage_meters = 1 THEN 'meter' ELSE 'meters' END, round(min_voltage, 1)) END,
         CASE WHEN completeness_pct < 99.5 THEN format('%s %% of the day''s expected reads arrived.',
           round(completeness_pct, 1)) END) AS reason, estimated_pct
FROM (
  SELECT day.tenant_id, day.day, feeder.feeder_id, feeder.interval_at, feeder.expected_meters,
         feeder.silent_meters, low.undervoltage_meters, that_day.min_voltage,
         least(100, ami_percent(feeder.arrived_reads, feeder.expected_reads)) AS completeness_pct,
         ami_percent(coalesce(feeder.estimated_reads, 0), that_day.reads) AS estimated_pct
  FROM (SELECT tenant_id, day FROM ami_feeder_days GROUP BY tenant_id, day) day
  -- OFFSET 0: the estimates are counted once a day, not once a feeder.
  CROSS JOIN LATERAL (
    SELECT found.*, estimated.reads AS estimated_reads
    FROM ami_feeder_completeness(day.tenant_id, day.day) found
    LEFT JOIN ami_estimates_of_day(day.tenant_id, day.day) estimated USING (feeder_id) OFFSET 0
  ) feeder
  -- LIMIT 1 makes this one look-up per row instead of a join with all of history.
  LEFT JOIN LATERAL (
    SELECT min_voltage, reads FROM ami_feeder_days
    WHERE tenant_id = day.tenant_id AND ami_feeder_days.day = day.day AND feeder_id = feeder.feeder_id
    LIMIT 1
  ) that_day ON true
  CROSS JOIN LATERAL ami_undervoltage_meters(day.tenant_id, day.day, feeder.feeder_id) AS low (undervoltage_meters)
) found
    $$)) AS kpi (name, definition)
  LOOP
    IF EXISTS (
      SELECT FROM pg_class WHERE relname = kpi.name AND relkind = 'v'
        AND relnamespace = quote_ident(current_schema())::regnamespace
        AND pg_get_viewdef(oid) ~ '\m(ami_feeder_days|ami_feeder_completeness|ami_meter_anomalies)\M'
    ) THEN
      EXECUTE kpi.definition;
    END IF;
  END LOOP;
END $migrate$;
