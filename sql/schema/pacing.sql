-- The read limit of the whole deployment: when accepted batches are due, and when each may start. All times are the
-- database's clock, which all processes share.
CREATE TABLE ami_pacing (
  only_row   boolean     PRIMARY KEY DEFAULT true,
  due_until  timestamptz NOT NULL DEFAULT '-infinity',
  start_until timestamptz NOT NULL DEFAULT '-infinity',
  CONSTRAINT ami_pacing_only_row CHECK (only_row)
) WITH (fillfactor = 10);
INSERT INTO ami_pacing DEFAULT VALUES;
COMMENT ON TABLE ami_pacing IS
  'One row for the whole deployment. It holds two instants up to which the limit of reads per second is already '
  'spent.';
COMMENT ON COLUMN ami_pacing.only_row IS 'Always true: keeps a second row out.';
COMMENT ON COLUMN ami_pacing.due_until IS 'Spent by batches that were promised a due time when they were accepted.';
COMMENT ON COLUMN ami_pacing.start_until IS 'Spent by batches that workers were allowed to start.';

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
COMMENT ON FUNCTION ami_reserve_due_time(double precision, double precision) IS
  'Reserves due times for so many reads, behind everything that was promised before. Answers in how many ms the '
  'first read is due. The promise never reaches further than the 500 jobs that may be queued: a clock that was set '
  'back must not delay everything by as much.';

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
  -- At most 100 processes can have been granted a full batch each. Anything further ahead comes from a clock that was
  -- set back, and must not stop the deployment for as long.
  spent_until := least(spent_until, decided_at + 100 * 500 / reads_per_second * interval '1 s');
  granted_from := greatest(spent_until, decided_at - credit_ms * interval '1 ms');
  granted_until := granted_from + reads / reads_per_second * interval '1 s';
  wait_ms := greatest(0, extract(epoch FROM granted_from - decided_at) * 1000);
  UPDATE ami_pacing SET start_until = granted_until;
END $$;
COMMENT ON FUNCTION ami_grant_start(double precision, double precision, double precision, timestamptz, timestamptz) IS
  'Takes the next start for so many reads, and answers in how many ms they may start (wait_ms). By GCRA, the generic '
  'cell rate algorithm: starts are spaced by the size of the one before, so that any second holds at most '
  'reads_per_second plus one batch. credit_ms is by how much a missed start may be made up for, so that waking a '
  'little late costs no rate. unused_from and unused_until name an earlier grant that the caller could not use in '
  'time; it is taken back if nobody has been granted a start after it.';

CREATE FUNCTION ami_grant_lane_start(
  in_background boolean, reads double precision, reads_per_second double precision, credit_ms double precision,
  p_ahead_ms double precision, unused_from timestamptz DEFAULT NULL, unused_until timestamptz DEFAULT NULL,
  OUT wait_ms double precision, OUT granted_from timestamptz, OUT granted_until timestamptz, OUT decided_at timestamptz
) LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  -- In a variable: Postgres does not search an index by the result of a volatile function.
  asked_at timestamptz := clock_timestamp();
  full_share interval := 500 / reads_per_second * interval '1 s';
  too_far timestamptz := asked_at + p_ahead_ms * interval '1 ms';
  -- ami_grant_start grants nobody a start beyond this. One that is further ahead comes from a clock that was set back,
  -- and ami_grant_start deals with it.
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
              -- An end in the future comes from a clock that was set back since; it does not count.
              AND finished_at BETWEEN asked_at - interval '10 s' - 2 * full_share AND asked_at + interval '1 s')
          THEN '-infinity'
          ELSE asked_at - interval '60 s'
        END)
    THEN
      RETURN;
    END IF;
    -- Looked at again under the lock, so that only one of the processes that asked at once is granted a start. The
    -- first look takes no lock, since it comes far more often.
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
COMMENT ON FUNCTION ami_grant_lane_start(boolean, double precision, double precision, double precision, double
  precision, timestamptz, timestamptz) IS
  'ami_grant_start for a batch of either lane. For a background batch it answers NULLs and takes nothing in two '
  'cases, and the caller asks again. First: a live batch is unwritten, and is due now or before this batch''s share '
  'of the limit is over. Second: the next start is further off than p_ahead_ms. Every process holds the background '
  'start that it was granted, and live work would wait for all of those; so never more than one of them is far '
  'ahead. A live batch that is more than a minute late holds the background back only while batches as late as that '
  'are being ended, as after an outage with a backlog. Otherwise the queue has lost it, or it fails again and again, '
  'and nobody can say for how long: a minute is twice the time in which a lost batch is found and put back. The time '
  'without an end that is tolerated grows where the limit is so low that one batch takes seconds of it.';
