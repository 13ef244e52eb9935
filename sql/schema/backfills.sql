-- Backfills: a span of a tenant's past is filled with reads in the background lane, the newest interval first.
CREATE TABLE ami_backfills (
  backfill_id      uuid        PRIMARY KEY,
  tenant_id        text COLLATE "C" NOT NULL,
  from_at          timestamptz NOT NULL,
  to_at            timestamptz NOT NULL,
  interval_minutes smallint    NOT NULL,
  batch_size       integer     NOT NULL,
  meter_count      integer,
  feeder_count     integer,
  fleet            text        NOT NULL,
  seed             text,
  time_zone        text        NOT NULL,
  climate          text        NOT NULL,
  request_id       text        NOT NULL,
  interval_meters  integer     NOT NULL,
  interval_batches integer     NOT NULL,
  state            text        NOT NULL DEFAULT 'active',
  is_open          boolean     NOT NULL DEFAULT true,
  cursor_at        timestamptz NOT NULL,
  cursor_batches   integer     NOT NULL DEFAULT 0,
  accepted_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  served_at        timestamptz,
  trouble          text,
  attempts         integer     NOT NULL DEFAULT 0,
  next_try_at      timestamptz,
  covered_batches   integer    NOT NULL DEFAULT 0,
  done_batches      integer    NOT NULL DEFAULT 0,
  failed_batches    integer    NOT NULL DEFAULT 0,
  cancelled_batches integer    NOT NULL DEFAULT 0,
  done_intervals    integer    NOT NULL DEFAULT 0,
  overlapped_intervals integer NOT NULL DEFAULT 0,
  inserted          bigint     NOT NULL DEFAULT 0,
  updated           bigint     NOT NULL DEFAULT 0,
  duplicate         bigint     NOT NULL DEFAULT 0,
  skipped           bigint     NOT NULL DEFAULT 0,
  started_at        timestamptz,
  last_batch_at     timestamptz,
  failure           text,
  finished_at       timestamptz,
  model             smallint    NOT NULL DEFAULT 1,
  place             text,
  der               jsonb       NOT NULL DEFAULT '{}',
  network           jsonb       NOT NULL DEFAULT '{}',
  customers         jsonb       NOT NULL DEFAULT '{}',
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
COMMENT ON TABLE ami_backfills IS
  'Backfills, one row each. The cursor is the interval to be looked at next; later intervals are in the ledger. It '
  'moves in the transaction that accepts the interval''s publish, so a process that dies between two intervals loses '
  'nothing and does nothing twice. The counters hold what has come of the intervals after the cursor; publishes that '
  'are not over are in ami_backfill_publishes instead.';
COMMENT ON COLUMN ami_backfills.from_at IS 'Start of the span.';
COMMENT ON COLUMN ami_backfills.to_at IS 'End of the span, exclusive.';
COMMENT ON COLUMN ami_backfills.interval_minutes IS 'Length of the intervals in minutes.';
COMMENT ON COLUMN ami_backfills.batch_size IS 'Meters per batch.';
COMMENT ON COLUMN ami_backfills.meter_count IS 'Meters; NULL for all that the registry has.';
COMMENT ON COLUMN ami_backfills.feeder_count IS 'Feeders; NULL for all that the registry has.';
COMMENT ON COLUMN ami_backfills.fleet IS 'synthetic: made up by GridLens. registry: the tables of meters and feeders.';
COMMENT ON COLUMN ami_backfills.seed IS 'What the random part of every read is made from; NULL for the default seed.';
COMMENT ON COLUMN ami_backfills.time_zone IS 'IANA time zone whose local time the customers live by.';
COMMENT ON COLUMN ami_backfills.climate IS 'Climate whose seasons shape the load: us or germany.';
COMMENT ON COLUMN ami_backfills.model IS
  'Which customers: 1, or 2 or 3, who live in a place. A tenant keeps its model until it asks for another.';
COMMENT ON COLUMN ami_backfills.place IS 'Whose weather, holidays and sun, of models 2 and 3; NULL of model 1, which has a climate.';
COMMENT ON COLUMN ami_backfills.der IS
  'Shares of the homes, 0 to 1, with what stands behind the meter: pv, ev, heatPump, battery. Empty for none.';
COMMENT ON COLUMN ami_backfills.network IS
  'How the network loses reads (quality: good or poor) and what may be wrong with meters (oddities). Empty for nothing.';
COMMENT ON COLUMN ami_backfills.customers IS
  'Shares of trade and industry among the customers (commercial, industrial), 0 to 1. Empty for the usual ones.';
COMMENT ON COLUMN ami_backfills.request_id IS 'Id of the request that it came from, as in the log.';
COMMENT ON COLUMN ami_backfills.interval_meters IS
  'Meters of one interval when the backfill was accepted; a registry may have changed since.';
COMMENT ON COLUMN ami_backfills.interval_batches IS 'Batches of one interval when the backfill was accepted.';
COMMENT ON COLUMN ami_backfills.state IS 'active, done, failed or cancelled.';
COMMENT ON COLUMN ami_backfills.is_open IS 'Whether anything is still to be accepted.';
COMMENT ON COLUMN ami_backfills.cursor_at IS 'Start of the interval that is looked at next.';
COMMENT ON COLUMN ami_backfills.cursor_batches IS
  'Batches that were accepted for the interval at the cursor while others of it are still to be accepted.';
COMMENT ON COLUMN ami_backfills.served_at IS 'When it last had its turn; the one that has waited longest is next.';
COMMENT ON COLUMN ami_backfills.trouble IS 'Why the interval at the cursor was not accepted.';
COMMENT ON COLUMN ami_backfills.attempts IS 'How often accepting the interval at the cursor has failed.';
COMMENT ON COLUMN ami_backfills.next_try_at IS 'When it is tried again.';
COMMENT ON COLUMN ami_backfills.covered_batches IS 'Batches that were there already.';
COMMENT ON COLUMN ami_backfills.done_batches IS 'Batches that were written.';
COMMENT ON COLUMN ami_backfills.failed_batches IS 'Batches that were given up.';
COMMENT ON COLUMN ami_backfills.cancelled_batches IS 'Batches that were withdrawn before they were written.';
COMMENT ON COLUMN ami_backfills.done_intervals IS 'Intervals that are whole.';
COMMENT ON COLUMN ami_backfills.overlapped_intervals IS
  'Intervals that were left alone, since intervals of another length have measured the same time; not among the done '
  'ones.';
COMMENT ON COLUMN ami_backfills.inserted IS 'Reads that were new.';
COMMENT ON COLUMN ami_backfills.updated IS 'Reads that were there and got new measured values.';
COMMENT ON COLUMN ami_backfills.duplicate IS 'Reads that were there and were left as they are.';
COMMENT ON COLUMN ami_backfills.skipped IS 'Meters without a read, since an event kept it away.';
COMMENT ON COLUMN ami_backfills.started_at IS 'When its first batch started.';
COMMENT ON COLUMN ami_backfills.last_batch_at IS 'When its last batch so far ended.';
COMMENT ON COLUMN ami_backfills.failure IS 'Why a batch was given up; the first reason when there are several.';

CREATE TABLE ami_backfill_publishes (
  -- Deferred: the row is written before the publish that it names, in the one transaction that accepts both.
  publish_id  uuid        PRIMARY KEY REFERENCES ami_publishes ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  backfill_id uuid        NOT NULL REFERENCES ami_backfills ON DELETE CASCADE,
  read_at     timestamptz NOT NULL
);
CREATE INDEX ami_backfill_publishes_by_backfill ON ami_backfill_publishes (backfill_id, read_at);
COMMENT ON TABLE ami_backfill_publishes IS
  'Publishes of a backfill that its counters do not hold yet: those with a batch still to be written, and for a '
  'second or two those without one. The ledger may therefore forget a publish that is over, and nobody has to count '
  'its history.';
COMMENT ON COLUMN ami_backfill_publishes.read_at IS 'Start of the interval.';
