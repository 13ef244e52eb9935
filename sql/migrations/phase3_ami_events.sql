-- Pilot events: what is done to a feeder's reads while it lasts (decisions 6 to 9). They live here and nowhere else,
-- so they survive every restart. Whether one applies to a read is a matter of time alone, [start_at, end_at) against
-- the read's interval; is_active only says to people and SQL that it is not over yet, and follows within seconds.
--
-- IF NOT EXISTS: a customer may have made the brief's table already. Theirs stays as it is and gets the columns it
-- lacks; constraints are put on no table but our own, since its writers do not know them.
CREATE TABLE IF NOT EXISTS ami_events (
  id             uuid             PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id      text COLLATE "C" NOT NULL,
  feeder_id      text COLLATE "C" NOT NULL,
  event_type     text             NOT NULL,
  severity       numeric          NOT NULL DEFAULT 0.5,
  start_at       timestamptz      NOT NULL DEFAULT now(),
  end_at         timestamptz      NOT NULL,
  is_active      boolean          NOT NULL DEFAULT true,
  created_at     timestamptz      NOT NULL DEFAULT now(),
  -- At most one of the two narrows the event to some of the feeder's meters.
  meter_ids      text[],
  meter_fraction numeric,
  stopped_at     timestamptz,
  CONSTRAINT ami_events_type_known CHECK (event_type IN ('theft', 'comms-outage', 'voltage-sag')),
  CONSTRAINT ami_events_severity_in_range CHECK (severity BETWEEN 0 AND 1),
  CONSTRAINT ami_events_end_not_before_start CHECK (end_at >= start_at),
  CONSTRAINT ami_events_fraction_in_range CHECK (meter_fraction > 0 AND meter_fraction <= 1),
  CONSTRAINT ami_events_one_selection CHECK (meter_ids IS NULL OR meter_fraction IS NULL)
);
ALTER TABLE ami_events ADD COLUMN IF NOT EXISTS created_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE ami_events ADD COLUMN IF NOT EXISTS meter_ids text[];
ALTER TABLE ami_events ADD COLUMN IF NOT EXISTS meter_fraction numeric;
ALTER TABLE ami_events ADD COLUMN IF NOT EXISTS stopped_at timestamptz;

COMMENT ON TABLE ami_events IS
  'Events that change the reads of a feeder whose interval overlaps [start_at, end_at). An event that was stopped before it began has end_at = start_at and changes nothing.';

CREATE INDEX IF NOT EXISTS ami_events_by_feeder ON ami_events (tenant_id, feeder_id, is_active, end_at);
-- What every batch asks: the tenant's events that are not over before its interval.
CREATE INDEX IF NOT EXISTS ami_events_by_end ON ami_events (tenant_id, end_at);
CREATE INDEX IF NOT EXISTS ami_events_to_expire ON ami_events (end_at) WHERE is_active;

-- A publish may cover a part of its fleet's line, as a revision does with one feeder: meter_count stays the size of
-- the fleet, which decides who stands where, and [range_from, range_to) says which positions are published.
ALTER TABLE ami_publishes
  ADD COLUMN range_from integer NOT NULL DEFAULT 0,
  ADD COLUMN range_to integer,
  ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC',
  ADD COLUMN climate text NOT NULL DEFAULT 'us';
UPDATE ami_publishes SET range_to = meter_count;
ALTER TABLE ami_publishes
  ALTER COLUMN range_to SET NOT NULL,
  ADD CONSTRAINT ami_publishes_range_within_fleet
    CHECK (0 <= range_from AND range_from < range_to AND range_to <= meter_count);
-- Which publish made an interval that is to be revised.
CREATE INDEX ami_publishes_by_interval ON ami_publishes (tenant_id, read_at DESC);
