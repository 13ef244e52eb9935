-- Automatic mode. What a tenant was started with; the schedulers in the queue follow this table, which is the truth.
CREATE TABLE ami_auto (
  tenant_id          text COLLATE "C" PRIMARY KEY,
  enabled            boolean     NOT NULL,
  interval_minutes   smallint    NOT NULL,
  batch_size         integer     NOT NULL,
  -- NULL: all that the registry has.
  meter_count        integer,
  feeder_count       integer,
  fleet              text        NOT NULL,
  seed               text,
  time_zone          text        NOT NULL,
  climate            text        NOT NULL,
  catch_up_intervals smallint    NOT NULL,
  -- Since when it has been enabled without a pause.
  started_at         timestamptz NOT NULL,
  changed_at         timestamptz NOT NULL,
  -- A clock that started at replay_from when it was replay_anchor, and runs replay_speed times as fast as life. Intervals
  -- before replay_next have been accepted. All NULL when no replay is under way.
  replay_from        timestamptz,
  replay_anchor      timestamptz,
  replay_speed       double precision,
  replay_next        timestamptz,
  -- What was asked for, also when it is over: the same start again begins no second one.
  replay_asked_from  timestamptz,
  replay_asked_speed double precision,
  CONSTRAINT ami_auto_interval_known CHECK (interval_minutes IN (15, 60)),
  CONSTRAINT ami_auto_fleet_known CHECK (fleet IN ('synthetic', 'registry')),
  CONSTRAINT ami_auto_synthetic_sized CHECK (fleet = 'registry' OR (meter_count IS NOT NULL AND feeder_count IS NOT NULL)),
  CONSTRAINT ami_auto_within_caps CHECK (
    batch_size BETWEEN 1 AND 500 AND meter_count BETWEEN 1 AND 25000 AND feeder_count BETWEEN 10 AND 40
    AND catch_up_intervals BETWEEN 1 AND 96),
  CONSTRAINT ami_auto_replay_whole CHECK (num_nulls(replay_from, replay_anchor, replay_speed, replay_next) IN (0, 4)),
  CONSTRAINT ami_auto_replay_speed CHECK (replay_speed BETWEEN 1 AND 900)
);
CREATE INDEX ami_auto_enabled ON ami_auto (tenant_id) WHERE enabled;

-- Which intervals of a tenant its automatic mode has taken on: by its key one publish an interval, whoever makes it and
-- however often a tick comes. Without a publish it is owed: it waits for room in the queue, also when catch-up would not
-- look as far back any more.
CREATE TABLE ami_ticks (
  tenant_id   text COLLATE "C" NOT NULL,
  read_at     timestamptz NOT NULL,
  -- When a tick came for it; NULL when it was taken on without one.
  claimed_at  timestamptz,
  -- Deferred: the claim is made before the publish it names, in the one transaction that accepts both.
  publish_id  uuid        REFERENCES ami_publishes ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  -- Of those that could not be published: how often it was tried, when it is next, and why not.
  attempts    integer     NOT NULL DEFAULT 0,
  next_try_at timestamptz,
  failure     text,
  PRIMARY KEY (tenant_id, read_at)
);
CREATE INDEX ami_ticks_by_publish ON ami_ticks (publish_id);
CREATE INDEX ami_ticks_owed ON ami_ticks (tenant_id, read_at) WHERE publish_id IS NULL;
