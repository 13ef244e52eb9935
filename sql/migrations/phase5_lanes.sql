-- Lanes: work for now goes first, and what can wait (catch-up of past intervals, replay, backfills) fills what it leaves.
-- FALSE is what everything was before, and is again for whatever a process of an earlier version accepts.
ALTER TABLE ami_publishes ADD COLUMN is_background boolean NOT NULL DEFAULT false;
-- Here too: the grants below look for it five to a hundred times a second.
ALTER TABLE ami_publish_batches ADD COLUMN is_background boolean NOT NULL DEFAULT false;
CREATE INDEX ami_publish_batches_live_pending ON ami_publish_batches (due_at)
  WHERE state = 'pending' AND NOT is_background;
-- Whether live work moves: the grants and readiness look at the end of this index.
CREATE INDEX ami_publish_batches_live_ended ON ami_publish_batches (finished_at)
  WHERE state IN ('done', 'failed') AND NOT is_background;

-- `ami_grant_start` for a batch of either lane. In the background it answers nulls, and takes nothing, and the caller
-- asks again: while there is a live batch that is due, or will be before this one's share of the limit is over, and has
-- not been written; and while the next start is further off than `p_ahead_ms`. Every process holds a background start
-- that it has been granted, and live work would wait for all of those; so there is never more than one of them far ahead.
--
-- A live batch that is more than a minute late holds the background back only while batches as late as that are being
-- ended, as after an outage with a backlog. Otherwise the queue has lost it, or it fails again and again, and nobody can
-- say for how long: a minute is twice what it takes to find a lost batch and put it back. How long no end may be seen
-- grows where the limit is so low that one batch takes seconds of it.
CREATE FUNCTION ami_grant_lane_start(
  in_background boolean, reads double precision, reads_per_second double precision, credit_ms double precision,
  p_ahead_ms double precision, unused_from timestamptz DEFAULT NULL, unused_until timestamptz DEFAULT NULL,
  OUT wait_ms double precision, OUT granted_from timestamptz, OUT granted_until timestamptz, OUT decided_at timestamptz
) LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  -- In a variable, since no index is searched for what a volatile function answers.
  asked_at timestamptz := clock_timestamp();
  full_share interval := 500 / reads_per_second * interval '1 s';
  too_far timestamptz := asked_at + p_ahead_ms * interval '1 ms';
  -- Beyond what `ami_grant_start` lets anybody be granted ahead the clock was set back: it knows what to do.
  set_back timestamptz := asked_at + 100 * full_share;
BEGIN
  IF in_background THEN
    PERFORM FROM ami_pacing
    WHERE CASE WHEN start_until = unused_until THEN unused_from ELSE start_until END BETWEEN too_far AND set_back;
    IF FOUND THEN
      RETURN;
    END IF;
    IF EXISTS (
      SELECT FROM ami_publish_batches
      WHERE state = 'pending' AND NOT is_background
        AND due_at <= asked_at + reads / reads_per_second * interval '1 s'
        AND due_at > CASE
          WHEN EXISTS (
            SELECT FROM ami_publish_batches
            WHERE state IN ('done', 'failed') AND NOT is_background AND finished_at > due_at + interval '60 s'
              -- Not from a future that a clock which was set back has left.
              AND finished_at BETWEEN asked_at - interval '10 s' - 2 * full_share AND asked_at + interval '1 s')
          THEN '-infinity'
          ELSE asked_at - interval '60 s'
        END)
    THEN
      RETURN;
    END IF;
    -- Again under the lock, which is not taken for each look: of those that asked at once one is granted.
    PERFORM FROM ami_pacing FOR UPDATE;
    PERFORM FROM ami_pacing
    WHERE CASE WHEN start_until = unused_until THEN unused_from ELSE start_until END BETWEEN too_far AND set_back;
    IF FOUND THEN
      RETURN;
    END IF;
  END IF;
  SELECT granted.wait_ms, granted.granted_from, granted.granted_until, granted.decided_at
  INTO STRICT wait_ms, granted_from, granted_until, decided_at
  FROM ami_grant_start(reads, reads_per_second, credit_ms, unused_from, unused_until) AS granted;
END $$;
