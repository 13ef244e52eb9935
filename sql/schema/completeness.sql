-- What was expected of a tenant's feeders and what arrived. plpgsql throughout: it keeps its plan for the session,
-- where an SQL function is planned at each call.
CREATE FUNCTION ami_expected_meters(for_tenant text, for_day date)
RETURNS TABLE (feeder_id text, expected_meters bigint)
LANGUAGE plpgsql STABLE ROWS 25 SET search_path FROM CURRENT AS $$
BEGIN
  RETURN QUERY SELECT feeder.feeder_id, max(feeder.max_interval_reads) FROM ami_feeder_days feeder
  WHERE feeder.tenant_id = for_tenant AND feeder.day BETWEEN for_day - 7 AND for_day GROUP BY 1;
END $$;
COMMENT ON FUNCTION ami_expected_meters(text, date) IS
  'How many meters each feeder is expected to report on a day, from the reads alone: the most that any one interval '
  'brought, on the day or in the seven before it. A feeder that has gone dark is therefore still expected.';

CREATE FUNCTION ami_is_interval(read_at timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$ SELECT read_at <= now() AND read_at = date_bin('15 min', read_at, '2000-01-01Z') $$;
COMMENT ON FUNCTION ami_is_interval(timestamptz) IS
  'Whether an instant may be the start of an interval: on a quarter hour and not in the future. A stray read that '
  'somebody wrote by hand must not become the latest interval.';

CREATE FUNCTION ami_intervals_being_written(for_tenant text) RETURNS timestamptz[]
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN coalesce((
    SELECT array_agg(DISTINCT publish.read_at)
    FROM ami_publish_batches batch JOIN ami_publishes publish USING (publish_id)
    WHERE batch.state = 'pending' AND batch.tenant_id = for_tenant AND publish.origin NOT IN ('revision', 'import', 'late')), '{}');
END $$;
COMMENT ON FUNCTION ami_intervals_being_written(text) IS
  'The intervals of a tenant that are still being written: a batch of a publish of them is owed. Revisions and what '
  'arrives late do not count, since their interval is there, nor imports, which are no interval of a fleet.';

CREATE FUNCTION ami_latest_settled_interval(for_tenant text, from_instant timestamptz, before_instant timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
  being_written timestamptz[] := ami_intervals_being_written(for_tenant);
BEGIN
  RETURN (
    SELECT read_at FROM ami_feeder_intervals
    WHERE tenant_id = for_tenant AND read_at >= from_instant AND read_at < before_instant
      AND ami_is_interval(read_at) AND read_at <> ALL (being_written)
    ORDER BY read_at DESC LIMIT 1);
END $$;
COMMENT ON FUNCTION ami_latest_settled_interval(text, timestamptz, timestamptz) IS
  'The latest interval of a tenant in a span that is no longer being written; NULL when there is none. What has not '
  'arrived of that interval is missing; what has not arrived of a later one may be on its way.';

CREATE FUNCTION ami_feeder_completeness(for_tenant text, for_day date)
RETURNS TABLE (feeder_id text, interval_at timestamptz, expected_meters bigint, silent_meters bigint,
  expected_reads numeric, arrived_reads numeric)
LANGUAGE plpgsql STABLE ROWS 25 SET search_path FROM CURRENT SET jit = off AS $$
#variable_conflict use_column
DECLARE
  day_start timestamptz := ami_day_start(for_tenant, for_day);
  day_end timestamptz := ami_day_start(for_tenant, for_day + 1);
  being_written timestamptz[] := ami_intervals_being_written(for_tenant);
  settled_at timestamptz := ami_latest_settled_interval(for_tenant, day_start, day_end);
  has_lengths boolean := EXISTS (
    SELECT FROM ami_feeder_lengths WHERE tenant_id = for_tenant AND read_at >= day_start AND read_at < day_end);
BEGIN
  RETURN QUERY
  WITH governing AS (
    -- In the same order as src/ledger/publishedIntervals.ts.
    SELECT DISTINCT ON (read_at, fleet_id IS NULL) read_at, meter_count, feeder_count, fleet_id FROM ami_publishes
    WHERE tenant_id = for_tenant AND read_at >= day_start AND read_at < day_end AND origin NOT IN ('revision', 'import', 'late')
      AND read_at <> ALL (being_written)
    ORDER BY read_at DESC, fleet_id IS NULL, meter_count DESC, on_conflict = 'update' DESC,
      CASE WHEN on_conflict = 'update' THEN accepted_at END DESC, accepted_at
  ), fleets AS MATERIALIZED (
    SELECT read_at, max(meter_count) FILTER (WHERE fleet_id IS NULL) AS synthetic_meters,
           max(feeder_count) FILTER (WHERE fleet_id IS NULL) AS synthetic_feeders,
           max(fleet_id) AS fleet_id, max(meter_count) FILTER (WHERE fleet_id IS NOT NULL) AS registry_meters
    FROM governing GROUP BY 1
  ), published AS (
    SELECT feeder_id, sum(intervals * size) AS reads, max(size) FILTER (WHERE is_settled) AS meters
    FROM (
      SELECT synthetic_meters, synthetic_feeders, fleet_id, registry_meters, read_at = settled_at AS is_settled,
             count(*) AS intervals
      FROM fleets GROUP BY 1, 2, 3, 4, 5
    ) alike,
      LATERAL (
        SELECT feeder_id, max(meters) AS size
        FROM (
          SELECT ('FEEDER_' || number) COLLATE "C" AS feeder_id,
                 synthetic_meters / synthetic_feeders
                   + (number <= synthetic_meters % synthetic_feeders)::integer AS meters
          FROM generate_series(1, least(synthetic_feeders, synthetic_meters)) AS number
          WHERE synthetic_meters IS NOT NULL
          UNION ALL
          SELECT feeder.feeder_id, least(feeder.range_to, registry_meters) - feeder.range_from
          FROM ami_fleet_feeders feeder
          WHERE feeder.fleet_id = alike.fleet_id AND feeder.range_from < registry_meters
        ) of_either
        GROUP BY 1
      ) sized
    GROUP BY 1
  ), quarter_hours AS (
    -- Of a day that has other lengths too only those with a read that has none.
    SELECT CASE WHEN has_lengths THEN (
        SELECT bit_or(ami_day_bits(day_start, cell.read_at)) FROM ami_feeder_intervals cell
        WHERE cell.tenant_id = for_tenant AND cell.read_at >= day_start AND cell.read_at < day_end
          AND cell.reads > (SELECT coalesce(sum(other.reads), 0) FROM ami_feeder_lengths other
            WHERE other.tenant_id = for_tenant AND other.read_at = cell.read_at AND other.feeder_id = cell.feeder_id))
      ELSE (
        SELECT (bit_or(quarter_hours) || bit_or(further_quarter_hours))::bit(128)
        FROM ami_feeder_days WHERE tenant_id = for_tenant AND day = for_day)
      END AS bits
  ), unpublished AS (
    SELECT bit_count(coalesce(bits, 0::bit(128))
             & ~coalesce((SELECT bit_or(ami_day_bits(day_start, at)) FROM (
                 SELECT read_at AS at FROM fleets
                 UNION ALL SELECT at FROM unnest(being_written) AS at WHERE at >= day_start AND at < day_end) counted),
               0::bit(128))) AS intervals
    FROM quarter_hours
  ), slots AS (
    SELECT interval_minutes, count(DISTINCT read_at) AS slots FROM ami_feeder_lengths
    WHERE tenant_id = for_tenant AND read_at >= day_start AND read_at < day_end AND read_at <> ALL (being_written)
    GROUP BY 1
  ), known AS (
    SELECT feeder_id, max(expected_meters) FILTER (WHERE phases IS NULL) AS expected_meters,
           sum(expected_meters) FILTER (
             WHERE phases IS NULL OR mod(extract(epoch FROM settled_at), interval_minutes * 60) = ANY (phases)
           ) AS settled_meters,
           sum(expected_meters * slots) FILTER (WHERE phases IS NOT NULL) AS reads_of_lengths
    FROM ami_expected_by_length(for_tenant, for_day) LEFT JOIN slots USING (interval_minutes) GROUP BY 1
  ), arriving AS (
    SELECT cell.feeder_id, sum(cell.reads) AS reads
    FROM unnest(being_written) AS written (read_at)
    JOIN ami_feeder_intervals cell ON cell.tenant_id = for_tenant AND cell.read_at = written.read_at
    WHERE written.read_at >= day_start AND written.read_at < day_end GROUP BY 1
  ), arrived AS (
    SELECT feeder_id, day.reads - coalesce(arriving.reads, 0) AS reads
    FROM ami_feeder_days day LEFT JOIN arriving USING (feeder_id)
    WHERE tenant_id = for_tenant AND day.day = for_day
  ), at_settled AS (
    SELECT feeder_id, reads FROM ami_feeder_intervals WHERE tenant_id = for_tenant AND read_at = settled_at
  ), is_settled_published AS (
    SELECT EXISTS (SELECT FROM fleets WHERE read_at = settled_at) AS yes
  ), expected AS (
    SELECT feeder_id, coalesce(CASE WHEN yes THEN published.meters ELSE known.settled_meters END, 0)::bigint AS meters,
           coalesce(published.reads, 0) + coalesce(known.expected_meters * unpublished.intervals, 0)
             + coalesce(known.reads_of_lengths, 0) AS reads
    FROM known
    FULL JOIN published USING (feeder_id)
    CROSS JOIN unpublished CROSS JOIN is_settled_published
  )
  SELECT feeder_id, settled_at, expected.meters,
         CASE WHEN settled_at IS NOT NULL THEN greatest(0, expected.meters - coalesce(at_settled.reads, 0)) END,
         expected.reads, coalesce(arrived.reads, 0)::numeric
  FROM expected LEFT JOIN arrived USING (feeder_id) LEFT JOIN at_settled USING (feeder_id)
  -- A feeder of an earlier, larger fleet is neither expected nor there.
  WHERE expected.reads > 0 OR arrived.reads > 0;
END $$;
COMMENT ON FUNCTION ami_feeder_completeness(text, date) IS
  'What was expected of each feeder on a day of the tenant''s zone and what arrived. An interval that was published expects the fleet '
  'that it was published for: of a registry fleet each feeder''s meters as the snapshot has them. An interval that '
  'was published both ways expects the feeders of both, and the larger number where both have a feeder. An interval '
  'that came otherwise expects ami_expected_meters. Intervals that are still being written count on neither side. '
  'interval_at is the day''s latest settled interval; expected_meters and silent_meters are of that interval.';
