-- Lanes: work for now goes first, and what can wait (catch-up of past intervals, replay, backfills) fills what it leaves.
-- FALSE is what everything was before, and is again for whatever a process of an earlier version accepts.
ALTER TABLE ami_publishes ADD COLUMN is_background boolean NOT NULL DEFAULT false;
-- Here too: the grants below look for it five to a hundred times a second.
ALTER TABLE ami_publish_batches ADD COLUMN is_background boolean NOT NULL DEFAULT false;
CREATE INDEX ami_publish_batches_live_pending ON ami_publish_batches (due_at)
  WHERE state = 'pending' AND NOT is_background;

-- When a live start was last granted, to within a second: tells live work that is late from live work that is lost.
ALTER TABLE ami_pacing ADD COLUMN live_granted_at timestamptz NOT NULL DEFAULT '-infinity';

-- `ami_grant_start` for a batch of either lane. In the background it answers nulls, and takes nothing, while there is a
-- live batch that is due, or will be before this one's share of the limit is over, and has not been written: the caller
-- asks again.
--
-- A live batch that is more than a minute late holds the background back only while live starts are granted, as after
-- an outage with a backlog. Otherwise the queue has lost it, or it fails again and again, and nobody can say for how
-- long: a minute is twice what it takes to find a lost batch and put it back.
CREATE FUNCTION ami_grant_lane_start(
  in_background boolean, reads double precision, reads_per_second double precision, credit_ms double precision,
  unused_from timestamptz DEFAULT NULL, unused_until timestamptz DEFAULT NULL,
  OUT wait_ms double precision, OUT granted_from timestamptz, OUT granted_until timestamptz, OUT decided_at timestamptz
) LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  -- In a variable, since no index is searched for what a volatile function answers.
  asked_at timestamptz := clock_timestamp();
BEGIN
  IF NOT in_background THEN
    UPDATE ami_pacing SET live_granted_at = asked_at WHERE live_granted_at < asked_at - interval '1 s';
  ELSIF EXISTS (
    SELECT FROM ami_publish_batches batch
    WHERE batch.state = 'pending' AND NOT batch.is_background
      AND batch.due_at <= asked_at + reads / reads_per_second * interval '1 s'
      AND batch.due_at > CASE
        WHEN (SELECT live_granted_at FROM ami_pacing) > asked_at - interval '10 s' THEN '-infinity'
        ELSE asked_at - interval '60 s'
      END)
  THEN
    RETURN;
  END IF;
  SELECT granted.wait_ms, granted.granted_from, granted.granted_until, granted.decided_at
  INTO STRICT wait_ms, granted_from, granted_until, decided_at
  FROM ami_grant_start(reads, reads_per_second, credit_ms, unused_from, unused_until) AS granted;
END $$;
