-- Phase 5: backfills, which fill a span of a tenant's past with reads, the newest interval first, in the background lane.
--
-- The cursor is the next interval to be looked at; what lies after it is in the ledger. It moves in the transaction that
-- accepts the interval's publish, so that a process that dies between two of them loses nothing and does nothing twice.
CREATE TABLE ami_backfills (
  backfill_id      uuid        PRIMARY KEY,
  tenant_id        text COLLATE "C" NOT NULL,
  from_at          timestamptz NOT NULL,
  -- Exclusive.
  to_at            timestamptz NOT NULL,
  interval_minutes smallint    NOT NULL,
  batch_size       integer     NOT NULL,
  -- NULL: all that the registry has.
  meter_count      integer,
  feeder_count     integer,
  fleet            text        NOT NULL,
  seed             text,
  time_zone        text        NOT NULL,
  climate          text        NOT NULL,
  request_id       text        NOT NULL,
  -- What one interval came to when the backfill was accepted; a registry may change meanwhile.
  interval_meters  integer     NOT NULL,
  interval_batches integer     NOT NULL,
  state            text        NOT NULL DEFAULT 'active',
  -- Whether there is still something to be accepted.
  is_open          boolean     NOT NULL DEFAULT true,
  cursor_at        timestamptz NOT NULL,
  -- Batches accepted for the interval at the cursor, of which parts are still to be accepted.
  cursor_batches   integer     NOT NULL DEFAULT 0,
  accepted_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  served_at        timestamptz,
  -- Why the interval at the cursor was not accepted, how often that was tried, and when it is next.
  trouble          text,
  attempts         integer     NOT NULL DEFAULT 0,
  next_try_at      timestamptz,
  -- What has come of the intervals after the cursor: batches that were there already, and the publishes that are over.
  -- The others are those in ami_backfill_publishes.
  covered_batches   integer    NOT NULL DEFAULT 0,
  done_batches      integer    NOT NULL DEFAULT 0,
  failed_batches    integer    NOT NULL DEFAULT 0,
  cancelled_batches integer    NOT NULL DEFAULT 0,
  done_intervals    integer    NOT NULL DEFAULT 0,
  -- Left alone, since intervals of another length have measured the same time; not among the done ones.
  overlapped_intervals integer NOT NULL DEFAULT 0,
  inserted          bigint     NOT NULL DEFAULT 0,
  updated           bigint     NOT NULL DEFAULT 0,
  duplicate         bigint     NOT NULL DEFAULT 0,
  skipped           bigint     NOT NULL DEFAULT 0,
  started_at        timestamptz,
  last_batch_at     timestamptz,
  -- Why a batch was given up; of several the first.
  failure           text,
  finished_at       timestamptz,
  CONSTRAINT ami_backfills_span CHECK (from_at < to_at AND cursor_at < to_at),
  CONSTRAINT ami_backfills_state_known CHECK (state IN ('active', 'done', 'failed', 'cancelled')),
  CONSTRAINT ami_backfills_over CHECK (CASE WHEN is_open OR state = 'active' THEN finished_at IS NULL END),
  CONSTRAINT ami_backfills_interval_known CHECK (interval_minutes IN (15, 60)),
  CONSTRAINT ami_backfills_fleet_known CHECK (fleet IN ('synthetic', 'registry')),
  CONSTRAINT ami_backfills_synthetic_sized CHECK (
    fleet = 'registry' OR (meter_count IS NOT NULL AND feeder_count IS NOT NULL)),
  CONSTRAINT ami_backfills_within_caps CHECK (
    batch_size BETWEEN 1 AND 500 AND meter_count BETWEEN 1 AND 25000 AND feeder_count BETWEEN 10 AND 40
    AND interval_meters BETWEEN 1 AND 25000 AND interval_batches BETWEEN 1 AND 50)
);
CREATE INDEX ami_backfills_by_tenant ON ami_backfills (tenant_id, accepted_at DESC);
CREATE INDEX ami_backfills_unfinished ON ami_backfills (tenant_id) WHERE finished_at IS NULL;

-- The publishes of a backfill that have not been added to its counters yet: those with a batch still to be written, and
-- for a second or two those without. So the ledger may forget a publish that is over, and nobody counts its history.
CREATE TABLE ami_backfill_publishes (
  -- Deferred: written before the publish it names, in the one transaction that accepts both.
  publish_id  uuid        PRIMARY KEY REFERENCES ami_publishes ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  backfill_id uuid        NOT NULL REFERENCES ami_backfills ON DELETE CASCADE,
  read_at     timestamptz NOT NULL
);
CREATE INDEX ami_backfill_publishes_by_backfill ON ami_backfill_publishes (backfill_id, read_at);
