-- Registry fleets: what a tenant's own meters and feeders looked like when a publish found them changed. A snapshot is
-- never altered, so a batch that runs late, again, or after the queue was lost, still means the meters it meant when it
-- was accepted, and a job needs to name no more than the snapshot and a range of positions.
CREATE TABLE ami_fleets (
  fleet_id    bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id   text COLLATE "C" NOT NULL,
  -- Of meters, feeders and their order.
  fingerprint text COLLATE "C" NOT NULL,
  meter_count  integer         NOT NULL,
  feeder_count integer         NOT NULL,
  -- Feeders of the synthetic fleet that the meters named like its meters are of; NULL where there are none.
  synthetic_feeder_count integer,
  created_at  timestamptz      NOT NULL DEFAULT now(),
  -- A registry that is again as it was before has its old snapshot back.
  CONSTRAINT ami_fleets_once UNIQUE (tenant_id, fingerprint),
  CONSTRAINT ami_fleets_within_caps CHECK (meter_count BETWEEN 1 AND 25000 AND feeder_count BETWEEN 1 AND 40),
  CONSTRAINT ami_fleets_synthetic_within_caps CHECK (synthetic_feeder_count BETWEEN 10 AND 40)
);

-- The line of meters: by feeder, then by meter, both in byte order. Positions count from 0.
--
-- Without a foreign key to ami_fleets: its trigger would run for each of 25,000 meters, and a snapshot take 194 ms in
-- place of 31 while its publish waits. The meters are only ever written in the statement that makes the snapshot, and
-- deleted in the transaction that deletes it.
CREATE TABLE ami_fleet_meters (
  fleet_id  bigint           NOT NULL,
  position  integer          NOT NULL,
  feeder_id text COLLATE "C" NOT NULL,
  meter_id  text COLLATE "C" NOT NULL,
  PRIMARY KEY (fleet_id, position)
);

-- Where each feeder stands on the line: the positions [range_from, range_to).
CREATE TABLE ami_fleet_feeders (
  fleet_id   bigint           NOT NULL REFERENCES ami_fleets ON DELETE CASCADE,
  feeder_id  text COLLATE "C" NOT NULL,
  range_from integer          NOT NULL,
  range_to   integer          NOT NULL,
  PRIMARY KEY (fleet_id, feeder_id),
  CONSTRAINT ami_fleet_feeders_range CHECK (0 <= range_from AND range_from < range_to)
);

-- NULL: the synthetic fleet. Of a registry fleet the first meter_count positions of its line are the publish's fleet.
ALTER TABLE ami_publishes ADD COLUMN fleet_id bigint REFERENCES ami_fleets;
-- Whether any publish names a snapshot, for those that none does.
CREATE INDEX ami_publishes_by_fleet ON ami_publishes (fleet_id) WHERE fleet_id IS NOT NULL;
-- A registry fleet's feeders are its snapshot's, and its feeder_count is 0: processes from before registry fleets know
-- nothing of fleet_id, and find in the ledger a fleet that they cannot make, rather than a synthetic one.
ALTER TABLE ami_publishes
  DROP CONSTRAINT ami_publishes_within_caps,
  ADD CONSTRAINT ami_publishes_within_caps CHECK (
    meter_count BETWEEN 1 AND 25000
    AND feeder_count BETWEEN CASE WHEN fleet_id IS NULL THEN 10 ELSE 0 END AND 40
    AND batch_size BETWEEN 1 AND 500 AND batch_count BETWEEN 1 AND 200);

-- As phase 3 has it, and for an interval that was published for a registry fleet each feeder's meters as its snapshot
-- has them. One that was published both ways expects the feeders of both, and of one that both have the larger number.
CREATE OR REPLACE FUNCTION ami_feeder_completeness(for_tenant text, for_day date)
RETURNS TABLE (feeder_id text, interval_at timestamptz, expected_meters bigint, silent_meters bigint,
  expected_reads numeric, arrived_reads numeric)
LANGUAGE plpgsql STABLE ROWS 25 SET search_path FROM CURRENT SET jit = off AS $$
#variable_conflict use_column
DECLARE
  day_start timestamptz := for_day::timestamp AT TIME ZONE 'UTC';
  day_end timestamptz := (for_day + 1)::timestamp AT TIME ZONE 'UTC';
  being_written timestamptz[] := ami_intervals_being_written(for_tenant);
  settled_at timestamptz := ami_latest_settled_interval(for_tenant, day_start, day_end);
BEGIN
  RETURN QUERY
  WITH governing AS (
    -- In the order of src/stores/publishedIntervals.ts.
    SELECT DISTINCT ON (read_at, fleet_id IS NULL) read_at, meter_count, feeder_count, fleet_id FROM ami_publishes
    WHERE tenant_id = for_tenant AND read_at >= day_start AND read_at < day_end AND origin <> 'revision'
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
  ), unpublished AS (
    SELECT bit_count(coalesce(bit_or(quarter_hours), 0::bit(96))
             & ~coalesce((SELECT bit_or(ami_quarter_hour_bit(at)) FROM (
                 SELECT read_at AS at FROM fleets
                 UNION ALL SELECT at FROM unnest(being_written) AS at WHERE at >= day_start AND at < day_end) counted),
               0::bit(96))) AS intervals
    FROM ami_feeder_days WHERE tenant_id = for_tenant AND day = for_day
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
    SELECT feeder_id, coalesce(CASE WHEN yes THEN published.meters ELSE known.expected_meters END, 0) AS meters,
           coalesce(published.reads, 0) + coalesce(known.expected_meters * unpublished.intervals, 0) AS reads
    FROM ami_expected_meters(for_tenant, for_day) known
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
