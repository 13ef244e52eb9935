-- What customers feed into the grid is summed up as the other energies are. Reads that are there already are counted by the
-- upkeep, day by day, since a migration must not scan a year of reads: ami_uncounted_days says which days are left.
SELECT set_config('ami.search_path', current_setting('search_path'), true);

CREATE FUNCTION ami_fed_in(kwh numeric, delivered_kwh numeric, received_kwh numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN received_kwh IS NOT NULL AND received_kwh > -10000 AND received_kwh < 10000
    AND ami_is_measured(kwh, delivered_kwh) THEN received_kwh END
$$;

ALTER TABLE ami_feeder_intervals ADD COLUMN received_kwh numeric, ADD COLUMN received_reads bigint NOT NULL DEFAULT 0;
ALTER TABLE ami_feeder_days ADD COLUMN received_kwh numeric, ADD COLUMN received_reads bigint NOT NULL DEFAULT 0;
ALTER TYPE ami_interval_change ADD ATTRIBUTE received_kwh numeric, ADD ATTRIBUTE received_reads bigint;
CREATE TABLE ami_uncounted_days (
  day date NOT NULL PRIMARY KEY
);

-- The functions are changed where they stand.
DO $migrate$
DECLARE
  edit record;
  definition text;
  changed text;
BEGIN
  FOR edit IN SELECT * FROM (VALUES
    ('ami_fold_inserted_reads()', $old$           sum(abs(kwh) + abs(coalesce(delivered_kwh, 0))) FILTER (WHERE NOT is_measured) AS implausible_kwh
    -- OFFSET 0: the rule is asked once a read, not once a figure.
    FROM (SELECT *, ami_is_measured(kwh, delivered_kwh) AS is_measured FROM new_rows OFFSET 0) judged
$old$, $new$           sum(abs(kwh) + abs(coalesce(delivered_kwh, 0))) FILTER (WHERE NOT is_measured) AS implausible_kwh,
           sum(fed_in_kwh) AS received_kwh, count(fed_in_kwh) AS received_reads
    -- OFFSET 0: the rules are asked once a read, not once a figure.
    FROM (SELECT *, ami_is_measured(kwh, delivered_kwh) AS is_measured,
                 ami_fed_in(kwh, delivered_kwh, received_kwh) AS fed_in_kwh FROM new_rows OFFSET 0) judged
$new$),
    ('ami_fold_inserted_reads()', $old$      min_voltage, low_voltage_reads, high_voltage_reads, implausible_reads, meters_fingerprint)
    SELECT tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage, low_voltage_reads,
           high_voltage_reads, implausible_reads, fingerprint
    FROM cells$old$, $new$      min_voltage, low_voltage_reads, high_voltage_reads, implausible_reads, meters_fingerprint, received_kwh,
      received_reads)
    SELECT tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage, low_voltage_reads,
           high_voltage_reads, implausible_reads, fingerprint, received_kwh, received_reads
    FROM cells$new$),
    ('ami_fold_inserted_reads()', $old$      meters_fingerprint = cell.meters_fingerprint + excluded.meters_fingerprint
    RETURNING tenant_id, read_at, feeder_id, reads AS interval_reads$old$, $new$      meters_fingerprint = cell.meters_fingerprint + excluded.meters_fingerprint,
      received_reads = cell.received_reads + excluded.received_reads,
      received_kwh = CASE WHEN cell.received_reads + excluded.received_reads > 0
        THEN coalesce(cell.received_kwh, 0) + coalesce(excluded.received_kwh, 0) END
    RETURNING tenant_id, read_at, feeder_id, reads AS interval_reads$new$),
    ('ami_fold_inserted_reads()', $old$      implausible_reads, further_quarter_hours)
    SELECT$old$, $new$      implausible_reads, further_quarter_hours, received_kwh, received_reads)
    SELECT$new$),
    ('ami_fold_inserted_reads()', $old$           (bit_or(ami_day_bits(day_starts_at, read_at)) << 96)::bit(32)
    FROM placed$old$, $new$           (bit_or(ami_day_bits(day_starts_at, read_at)) << 96)::bit(32), sum(received_kwh), sum(received_reads)
    FROM placed$new$),
    ('ami_fold_inserted_reads()', $old$      changed_at = greatest(day.changed_at, excluded.changed_at), version = excluded.version
  ), batch AS ($old$, $new$      changed_at = greatest(day.changed_at, excluded.changed_at), version = excluded.version,
      received_reads = day.received_reads + excluded.received_reads,
      received_kwh = CASE WHEN day.received_reads + excluded.received_reads > 0
        THEN coalesce(day.received_kwh, 0) + coalesce(excluded.received_kwh, 0) END
  ), batch AS ($new$),
    ('ami_refold_days(text[], date[], text[])', $old$    latest_read_at = folded.latest_read_at, implausible_reads = folded.implausible_reads
$old$, $new$    latest_read_at = folded.latest_read_at, implausible_reads = folded.implausible_reads,
    received_kwh = folded.received_kwh, received_reads = folded.received_reads
$new$),
    ('ami_refold_days(text[], date[], text[])', $old$             coalesce(sum(implausible_reads), 0) AS implausible_reads
      FROM$old$, $new$             coalesce(sum(implausible_reads), 0) AS implausible_reads,
             sum(received_kwh) AS received_kwh, coalesce(sum(received_reads), 0) AS received_reads
      FROM$new$),
    ('ami_apply_interval_changes(ami_interval_change[])', $old$      min_voltage, low_voltage_reads, high_voltage_reads, implausible_reads, meters_fingerprint)
    SELECT tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage_come,
           low_voltage_reads, high_voltage_reads, implausible_reads, meters_fingerprint
$old$, $new$      min_voltage, low_voltage_reads, high_voltage_reads, implausible_reads, meters_fingerprint, received_kwh,
      received_reads)
    SELECT tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage_come,
           low_voltage_reads, high_voltage_reads, implausible_reads, meters_fingerprint, received_kwh, received_reads
$new$),
    ('ami_apply_interval_changes(ami_interval_change[])', $old$      meters_fingerprint = cell.meters_fingerprint + excluded.meters_fingerprint
$old$, $new$      meters_fingerprint = cell.meters_fingerprint + excluded.meters_fingerprint,
      received_reads = cell.received_reads + excluded.received_reads,
      received_kwh = CASE WHEN cell.received_reads + excluded.received_reads > 0
        THEN coalesce(cell.received_kwh, 0) + coalesce(excluded.received_kwh, 0) END
$new$),
    ('ami_fold_deleted_reads()', $old$            -count(*) FILTER (WHERE NOT is_measured), -sum(hashtextextended(meter_id, 0)))::ami_interval_change AS change
    FROM (SELECT *, ami_is_measured(kwh, delivered_kwh) AS is_measured FROM old_rows OFFSET 0) judged
$old$, $new$            -count(*) FILTER (WHERE NOT is_measured), -sum(hashtextextended(meter_id, 0)),
            -sum(fed_in_kwh), -count(fed_in_kwh))::ami_interval_change AS change
    FROM (SELECT *, ami_is_measured(kwh, delivered_kwh) AS is_measured,
                 ami_fed_in(kwh, delivered_kwh, received_kwh) AS fed_in_kwh FROM old_rows OFFSET 0) judged
$new$),
    ('ami_fold_updated_reads()', $old$            coalesce(sum(sign) FILTER (WHERE NOT is_measured), 0), sum(sign * meter_hash))::ami_interval_change AS change
$old$, $new$            coalesce(sum(sign) FILTER (WHERE NOT is_measured), 0), sum(sign * meter_hash),
            sum(sign * fed_in_kwh), coalesce(sum(sign) FILTER (WHERE fed_in_kwh IS NOT NULL), 0))::ami_interval_change AS change
$new$),
    ('ami_fold_updated_reads()', $old$             ami_is_measured(kwh, delivered_kwh) AS is_measured FROM new_rows
$old$, $new$             ami_is_measured(kwh, delivered_kwh) AS is_measured,
             ami_fed_in(kwh, delivered_kwh, received_kwh) AS fed_in_kwh FROM new_rows
$new$),
    ('ami_fold_updated_reads()', $old$             ami_is_measured(kwh, delivered_kwh) FROM old_rows
$old$, $new$             ami_is_measured(kwh, delivered_kwh), ami_fed_in(kwh, delivered_kwh, received_kwh) FROM old_rows
$new$),
    ('ami_rebuild_rollups_of_days(date, date)', $old$         count(*) FILTER (WHERE NOT is_measured), sum(hashtextextended(meter_id, 0))
  FROM (
    SELECT *, ami_is_measured(kwh, delivered_kwh) AS is_measured FROM ami_reads_between(day_start, day_end) OFFSET 0
  ) judged GROUP BY 1, 2, 3;
$old$, $new$         count(*) FILTER (WHERE NOT is_measured), sum(hashtextextended(meter_id, 0))
  FROM (
    SELECT *, ami_is_measured(kwh, delivered_kwh) AS is_measured FROM ami_reads_between(day_start, day_end) OFFSET 0
  ) judged GROUP BY 1, 2, 3;
  UPDATE ami_feeder_intervals cell SET received_kwh = fed_in.received_kwh, received_reads = fed_in.received_reads
  FROM ami_read_received(day_start, day_end) fed_in
  WHERE cell.tenant_id = fed_in.tenant_id AND cell.read_at = fed_in.read_at AND cell.feeder_id = fed_in.feeder_id;
$new$),
    ('ami_change_zone(text)', $old$    implausible_reads, further_quarter_hours)
  SELECT$old$, $new$    implausible_reads, further_quarter_hours, received_kwh, received_reads)
  SELECT$new$),
    ('ami_change_zone(text)', $old$         (bits << 96)::bit(32)
  FROM ($old$, $new$         (bits << 96)::bit(32), received_kwh, received_reads
  FROM ($new$),
    ('ami_change_zone(text)', $old$             sum(implausible_reads) AS implausible_reads
      FROM ami_feeder_intervals$old$, $new$             sum(implausible_reads) AS implausible_reads, sum(received_kwh) AS received_kwh,
             sum(received_reads) AS received_reads
      FROM ami_feeder_intervals$new$)
  ) AS edits (routine, old, new)
  LOOP
    definition := pg_get_functiondef(edit.routine::regprocedure);
    changed := replace(definition, edit.old, edit.new);
    IF changed = definition THEN
      RAISE EXCEPTION '% is not as the migrations before have left it', edit.routine;
    END IF;
    EXECUTE changed;
  END LOOP;
END $migrate$;

-- This function keeps this search path: the own schema, and pg_temp last. Unnamed, pg_temp would be searched first, and
-- anybody may make objects there.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE FUNCTION ami_count_received(counted_day date) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  day_start timestamptz := counted_day::timestamp AT TIME ZONE 'UTC';
  day_end timestamptz := (counted_day + 1)::timestamp AT TIME ZONE 'UTC';
  tenants text[];
  days date[];
  feeders text[];
BEGIN
  IF EXISTS (SELECT FROM ami_read_received(day_start, day_end)) OR EXISTS (
    SELECT FROM ami_feeder_intervals WHERE read_at >= day_start AND read_at < day_end AND received_reads <> 0
  ) THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:known-meters', 0));
    WITH counted AS (
      UPDATE ami_feeder_intervals cell
      SET received_kwh = fed_in.received_kwh, received_reads = coalesce(fed_in.received_reads, 0)
      FROM ami_feeder_intervals known LEFT JOIN ami_read_received(day_start, day_end) fed_in USING (tenant_id, read_at, feeder_id)
      WHERE known.read_at >= day_start AND known.read_at < day_end
        AND cell.tenant_id = known.tenant_id AND cell.read_at = known.read_at AND cell.feeder_id = known.feeder_id
        AND (cell.received_reads, cell.received_kwh) IS DISTINCT FROM (coalesce(fed_in.received_reads, 0), fed_in.received_kwh)
      RETURNING cell.tenant_id, cell.read_at, cell.feeder_id
    )
    SELECT array_agg(tenant_id), array_agg(day), array_agg(feeder_id) INTO tenants, days, feeders FROM (
      SELECT DISTINCT tenant_id, ami_clock_day(zone.clock, read_at) AS day, feeder_id
      FROM counted LEFT JOIN ami_tenant_zones zone USING (tenant_id)
    ) touched;
    IF tenants IS NOT NULL THEN
      PERFORM ami_refold_days(tenants, days, feeders);
    END IF;
  END IF;
  DELETE FROM ami_uncounted_days WHERE day = counted_day;
  RETURN tenants IS NOT NULL;
END $$;

SELECT set_config('search_path', current_setting('ami.search_path'), true);

-- Only our own table has the column. A day of a zone lies in up to three of UTC.
INSERT INTO ami_uncounted_days
SELECT DISTINCT day + near FROM ami_feeder_days, generate_series(-1, 1) AS near
WHERE isfinite(day) AND EXISTS (
  SELECT FROM pg_proc WHERE pronamespace = quote_ident(current_schema())::regnamespace AND proname = 'ami_write_batch'
    AND position('ami_written_reads' IN prosrc) = 0);

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
       ami_percent(coalesce(estimated.reads, 0), day.reads) AS estimated_pct, day.received_kwh
FROM (
  SELECT tenant_id, day, count(*) AS feeders, 
         bit_count(bit_or(quarter_hours)) + bit_count(bit_or(further_quarter_hours)) AS intervals,
         sum(reads)::bigint AS reads, sum(kwh) AS kwh, sum(kwh - unmetered_kwh) AS metered_kwh,
         sum(delivered_kwh) AS delivered_kwh, min(min_voltage) AS min_voltage,
         sum(low_voltage_reads)::bigint AS low_voltage_reads,
         sum(high_voltage_reads)::bigint AS high_voltage_reads, max(latest_read_at) AS latest_read_at,
         sum(implausible_reads)::bigint AS implausible_reads, sum(received_kwh) AS received_kwh
  FROM ami_feeder_days GROUP BY tenant_id, day
) day
-- An aggregate of one row: the planner leaves the join out when nobody asks for these columns.
LEFT JOIN LATERAL (
  SELECT sum(expected_meters)::bigint AS meters, sum(expected_reads) AS reads, sum(arrived_reads) AS arrived_reads
  FROM ami_feeder_completeness(day.tenant_id, day.day)
) expected ON true
LEFT JOIN LATERAL (SELECT sum(reads) AS reads FROM ami_estimates_of_day(day.tenant_id, day.day)) estimated ON true
    $$),
    ('v_kpi_electric_feeder_loss_daily', $$
CREATE OR REPLACE VIEW v_kpi_electric_feeder_loss_daily AS
SELECT tenant_id, day, feeder_id, reads, kwh, delivered_kwh, delivered_kwh - (kwh - unmetered_kwh) AS loss_kwh,
       ami_percent(delivered_kwh - (kwh - unmetered_kwh), delivered_kwh) AS loss_pct, min_voltage,
       low_voltage_reads, latest_read_at, implausible_reads, received_kwh
FROM ami_feeder_days
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
