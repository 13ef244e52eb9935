-- The functions through which all SQL looks up reads, and the one that writes imported ones. They are not in these files: their text names the table of
-- reads, its schema and its columns, which may be a customer's. So start-up makes them for the table that it has found
-- (src/schema/functions/lookUpReads.ts). For GridLens's own table the first of them is
--
--   CREATE FUNCTION ami_read_at(for_tenant text, for_meter text, at_instant timestamptz)
--   RETURNS TABLE (tenant_id text, meter_id text, feeder_id text, read_at timestamptz, kwh numeric,
--     delivered_kwh numeric, voltage numeric) LANGUAGE sql STABLE AS $$
--     SELECT tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage FROM public.meter_reads_electric read
--     WHERE tenant_id = for_tenant AND meter_id = for_meter AND read_at = at_instant
--   $$;
--
-- One SELECT each, STABLE and without SET, so that Postgres inlines them: a look-up by key stays one index probe.
COMMENT ON FUNCTION ami_read_at(text, text, timestamptz) IS 'The read of a meter at an interval, in canonical columns.';
COMMENT ON FUNCTION ami_reads_of_meter(text, text, timestamptz, timestamptz) IS
  'The reads of a meter from an instant until before another one, in canonical columns.';
COMMENT ON FUNCTION ami_reads_between(timestamptz, timestamptz) IS
  'All reads from an instant until before another one, in canonical columns.';
COMMENT ON FUNCTION ami_exported_reads(text, text, timestamptz, timestamptz) IS
  'The reads of a tenant''s meters after one, by meter and time, with numbers as texts: for an export, page by page.';
COMMENT ON FUNCTION ami_exported_reads_of_meter(text, text, timestamptz, timestamptz) IS
  'The same of one meter.';
COMMENT ON FUNCTION ami_rollup_spans() IS
  'The spans of UTC days that ami_rebuild_rollups counts in one pass each: the days of GridLens''s own table one by '
  'one, a customer''s table at once, since it may have no index by time.';
COMMENT ON FUNCTION ami_standing_reads(text, text, timestamptz, timestamptz) IS
  'The reads of a meter from an instant until before another one, with all that an import is to know of them: length, '
  'quality, where they come from (emulated, imported, or foreign: not written by GridLens) and when they were written.';
COMMENT ON FUNCTION ami_vee_reads(text, text, timestamptz, timestamptz) IS
  'The reads of a meter from an instant until before another one, with what validation looks at.';
COMMENT ON FUNCTION ami_vee_reads_of(text, text[], timestamptz, timestamptz) IS 'The same of several meters.';
COMMENT ON FUNCTION ami_yield_estimates(text, timestamptz, text[]) IS
  'Takes the estimates of an interval away of those meters, into the history, before a publish writes their reads. Answers '
  'how many.';
COMMENT ON FUNCTION ami_write_imported_batch(uuid, integer, timestamptz) IS
  'Writes one batch of an import: judges each of its reads by what stands there, keeps what it replaces in '
  'ami_replaced_reads, and marks the batch done, in the one transaction of this call. A batch that is no longer '
  'pending answers no row.';
COMMENT ON FUNCTION ami_read_lengths(timestamptz, timestamptz) IS
  'How many reads of another length than 15 minutes there are in a span, per feeder, instant and length. None of a customer''s '
  'table, whose rows do not say how long they are.';
COMMENT ON FUNCTION ami_read_received(timestamptz, timestamptz) IS
  'What was fed in according to the reads of a span, per feeder and instant, and how many reads say so: those alone for which '
  'ami_fed_in is not NULL.';
COMMENT ON FUNCTION ami_read_estimates(timestamptz, timestamptz) IS
  'How many estimated reads there are in a span, per feeder and instant. None of a customer''s table, which has no quality.';
