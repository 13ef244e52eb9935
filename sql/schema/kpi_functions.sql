-- What the KPI views and status ask beside the rollups.

-- A function, so that the planner does not take the few rows for many and compile the query of a view.
CREATE FUNCTION ami_undervoltage_meters(for_tenant text, for_day date, for_feeder text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN (SELECT count(*) FROM ami_meter_anomalies
          WHERE tenant_id = for_tenant AND day = for_day AND feeder_id = for_feeder AND low_voltage_reads > 0);
END $$;
COMMENT ON FUNCTION ami_undervoltage_meters(text, date, text) IS
  'Meters of a feeder with a read below 114 V on a day.';

-- MATERIALIZED throughout: a subquery in a select list is run anew for each mention of it.
CREATE FUNCTION ami_silent_meters(for_tenant text, at_interval timestamptz, latest_read_at timestamptz, among_all boolean,
  OUT later bigint, OUT over_15_minutes bigint, OUT over_an_hour bigint, OUT over_a_day bigint)
LANGUAGE sql STABLE SET search_path FROM CURRENT SET jit = off AS $$
  WITH short AS MATERIALIZED (
    SELECT feeder_id FROM (
      SELECT feeder_id, count(*) AS meters FROM ami_known_meters WHERE tenant_id = for_tenant GROUP BY 1
    ) roster
    LEFT JOIN (
      SELECT feeder_id, reads FROM ami_feeder_intervals WHERE tenant_id = for_tenant AND read_at = at_interval
    ) cell USING (feeder_id)
    WHERE meters > coalesce(reads, 0)
  ), candidates AS MATERIALIZED (
    SELECT meter_id FROM ami_known_meters
    WHERE tenant_id = for_tenant AND (among_all OR feeder_id IN (TABLE short))
  ), silent AS MATERIALIZED (
    SELECT meter_id FROM candidates
    WHERE (SELECT true FROM ami_read_at(for_tenant, candidates.meter_id, at_interval) LIMIT 1) IS NULL
  ), aged AS MATERIALIZED (
    -- Later than 24 hours before the interval, up to latest_read_at inclusive.
    SELECT (SELECT reads.read_at FROM ami_reads_of_meter(for_tenant, silent.meter_id,
              at_interval - interval '24 h' + interval '1 microsecond', latest_read_at + interval '1 microsecond') reads
            ORDER BY reads.read_at DESC LIMIT 1) AS last_read_at
    FROM silent
  )
  SELECT count(*) FILTER (WHERE last_read_at > at_interval),
         count(*) FILTER (WHERE last_read_at <= at_interval AND last_read_at > at_interval - interval '1 h'),
         count(*) FILTER (WHERE last_read_at <= at_interval - interval '1 h'),
         count(*) FILTER (WHERE last_read_at IS NULL)
  FROM aged
$$;
COMMENT ON FUNCTION ami_silent_meters(text, timestamptz, timestamptz, boolean) IS
  'Meters without a read at an interval: how many have one after it (later), and the others by the age of their last '
  'read before it, looking back 24 hours. Looks among the meters of the feeders that are short of reads, or of all '
  'feeders.';

CREATE FUNCTION ami_meters_since(for_tenant text, at_interval timestamptz, latest_read_at timestamptz,
  known_meters bigint, OUT interval_on bigint, OUT hour_on bigint, OUT day_on bigint)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  most bigint[];
  least_of bigint[];
BEGIN
  WITH cells AS MATERIALIZED (
    SELECT read_at, reads, meters_fingerprint FROM ami_feeder_intervals
    WHERE tenant_id = for_tenant AND read_at > at_interval - interval '24 h' AND read_at <= latest_read_at AND reads > 0
    LIMIT 50001
  ), sets AS (
    SELECT reads, meters_fingerprint, max(read_at) AS last_at FROM cells GROUP BY reads, meters_fingerprint
  ), intervals AS (
    SELECT read_at, sum(reads) AS reads FROM cells GROUP BY read_at
  )
  SELECT ARRAY[
      coalesce(sum(reads) FILTER (WHERE last_at >= at_interval), 0),
      coalesce(sum(reads) FILTER (WHERE last_at > at_interval - interval '1 h'), 0),
      coalesce(sum(reads), 0)],
    (SELECT ARRAY[
      coalesce(max(intervals.reads) FILTER (WHERE read_at >= at_interval), 0),
      coalesce(max(intervals.reads) FILTER (WHERE read_at > at_interval - interval '1 h'), 0),
      coalesce(max(intervals.reads), 0)] FROM intervals)
  INTO most, least_of
  FROM sets
  HAVING count(*) = count(meters_fingerprint) AND (SELECT count(*) FROM cells) <= 50000;
  IF least_of[1] = least(most[1], known_meters) AND least_of[2] = least(most[2], known_meters)
     AND least_of[3] = least(most[3], known_meters) THEN
    interval_on := least_of[1];
    hour_on := least_of[2];
    day_on := least_of[3];
  END IF;
END $$;
COMMENT ON FUNCTION ami_meters_since(text, timestamptz, timestamptz, bigint) IS
  'How many different meters have a read since an interval, since an hour before it and since 24 hours before it, up to '
  'latest_read_at: without a look at any read, whatever the number of silent meters. There are at least as many as in '
  'the fullest interval, and at most as many as all different sets of meters together, or as are known. Where the two '
  'agree that is the number, as after an outage of whole feeders or in a fleet that has shrunk; else all three are NULL. '
  'NULL too where a fingerprint is missing, or reads are at so many instants that their intervals are no shortcut.';

CREATE FUNCTION ami_meters_by_age(for_tenant text, at_interval timestamptz, latest_read_at timestamptz,
  OUT up_to_date bigint, OUT over_15_minutes bigint, OUT over_an_hour bigint, OUT over_a_day bigint)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
  known_meters bigint := (SELECT count(*) FROM ami_known_meters WHERE tenant_id = for_tenant);
  least_reported bigint;
BEGIN
  SELECT coalesce(sum(most), 0) INTO least_reported FROM (
    SELECT max(reads) AS most FROM (
      SELECT interval_minutes, read_at, sum(reads) AS reads FROM ami_feeder_lengths
      WHERE tenant_id = for_tenant AND read_at > at_interval - interval '105 min' AND read_at <= latest_read_at
        AND CASE WHEN interval_minutes > 15
          THEN read_at > at_interval + interval '15 min' - 2 * interval_minutes * interval '1 min'
          ELSE read_at >= at_interval END
      GROUP BY 1, 2
    ) at_instants GROUP BY interval_minutes
    UNION ALL
    SELECT (SELECT sum(reads) FROM ami_feeder_intervals WHERE tenant_id = for_tenant AND read_at = at_interval)
      - (SELECT coalesce(sum(reads), 0) FROM ami_feeder_lengths WHERE tenant_id = for_tenant AND read_at = at_interval)
  ) by_length;
  IF least_reported >= known_meters THEN
    up_to_date := known_meters;
    over_15_minutes := 0;
    over_an_hour := 0;
    over_a_day := 0;
    RETURN;
  END IF;
  SELECT count(*) FILTER (WHERE is_up_to_date),
         count(*) FILTER (WHERE NOT is_up_to_date AND counts_as > at_interval - interval '1 h'),
         count(*) FILTER (WHERE NOT is_up_to_date AND counts_as > at_interval - interval '24 h'
           AND counts_as <= at_interval - interval '1 h'),
         count(*) FILTER (WHERE counts_as IS NULL OR (NOT is_up_to_date AND counts_as <= at_interval - interval '24 h'))
  INTO up_to_date, over_15_minutes, over_an_hour, over_a_day
  FROM (
    SELECT CASE WHEN last.interval_minutes > 15 THEN counts_as > at_interval - interval '15 min'
             ELSE last.read_at >= at_interval END AS is_up_to_date, counts_as
    FROM ami_known_meters known
    LEFT JOIN LATERAL (
      SELECT read.read_at, read.interval_minutes FROM ami_vee_reads(for_tenant, known.meter_id,
        at_interval - interval '25 h 30 min' + interval '1 microsecond', latest_read_at + interval '1 microsecond') read
      ORDER BY read.read_at DESC LIMIT 1
    ) last ON true
    CROSS JOIN LATERAL (
      SELECT last.read_at + greatest(0, 2 * coalesce(last.interval_minutes, 15) - 30) * interval '1 min' AS counts_as
    ) shifted
    WHERE known.tenant_id = for_tenant
  ) aged;
END $$;
COMMENT ON FUNCTION ami_meters_by_age(text, timestamptz, timestamptz) IS
  'Of a tenant with reads of several lengths: how many of its meters are up to date at an interval, and the others by the '
  'age of their last read, looking back 24 hours. A meter of longer intervals than 15 minutes is up to date with the last '
  'one that was over by the end of the interval, and its age counts from there: a meter that is read every hour at '
  '10:00 is not late before the quarter hour that ends at 12:00. Where the reads of each length show that nobody is late, no '
  'meter is looked up.';

CREATE FUNCTION ami_percent(part numeric, whole numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT round(100 * part / nullif(whole, 0), 3) $$;
COMMENT ON FUNCTION ami_percent(numeric, numeric) IS
  '100 * part / whole, to three places; NULL when the whole is 0 or NULL.';
