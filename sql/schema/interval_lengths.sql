-- Reads of other intervals than a quarter hour. What is expected of a feeder is meters times intervals, and a meter that
-- is read every five minutes has three reads in a quarter hour, one that is read every hour one in four.
CREATE TABLE ami_feeder_lengths (
  tenant_id        text COLLATE "C" NOT NULL,
  read_at          timestamptz      NOT NULL,
  feeder_id        text COLLATE "C" NOT NULL,
  interval_minutes smallint         NOT NULL,
  reads            bigint           NOT NULL,
  PRIMARY KEY (tenant_id, read_at, feeder_id, interval_minutes)
) WITH (fillfactor = 70);
COMMENT ON TABLE ami_feeder_lengths IS
  'Of the reads of ami_feeder_intervals those that say to be of another length than 15 minutes, kept by triggers. A table '
  'of its own: a fleet of quarter hours has no row in it, and pays nothing.';
COMMENT ON COLUMN ami_feeder_lengths.read_at IS 'Start of the interval.';
COMMENT ON COLUMN ami_feeder_lengths.interval_minutes IS 'Length of the interval in minutes.';
COMMENT ON COLUMN ami_feeder_lengths.reads IS 'Number of reads.';

CREATE TYPE ami_length_change AS (
  tenant_id text COLLATE "C", read_at timestamptz, feeder_id text COLLATE "C", interval_minutes smallint, reads bigint);
COMMENT ON TYPE ami_length_change IS 'What a statement does to the number of a feeder''s reads of one length at one instant.';

-- The functions below keep this search path: the own schema, and pg_temp last. Unnamed, pg_temp would be searched
-- first, and anybody may make objects there. JIT is off: these are short statements by the hundred, and look-ups by
-- index whose cost the planner overrates; compiling them takes a hundred times as long as running them.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE FUNCTION ami_apply_length_changes(changes ami_length_change[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  INSERT INTO ami_feeder_lengths AS counted (tenant_id, read_at, feeder_id, interval_minutes, reads)
  SELECT * FROM unnest(changes) WHERE reads <> 0 ORDER BY 1, 2, 3, 4
  ON CONFLICT (tenant_id, read_at, feeder_id, interval_minutes) DO UPDATE SET reads = counted.reads + excluded.reads;
  DELETE FROM ami_feeder_lengths counted USING unnest(changes) change
  WHERE counted.tenant_id = change.tenant_id AND counted.read_at = change.read_at
    AND counted.feeder_id = change.feeder_id AND counted.interval_minutes = change.interval_minutes
    AND change.reads < 0 AND counted.reads = 0;
END $$;
COMMENT ON FUNCTION ami_apply_length_changes(ami_length_change[]) IS
  'Applies changes to the numbers of reads of each length, in the order in which inserts lock the rows.';

CREATE FUNCTION ami_expected_by_length(for_tenant text, for_day date)
RETURNS TABLE (feeder_id text, interval_minutes integer, expected_meters bigint, phases numeric[])
LANGUAGE plpgsql STABLE ROWS 25 SET search_path FROM CURRENT SET jit = off AS $$
#variable_conflict use_column
DECLARE
  week_start timestamptz := ami_day_start(for_tenant, for_day - 7);
  day_end timestamptz := ami_day_start(for_tenant, for_day + 1);
BEGIN
  IF NOT EXISTS (SELECT FROM ami_feeder_lengths
                 WHERE tenant_id = for_tenant AND read_at >= week_start AND read_at < day_end) THEN
    RETURN QUERY SELECT feeder_id, 15, expected_meters, NULL::numeric[] FROM ami_expected_meters(for_tenant, for_day);
    RETURN;
  END IF;
  RETURN QUERY
  WITH lengths AS MATERIALIZED (
    SELECT * FROM ami_feeder_lengths WHERE tenant_id = for_tenant AND read_at >= week_start AND read_at < day_end
  )
  SELECT cell.feeder_id::text, 15, max(cell.reads - coalesce(other.reads, 0))::bigint, NULL::numeric[]
  FROM ami_feeder_intervals cell
  LEFT JOIN (SELECT read_at, feeder_id, sum(reads) AS reads FROM lengths GROUP BY 1, 2) other USING (read_at, feeder_id)
  WHERE cell.tenant_id = for_tenant AND cell.read_at >= week_start AND cell.read_at < day_end
  GROUP BY 1
  UNION ALL
  SELECT lengths.feeder_id::text, lengths.interval_minutes::integer, max(reads)::bigint,
         array_agg(DISTINCT mod(extract(epoch FROM read_at), lengths.interval_minutes * 60))
  FROM lengths GROUP BY 1, 2;
END $$;
COMMENT ON FUNCTION ami_expected_by_length(text, date) IS
  'ami_expected_meters by the length of the intervals that the meters are read in: 15 stands for all reads that say no '
  'other. phases has the seconds after a whole number of intervals since 1970 at which those of another length begin.';

CREATE FUNCTION ami_expected_meters_at(for_tenant text, at_instant timestamptz)
RETURNS TABLE (feeder_id text, expected_meters bigint)
LANGUAGE plpgsql STABLE ROWS 25 SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  RETURN QUERY SELECT of_length.feeder_id, coalesce(sum(of_length.expected_meters)
      FILTER (WHERE phases IS NULL OR mod(extract(epoch FROM at_instant), interval_minutes * 60) = ANY (phases)), 0)::bigint
  FROM ami_expected_by_length(for_tenant, ami_day_of(for_tenant, at_instant)) of_length GROUP BY 1;
END $$;
COMMENT ON FUNCTION ami_expected_meters_at(text, timestamptz) IS
  'How many meters each feeder is expected to report at an instant: those that are read every hour on the hour alone.';
