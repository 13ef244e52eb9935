-- Automatic mode: which tenants publish by themselves, and which intervals that has taken on.
CREATE TABLE ami_auto (
  tenant_id          text COLLATE "C" PRIMARY KEY,
  enabled            boolean     NOT NULL,
  interval_minutes   smallint    NOT NULL,
  batch_size         integer     NOT NULL,
  meter_count        integer,
  feeder_count       integer,
  fleet              text        NOT NULL,
  seed               text,
  time_zone          text        NOT NULL,
  climate            text        NOT NULL,
  catch_up_intervals smallint    NOT NULL,
  started_at         timestamptz NOT NULL,
  changed_at         timestamptz NOT NULL,
  replay_from        timestamptz,
  replay_anchor      timestamptz,
  replay_speed       double precision,
  replay_next        timestamptz,
  replay_asked_from  timestamptz,
  replay_asked_speed double precision,
  model              smallint    NOT NULL DEFAULT 1,
  place              text,
  der                jsonb       NOT NULL DEFAULT '{}',
  network            jsonb       NOT NULL DEFAULT '{}',
  customers          jsonb       NOT NULL DEFAULT '{}',
  CONSTRAINT ami_auto_interval_known CHECK (interval_minutes IN (15, 60)),
  CONSTRAINT ami_auto_fleet_known CHECK (fleet IN ('synthetic', 'registry')),
  CONSTRAINT ami_auto_synthetic_sized CHECK (
    fleet = 'registry' OR (meter_count IS NOT NULL AND feeder_count IS NOT NULL)),
  CONSTRAINT ami_auto_within_caps CHECK (
    batch_size BETWEEN 1 AND 500 AND meter_count BETWEEN 1 AND 25000 AND feeder_count BETWEEN 10 AND 40
    AND catch_up_intervals BETWEEN 1 AND 96),
  CONSTRAINT ami_auto_replay_whole CHECK (num_nulls(replay_from, replay_anchor, replay_speed, replay_next) IN (0, 4)),
  CONSTRAINT ami_auto_replay_speed CHECK (replay_speed BETWEEN 1 AND 900)
);
CREATE INDEX ami_auto_enabled ON ami_auto (tenant_id) WHERE enabled;
COMMENT ON TABLE ami_auto IS
  'What each tenant''s automatic mode was started with. This table is the truth; the schedulers in the queue follow '
  'it.';
COMMENT ON COLUMN ami_auto.enabled IS 'Whether it runs.';
COMMENT ON COLUMN ami_auto.interval_minutes IS 'Length of the intervals in minutes.';
COMMENT ON COLUMN ami_auto.batch_size IS 'Meters per batch.';
COMMENT ON COLUMN ami_auto.meter_count IS 'Meters; NULL for all that the registry has.';
COMMENT ON COLUMN ami_auto.feeder_count IS 'Feeders; NULL for all that the registry has.';
COMMENT ON COLUMN ami_auto.fleet IS 'synthetic: made up by GridLens. registry: the tables of meters and feeders.';
COMMENT ON COLUMN ami_auto.seed IS 'What the random part of every read is made from; NULL for the default seed.';
COMMENT ON COLUMN ami_auto.time_zone IS 'IANA time zone whose local time the customers live by.';
COMMENT ON COLUMN ami_auto.climate IS 'Climate whose seasons shape the load: us or germany.';
COMMENT ON COLUMN ami_auto.model IS
  'Which customers: 1, or 2 or 3, who live in a place. A tenant keeps its model until it asks for another.';
COMMENT ON COLUMN ami_auto.place IS 'Whose weather, holidays and sun, of models 2 and 3; NULL of model 1, which has a climate.';
COMMENT ON COLUMN ami_auto.der IS
  'Shares of the homes, 0 to 1, with what stands behind the meter: pv, ev, heatPump, battery. Empty for none.';
COMMENT ON COLUMN ami_auto.network IS
  'How the network loses reads (quality: good or poor) and what may be wrong with meters (oddities). Empty for nothing.';
COMMENT ON COLUMN ami_auto.customers IS
  'Shares of trade and industry among the customers (commercial, industrial), 0 to 1. Empty for the usual ones.';
COMMENT ON COLUMN ami_auto.catch_up_intervals IS 'How many past intervals are made up for when they were missed.';
COMMENT ON COLUMN ami_auto.started_at IS 'Since when it has been enabled without a pause.';
COMMENT ON COLUMN ami_auto.replay_from IS
  'A replay has a clock of its own: it showed replay_from at replay_anchor, and runs replay_speed times as fast as '
  'real time. This column, replay_anchor, replay_speed and replay_next are all NULL when no replay is under way.';
COMMENT ON COLUMN ami_auto.replay_anchor IS 'Real time at which the replay''s clock showed replay_from.';
COMMENT ON COLUMN ami_auto.replay_speed IS 'How many times as fast as real time, 1 to 900.';
COMMENT ON COLUMN ami_auto.replay_next IS 'The next interval of the replay; all before it have been accepted.';
COMMENT ON COLUMN ami_auto.replay_asked_from IS
  'What the request asked for. It is kept after the replay is over, so that the same request begins no second one.';
COMMENT ON COLUMN ami_auto.replay_asked_speed IS 'Speed that the request asked for; replay_speed may be lower.';

CREATE TABLE ami_ticks (
  tenant_id   text COLLATE "C" NOT NULL,
  read_at     timestamptz NOT NULL,
  claimed_at  timestamptz,
  -- Deferred: the claim is made before the publish that it names, in the one transaction that accepts both.
  publish_id  uuid        REFERENCES ami_publishes ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  attempts    integer     NOT NULL DEFAULT 0,
  next_try_at timestamptz,
  failure     text,
  PRIMARY KEY (tenant_id, read_at)
);
CREATE INDEX ami_ticks_by_publish ON ami_ticks (publish_id);
CREATE INDEX ami_ticks_owed ON ami_ticks (tenant_id, read_at) WHERE publish_id IS NULL;
COMMENT ON TABLE ami_ticks IS
  'Intervals that a tenant''s automatic mode has taken on. The primary key allows one publish per interval, whoever '
  'makes it and however often a tick comes. A row without a publish is owed: it waits for room in the queue, even '
  'when catch-up would no longer look as far back.';
COMMENT ON COLUMN ami_ticks.read_at IS 'Start of the interval.';
COMMENT ON COLUMN ami_ticks.claimed_at IS 'When a tick came for it; NULL when it was taken on without one.';
COMMENT ON COLUMN ami_ticks.publish_id IS 'The publish that took it on; NULL while it is owed.';
COMMENT ON COLUMN ami_ticks.attempts IS 'How often publishing it has failed.';
COMMENT ON COLUMN ami_ticks.next_try_at IS 'When it is tried again after a failure.';
COMMENT ON COLUMN ami_ticks.failure IS 'Why it could not be published.';
