-- Meters that are read every 30 or 60 minutes are late only when a read of theirs is.
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
