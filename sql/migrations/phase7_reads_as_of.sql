-- A meter's reads as they were: what imports have replaced since has its former value.
CREATE FUNCTION ami_reads_as_of(for_tenant text, for_meter text, from_instant timestamptz, until_instant timestamptz,
  as_of timestamptz)
RETURNS TABLE (read_at timestamptz, feeder_id text, kwh numeric, received_kwh numeric, interval_minutes integer,
  quality text, quality_method text, import_id integer, written_at timestamptz, replaced_at timestamptz)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT standing.read_at, standing.feeder_id, standing.kwh, standing.received_kwh, standing.interval_minutes,
    standing.quality, standing.quality_method, standing.import_id, standing.written_at, NULL::timestamptz
  FROM ami_standing_reads(for_tenant, for_meter, from_instant, until_instant) standing
  WHERE standing.written_at <= as_of OR standing.written_at IS NULL
  UNION ALL
  SELECT former.read_at, former.feeder_id::text, former.kwh, former.received_kwh, former.interval_minutes::integer,
    former.quality, former.quality_method, former.import_id, former.written_at, former.replaced_at
  FROM ami_replaced_reads former
  WHERE former.tenant_id = for_tenant AND former.meter_id = for_meter AND former.read_at >= from_instant
    AND former.read_at < until_instant AND former.replaced_at > as_of
    AND coalesce(former.written_at <= as_of, true)
  ORDER BY 1;
END $$;
