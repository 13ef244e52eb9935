-- The publish ledger: what was accepted, for which meters, and what each batch of it wrote. It alone decides what is
-- owed; the queue only wakes workers.
CREATE TABLE ami_publishes (
  publish_id       uuid        PRIMARY KEY,
  tenant_id        text COLLATE "C" NOT NULL,
  origin           text        NOT NULL,
  read_at          timestamptz NOT NULL,
  interval_minutes smallint    NOT NULL,
  seed             text        NOT NULL,
  meter_count      integer     NOT NULL,
  feeder_count     integer     NOT NULL,
  batch_size       integer     NOT NULL,
  batch_count      integer     NOT NULL,
  on_conflict      text        NOT NULL,
  request_id       text,
  accepted_at      timestamptz NOT NULL DEFAULT now(),
  range_from       integer     NOT NULL DEFAULT 0,
  range_to         integer     NOT NULL,
  time_zone        text        NOT NULL DEFAULT 'UTC',
  climate          text        NOT NULL DEFAULT 'us',
  fleet_id         bigint      REFERENCES ami_fleets,
  is_background    boolean     NOT NULL DEFAULT false,
  import_id        integer     REFERENCES ami_imports,
  import_batch     integer,
  hold_id          bigint,
  late_as_of       timestamptz,
  known_at         timestamptz,
  model            smallint    NOT NULL DEFAULT 1,
  place            text,
  der              jsonb       NOT NULL DEFAULT '{}',
  network          jsonb       NOT NULL DEFAULT '{}',
  customers        jsonb       NOT NULL DEFAULT '{}',
  CONSTRAINT ami_publishes_origin_known
    CHECK (origin IN ('manual', 'tick', 'catch-up', 'backfill', 'revision', 'import', 'late')),
  CONSTRAINT ami_publishes_late_complete
    CHECK ((origin = 'late') = (hold_id IS NOT NULL) AND (hold_id IS NULL) = (late_as_of IS NULL)
      AND (hold_id IS NULL) = (known_at IS NULL)),
  CONSTRAINT ami_publishes_import_complete
    CHECK ((origin = 'import') = (import_id IS NOT NULL) AND (import_id IS NULL) = (import_batch IS NULL)),
  CONSTRAINT ami_publishes_on_conflict_known CHECK (on_conflict IN ('nothing', 'update')),
  CONSTRAINT ami_publishes_interval_known CHECK (interval_minutes IN (15, 60)),
  -- A registry fleet's feeder_count is 0, and an import's. Processes of versions without them do not know fleet_id or
  -- import_id: they find a fleet here that they cannot make, rather than a synthetic one that is wrong.
  CONSTRAINT ami_publishes_within_caps CHECK (
    meter_count BETWEEN 1 AND 25000
    AND feeder_count BETWEEN CASE WHEN fleet_id IS NULL AND import_id IS NULL THEN 10 ELSE 0 END AND 40
    AND batch_size BETWEEN 1 AND 500 AND batch_count BETWEEN 1 AND 200),
  CONSTRAINT ami_publishes_range_within_fleet
    CHECK (0 <= range_from AND range_from < range_to AND range_to <= meter_count)
);
-- A tenant's recent publishes.
CREATE INDEX ami_publishes_by_tenant ON ami_publishes (tenant_id, accepted_at DESC);
-- Which publish made an interval that is to be revised.
CREATE INDEX ami_publishes_by_interval ON ami_publishes (tenant_id, read_at DESC);
-- Whether any publish names a snapshot: one that no publish names may be deleted.
CREATE INDEX ami_publishes_by_fleet ON ami_publishes (fleet_id) WHERE fleet_id IS NOT NULL;
-- What of an import has been accepted.
CREATE INDEX ami_publishes_by_import ON ami_publishes (import_id) WHERE import_id IS NOT NULL;
-- Which publishes are old enough for the ledger to forget.
CREATE INDEX ami_publishes_by_age ON ami_publishes (accepted_at);
COMMENT ON TABLE ami_publishes IS
  'Publishes that were accepted: one interval of a tenant''s fleet, or of a part of it. Its batches are in '
  'ami_publish_batches. A batch is marked done in the transaction that writes its reads, so ledger and reads cannot '
  'disagree; a batch that is pending here and no longer in any queue is enqueued again from these two tables alone.';
COMMENT ON COLUMN ami_publishes.origin IS
  'What asked for it: a request (manual), automatic mode for the running interval (tick) or for one that was missed '
  '(catch-up), a backfill, an event with applyNow that revises an interval (revision), a file (import), or the end of an '
  'outage whose reads the meters have kept (late).';
COMMENT ON COLUMN ami_publishes.read_at IS
  'Start of the interval, which all its reads carry. Of an import: when the first of its reads begins; each has its own.';
COMMENT ON COLUMN ami_publishes.interval_minutes IS
  'Length of the interval in minutes. Of an import it says nothing: each read has its own.';
COMMENT ON COLUMN ami_publishes.seed IS
  'What the random part of every read is made from: the same seed gives the same reads.';
COMMENT ON COLUMN ami_publishes.meter_count IS
  'Size of the fleet, which decides where in the line each meter stands. Of a registry fleet: its first meter_count '
  'positions are the fleet of this publish.';
COMMENT ON COLUMN ami_publishes.feeder_count IS
  'Feeders of the synthetic fleet; 0 for a registry fleet, whose snapshot has its feeders.';
COMMENT ON COLUMN ami_publishes.batch_size IS 'Meters per batch; the last batch may have fewer.';
COMMENT ON COLUMN ami_publishes.batch_count IS 'Number of batches.';
COMMENT ON COLUMN ami_publishes.on_conflict IS
  'What happens to a read that is already there: nothing, or update, which gives it the new measured values.';
COMMENT ON COLUMN ami_publishes.request_id IS 'Id of the request that it came from, as in the log.';
COMMENT ON COLUMN ami_publishes.range_from IS
  'First position that is published, in the line of meters. A revision, for example, publishes one feeder alone.';
COMMENT ON COLUMN ami_publishes.range_to IS 'Position after the last one that is published.';
COMMENT ON COLUMN ami_publishes.time_zone IS 'IANA time zone whose local time the customers live by.';
COMMENT ON COLUMN ami_publishes.climate IS 'Climate whose seasons shape the load: us or germany.';
COMMENT ON COLUMN ami_publishes.model IS
  'Which customers: 1, or 2 or 3, who live in a place. A tenant keeps its model until it asks for another.';
COMMENT ON COLUMN ami_publishes.place IS 'Whose weather, holidays and sun, of models 2 and 3; NULL of model 1, which has a climate.';
COMMENT ON COLUMN ami_publishes.der IS
  'Shares of the homes, 0 to 1, with what stands behind the meter: pv, ev, heatPump, battery. Empty for none.';
COMMENT ON COLUMN ami_publishes.network IS
  'How the network loses reads (quality: good or poor) and what may be wrong with meters (oddities). Empty for nothing.';
COMMENT ON COLUMN ami_publishes.customers IS
  'Shares of trade and industry among the customers (commercial, industrial), 0 to 1. Empty for the usual ones.';
COMMENT ON COLUMN ami_publishes.fleet_id IS
  'Snapshot of a registry fleet: ami_fleets.fleet_id; NULL for the synthetic fleet.';
COMMENT ON COLUMN ami_publishes.import_id IS 'The file that its reads come from: ami_imports.import_id; else NULL.';
COMMENT ON COLUMN ami_publishes.import_batch IS
  'Which of the import''s batches (ami_import_values.batch) its first batch is; the others follow.';
COMMENT ON COLUMN ami_publishes.hold_id IS 'Of a late delivery: what it delivers, ami_held_reads.hold_id; else NULL.';
COMMENT ON COLUMN ami_publishes.late_as_of IS
  'Of a late delivery: its instant, by the tenant''s clock. Outages that are over by then hold nothing back any more.';
COMMENT ON COLUMN ami_publishes.known_at IS
  'Of a late delivery: when its reads would have been made without the outage. Events that were posted later are not in '
  'them.';
COMMENT ON COLUMN ami_publishes.is_background IS
  'Lane. Live work (false) goes first. Background work (true: catch-up of past intervals, replays, backfills) fills '
  'what live work leaves free. Whatever a process of a version without lanes accepts is live.';

CREATE TABLE ami_publish_batches (
  publish_id   uuid        NOT NULL REFERENCES ami_publishes ON DELETE CASCADE,
  batch_number smallint    NOT NULL,
  tenant_id    text COLLATE "C" NOT NULL,
  meters       smallint    NOT NULL,
  due_at       timestamptz NOT NULL,
  state        text        NOT NULL DEFAULT 'pending',
  started_at   timestamptz,
  finished_at  timestamptz,
  inserted     integer,
  updated      integer,
  duplicate    integer,
  skipped      integer,
  failure      text,
  is_background boolean    NOT NULL DEFAULT false,
  PRIMARY KEY (publish_id, batch_number),
  CONSTRAINT ami_publish_batches_state_known CHECK (state IN ('pending', 'done', 'failed', 'cancelled')),
  CONSTRAINT ami_publish_batches_done_adds_up CHECK (
    state <> 'done' OR inserted + updated + duplicate + skipped = meters),
  CONSTRAINT ami_publish_batches_failed_has_reason CHECK ((state = 'failed') = (failure IS NOT NULL))
);
-- What is still owed: never more rows than the queue may hold, however long the ledger is.
CREATE INDEX ami_publish_batches_pending ON ami_publish_batches (due_at) WHERE state = 'pending';
-- Recent jobs and the ingestion rate of a tenant.
CREATE INDEX ami_publish_batches_finished ON ami_publish_batches (tenant_id, finished_at) WHERE finished_at IS NOT NULL;
-- Whether live work is due: asked before a background batch may start.
CREATE INDEX ami_publish_batches_live_pending ON ami_publish_batches (due_at)
  WHERE state = 'pending' AND NOT is_background;
-- Whether live work moves: the grant of a background start and readiness look at the end of this index.
CREATE INDEX ami_publish_batches_live_ended ON ami_publish_batches (finished_at)
  WHERE state IN ('done', 'failed') AND NOT is_background;
COMMENT ON TABLE ami_publish_batches IS 'The batches of each publish: what is owed, and what was written.';
COMMENT ON COLUMN ami_publish_batches.batch_number IS 'Place within the publish.';
COMMENT ON COLUMN ami_publish_batches.meters IS
  'Meters of the batch. Once done, the four counts of reads add up to it.';
COMMENT ON COLUMN ami_publish_batches.due_at IS
  'When it is to start at the earliest, by the limit of reads per second.';
COMMENT ON COLUMN ami_publish_batches.state IS
  'pending: still owed. done: its reads are written. failed: given up, with the reason in failure. cancelled: '
  'withdrawn before it was written.';
COMMENT ON COLUMN ami_publish_batches.inserted IS 'Reads that were new.';
COMMENT ON COLUMN ami_publish_batches.updated IS 'Reads that were there and got new measured values.';
COMMENT ON COLUMN ami_publish_batches.duplicate IS 'Reads that were there and were left as they are.';
COMMENT ON COLUMN ami_publish_batches.skipped IS 'Meters without a read, since an event kept it away (comms-outage).';
COMMENT ON COLUMN ami_publish_batches.failure IS 'Why the batch was given up; NULL unless its state is failed.';
COMMENT ON COLUMN ami_publish_batches.is_background IS
  'Lane of the publish. The column is repeated here, since the grant of a start looks for it five to a hundred times '
  'per second.';

CREATE TABLE ami_written_reads (
  publish_id   uuid             NOT NULL,
  batch_number smallint         NOT NULL,
  tenant_id    text COLLATE "C" NOT NULL,
  read_at      timestamptz      NOT NULL,
  meter_ids    text[] COLLATE "C" NOT NULL,
  interval_minutes smallint,
  PRIMARY KEY (publish_id, batch_number, read_at),
  FOREIGN KEY (publish_id, batch_number) REFERENCES ami_publish_batches ON DELETE CASCADE
);
CREATE INDEX ami_written_reads_by_interval ON ami_written_reads (tenant_id, read_at);
COMMENT ON TABLE ami_written_reads IS
  'Which reads in a customer''s table GridLens has written, by batch and interval. A revision may change these, and '
  'never a read that a real meter has measured. Stays empty where GridLens made the table of reads: every read is '
  'its own there.';
COMMENT ON COLUMN ami_written_reads.batch_number IS 'Batch of the publish: ami_publish_batches.batch_number.';
COMMENT ON COLUMN ami_written_reads.read_at IS 'Start of the interval.';
COMMENT ON COLUMN ami_written_reads.meter_ids IS 'Meters whose read of the interval the batch inserted.';
COMMENT ON COLUMN ami_written_reads.interval_minutes IS
  'Length of imported reads; NULL of emulated ones, which are as long as their publish says.';

CREATE TABLE ami_held_reads (
  hold_id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  publish_id   uuid        NOT NULL,
  batch_number smallint    NOT NULL,
  tenant_id    text COLLATE "C" NOT NULL,
  feeder_id    text COLLATE "C" NOT NULL,
  read_at      timestamptz NOT NULL,
  range_from   integer     NOT NULL,
  range_to     integer     NOT NULL,
  reads        smallint    NOT NULL,
  event_ids    uuid[]      NOT NULL,
  known_at     timestamptz NOT NULL,
  place        double precision NOT NULL,
  state        text        NOT NULL DEFAULT 'held',
  attempts     integer     NOT NULL DEFAULT 0,
  next_try_at  timestamptz,
  delivered_by uuid,
  failure      text,
  due_at       timestamptz,
  FOREIGN KEY (publish_id, batch_number) REFERENCES ami_publish_batches ON DELETE CASCADE,
  CONSTRAINT ami_held_reads_state_known CHECK (state IN ('held', 'sent', 'delivered', 'lost')),
  CONSTRAINT ami_held_reads_lost_has_reason CHECK (state <> 'lost' OR failure IS NOT NULL),
  CONSTRAINT ami_held_reads_sent_by CHECK (state NOT IN ('sent', 'delivered') OR delivered_by IS NOT NULL),
  CONSTRAINT ami_held_reads_range CHECK (0 <= range_from AND range_from < range_to)
);
-- What is still to be delivered, in its order: of each set of outages the next, whatever waits behind outages under way.
CREATE INDEX ami_held_reads_open ON ami_held_reads (tenant_id, event_ids, place) WHERE state = 'held';
-- Whether reads are held back already.
CREATE INDEX ami_held_reads_by_interval ON ami_held_reads (tenant_id, read_at) WHERE state = 'held';
-- Deliveries under way.
CREATE INDEX ami_held_reads_sent ON ami_held_reads (tenant_id) WHERE state = 'sent';
-- What goes with a batch that the ledger forgets.
CREATE INDEX ami_held_reads_by_batch ON ami_held_reads (publish_id, batch_number);
-- How much of an outage has been delivered.
CREATE INDEX ami_held_reads_by_event ON ami_held_reads USING gin (event_ids);
COMMENT ON TABLE ami_held_reads IS
  'Reads that outages have held back, or that a fleet''s lateness brings later, by batch and feeder: the meters keep them and '
  'deliver them afterwards, with a publish of origin late. A row is written in the transaction of the batch that left its reads out, so that nothing of '
  'a delivery is known by a process alone.';
COMMENT ON COLUMN ami_held_reads.hold_id IS 'Number of the row, rising.';
COMMENT ON COLUMN ami_held_reads.batch_number IS 'Batch of the publish that left the reads out.';
COMMENT ON COLUMN ami_held_reads.read_at IS 'Start of the interval.';
COMMENT ON COLUMN ami_held_reads.range_from IS
  'First position on the publish''s roster that the delivery covers. Reads in between that are there stay as they are.';
COMMENT ON COLUMN ami_held_reads.range_to IS 'Position after the last one.';
COMMENT ON COLUMN ami_held_reads.reads IS
  'How many reads were held back; 0 of a row that only has others delivered twice, as a head-end would.';
COMMENT ON COLUMN ami_held_reads.event_ids IS
  'The outages that hold the reads back: ami_events.id. Once one of them is over, what no other holds is delivered.';
COMMENT ON COLUMN ami_held_reads.known_at IS
  'When the reads were left out. They are delivered with the events that were known then.';
COMMENT ON COLUMN ami_held_reads.place IS 'Place in the order of delivery, from 0 to 1, drawn from the seed.';
COMMENT ON COLUMN ami_held_reads.state IS
  'held: an outage lasts, or the delivery''s turn has not come. sent: the delivery was accepted. delivered: it is written. '
  'lost: it will not be delivered, for the reason in failure.';
COMMENT ON COLUMN ami_held_reads.attempts IS 'How often in a row it could not be delivered.';
COMMENT ON COLUMN ami_held_reads.next_try_at IS 'When that is tried again.';
COMMENT ON COLUMN ami_held_reads.delivered_by IS 'The publish that delivers it, the last one accepted.';
COMMENT ON COLUMN ami_held_reads.failure IS 'Why it could not be delivered.';
COMMENT ON COLUMN ami_held_reads.due_at IS
  'When the reads come in, by the tenant''s clock, where a fleet''s lateness and no outage holds them back: event_ids is '
  'empty then. NULL of an outage.';

CREATE TABLE ami_pruned_days (
  tenant_id text COLLATE "C" NOT NULL,
  day       date NOT NULL,
  has_quarters boolean NOT NULL,
  has_hours    boolean NOT NULL,
  PRIMARY KEY (tenant_id, day)
);
COMMENT ON TABLE ami_pruned_days IS
  'UTC days of which the ledger has forgotten publishes: how their reads were made can no longer be told. One row '
  'per day rather than one date, since a later backfill may fill an older day, and the ledger knows all of that one.';
COMMENT ON COLUMN ami_pruned_days.day IS 'UTC day of read_at.';
COMMENT ON COLUMN ami_pruned_days.has_quarters IS 'Whether publishes of 15-minute intervals were forgotten.';
COMMENT ON COLUMN ami_pruned_days.has_hours IS 'Whether publishes of 60-minute intervals were forgotten.';
