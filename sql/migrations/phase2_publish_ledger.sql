-- The publish ledger: what was accepted, by what, and what each batch of it wrote. A batch is marked done in
-- the statement that writes its reads, so the ledger and the reads cannot disagree; a batch that is pending
-- here and in no queue any more is enqueued again from this table alone.
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
  CONSTRAINT ami_publishes_origin_known CHECK (origin IN ('manual', 'tick', 'catch-up', 'backfill', 'revision')),
  CONSTRAINT ami_publishes_on_conflict_known CHECK (on_conflict IN ('nothing', 'update')),
  CONSTRAINT ami_publishes_interval_known CHECK (interval_minutes IN (15, 60)),
  CONSTRAINT ami_publishes_within_caps CHECK (
    meter_count BETWEEN 1 AND 25000 AND feeder_count BETWEEN 10 AND 40
    AND batch_size BETWEEN 1 AND 500 AND batch_count BETWEEN 1 AND 200)
);
CREATE INDEX ami_publishes_by_tenant ON ami_publishes (tenant_id, accepted_at DESC);

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
  PRIMARY KEY (publish_id, batch_number),
  CONSTRAINT ami_publish_batches_state_known CHECK (state IN ('pending', 'done', 'failed', 'cancelled')),
  CONSTRAINT ami_publish_batches_done_adds_up CHECK (
    state <> 'done' OR inserted + updated + duplicate + skipped = meters),
  CONSTRAINT ami_publish_batches_failed_has_reason CHECK ((state = 'failed') = (failure IS NOT NULL))
);
-- What is still owed: at most the queue's bound of rows, however long the ledger.
CREATE INDEX ami_publish_batches_pending ON ami_publish_batches (due_at) WHERE state = 'pending';
-- Recent jobs and the ingestion rate of a tenant.
CREATE INDEX ami_publish_batches_finished ON ami_publish_batches (tenant_id, finished_at) WHERE finished_at IS NOT NULL;

-- Pacing: one row for the whole deployment, holding two instants up to which the read limit is already spent:
-- by batches promised a due time at admission, and by batches the workers were allowed to start.
CREATE TABLE ami_pacing (
  only_row   boolean     PRIMARY KEY DEFAULT true,
  due_until  timestamptz NOT NULL DEFAULT '-infinity',
  start_until timestamptz NOT NULL DEFAULT '-infinity',
  CONSTRAINT ami_pacing_only_row CHECK (only_row)
) WITH (fillfactor = 10);
INSERT INTO ami_pacing DEFAULT VALUES;

-- Reserves due times for `reads` reads behind all that were promised before; answers in how many ms the first
-- is due. What is promised never reaches further than the 500 jobs that may be queued: a clock that was set
-- back must not put everything off by as much.
CREATE FUNCTION ami_reserve_due_time(reads double precision, reads_per_second double precision)
RETURNS double precision LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  asked_at timestamptz := clock_timestamp();
  first_due timestamptz;
BEGIN
  SELECT least(greatest(due_until, asked_at), asked_at + 500 * 500 / reads_per_second * interval '1 s')
  INTO STRICT first_due FROM ami_pacing FOR UPDATE;
  UPDATE ami_pacing SET due_until = first_due + reads / reads_per_second * interval '1 s';
  RETURN greatest(0, extract(epoch FROM first_due - asked_at) * 1000);
END $$;

-- Takes the next start for `reads` reads: answers how many ms from now they may start, by the database's
-- clock, which all workers share. GCRA: starts are spaced by the size of the one before, so that any second
-- holds at most reads_per_second plus one batch; `credit_ms` lets a start that was missed by so much be made
-- up for, that waking a little late does not cost rate.
-- `unused_from`, `unused_until`: an earlier grant the caller could not use in time; it is taken back if no one
-- has been granted a start after it.
CREATE FUNCTION ami_grant_start(
  reads double precision, reads_per_second double precision, credit_ms double precision,
  unused_from timestamptz DEFAULT NULL, unused_until timestamptz DEFAULT NULL,
  OUT wait_ms double precision, OUT granted_from timestamptz, OUT granted_until timestamptz, OUT decided_at timestamptz
) LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  spent_until timestamptz;
BEGIN
  SELECT start_until INTO STRICT spent_until FROM ami_pacing FOR UPDATE;
  decided_at := clock_timestamp();
  IF spent_until = unused_until THEN
    spent_until := unused_from;
  END IF;
  -- 100 processes with a full batch each are the most that can have been granted ahead; anything further is a
  -- clock that was set back, and must not stop the deployment for as long.
  spent_until := least(spent_until, decided_at + 100 * 500 / reads_per_second * interval '1 s');
  granted_from := greatest(spent_until, decided_at - credit_ms * interval '1 ms');
  granted_until := granted_from + reads / reads_per_second * interval '1 s';
  wait_ms := greatest(0, extract(epoch FROM granted_from - decided_at) * 1000);
  UPDATE ami_pacing SET start_until = granted_until;
END $$;

-- Worker processes that are alive say so every few seconds.
CREATE TABLE ami_workers (
  worker_id    uuid        PRIMARY KEY,
  host         text        NOT NULL,
  pid          integer     NOT NULL,
  concurrency  smallint    NOT NULL,
  started_at   timestamptz NOT NULL DEFAULT now(),
  heartbeat_at timestamptz NOT NULL DEFAULT now()
);
