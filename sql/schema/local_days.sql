-- The days by which a tenant's reads are counted: those of its zone, or of UTC where none is set. A zone's rules come from
-- Node, as instants (src/reads/zoneSpans.ts): Postgres has a copy of its own of the IANA database, and the two disagree
-- wherever one of them is older. docs/decisions/0017-local-days.md has the reasons.
CREATE TABLE ami_zone_spans (
  clock     text COLLATE "C" NOT NULL,
  starts_at timestamptz      NOT NULL,
  first_day date             NOT NULL,
  days      integer,
  PRIMARY KEY (clock, starts_at)
);
CREATE UNIQUE INDEX ami_zone_spans_by_day ON ami_zone_spans (clock, first_day);
COMMENT ON TABLE ami_zone_spans IS
  'The days of a zone: spans of days of 24 hours each, and between them the single days that are shorter or longer. A '
  'row never changes: other rules of the same zone are another clock.';
COMMENT ON COLUMN ami_zone_spans.clock IS 'A zone and a hash of its rules: Europe/Berlin 0f3a91c2.';
COMMENT ON COLUMN ami_zone_spans.starts_at IS 'When the first day begins.';
COMMENT ON COLUMN ami_zone_spans.first_day IS 'The first day.';
COMMENT ON COLUMN ami_zone_spans.days IS 'Number of days; NULL of the last span, whose end nobody knows.';

CREATE TABLE ami_tenant_zones (
  tenant_id  text COLLATE "C" NOT NULL PRIMARY KEY,
  time_zone  text             NOT NULL,
  clock      text COLLATE "C",
  next_zone  text,
  next_clock text COLLATE "C",
  changed_at timestamptz      NOT NULL DEFAULT now()
);
COMMENT ON TABLE ami_tenant_zones IS 'The zones by whose days tenants'' reads are counted. A tenant without a row has UTC days.';
COMMENT ON COLUMN ami_tenant_zones.time_zone IS 'The zone that is in force.';
COMMENT ON COLUMN ami_tenant_zones.clock IS 'The rules in force, of ami_zone_spans; NULL where they are those of UTC.';
COMMENT ON COLUMN ami_tenant_zones.next_zone IS
  'The zone that is to come into force, when the days are counted by it; NULL when none is.';
COMMENT ON COLUMN ami_tenant_zones.next_clock IS 'Its rules; NULL where they are those of UTC.';

CREATE FUNCTION ami_span_day(of_clock text, at_instant timestamptz) RETURNS date
LANGUAGE plpgsql STABLE AS $$
BEGIN
  -- 86,400 s: a longer day is a span of its own, whatever is left of it.
  RETURN coalesce((
    SELECT first_day + least(days - 1, floor(extract(epoch FROM at_instant - starts_at) / 86400)::integer)
    FROM ami_zone_spans WHERE clock = of_clock AND starts_at <= at_instant AND isfinite(at_instant)
    ORDER BY starts_at DESC LIMIT 1), (at_instant AT TIME ZONE 'UTC')::date);
END $$;
COMMENT ON FUNCTION ami_span_day(text, timestamptz) IS 'The day of an instant by a clock of ami_zone_spans.';

CREATE FUNCTION ami_span_day_start(of_clock text, of_day date) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN coalesce((
    SELECT starts_at + least(days, of_day - first_day) * interval '24 h'
    FROM ami_zone_spans WHERE clock = of_clock AND first_day <= of_day AND isfinite(of_day)
    ORDER BY first_day DESC LIMIT 1), of_day::timestamp AT TIME ZONE 'UTC');
END $$;
COMMENT ON FUNCTION ami_span_day_start(text, date) IS
  'When a day begins by a clock of ami_zone_spans. A day that the zone has left out begins when the next one does.';

-- These two are inlined: a tenant without a zone costs a comparison.
CREATE FUNCTION ami_clock_day(of_clock text, at_instant timestamptz) RETURNS date
LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN of_clock IS NULL THEN (at_instant AT TIME ZONE 'UTC')::date ELSE ami_span_day(of_clock, at_instant) END
$$;
COMMENT ON FUNCTION ami_clock_day(text, timestamptz) IS 'The day of an instant by a clock; by UTC where it is NULL.';
CREATE FUNCTION ami_clock_day_start(of_clock text, of_day date) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN of_clock IS NULL THEN of_day::timestamp AT TIME ZONE 'UTC' ELSE ami_span_day_start(of_clock, of_day) END
$$;
COMMENT ON FUNCTION ami_clock_day_start(text, date) IS 'When a day begins by a clock; by UTC where it is NULL.';

CREATE FUNCTION ami_day_bits(day_start timestamptz, at_instant timestamptz) RETURNS bit
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT set_bit(0::bit(128), least(127, floor(extract(epoch FROM at_instant - day_start) / 900)::integer), 1)
$$;
COMMENT ON FUNCTION ami_day_bits(timestamptz, timestamptz) IS
  'The quarter hour of a day, counted from its start, that an instant falls into, as one bit of 128. A day may have 100, '
  'and where a station moved its clock west 124 (Vostok in 1994).';

-- The functions below keep this search path: the own schema, and pg_temp last. Unnamed, pg_temp would be searched
-- first, and anybody may make objects there. JIT is off: these are short statements by the hundred, and look-ups by
-- index whose cost the planner overrates; compiling them takes a hundred times as long as running them.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE FUNCTION ami_day_of(for_tenant text, at_instant timestamptz) RETURNS date
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  RETURN ami_clock_day((SELECT clock FROM ami_tenant_zones WHERE tenant_id = for_tenant), at_instant);
END $$;
COMMENT ON FUNCTION ami_day_of(text, timestamptz) IS
  'The day that an instant counts to: of the tenant''s zone, or of UTC where none is set.';

CREATE FUNCTION ami_day_start(for_tenant text, for_day date) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  RETURN ami_clock_day_start((SELECT clock FROM ami_tenant_zones WHERE tenant_id = for_tenant), for_day);
END $$;
COMMENT ON FUNCTION ami_day_start(text, date) IS 'When a day of a tenant begins; it ends when the next one does.';

CREATE FUNCTION ami_require_current_zones(tenants text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    INSERT INTO ami_tenant_zones (tenant_id, time_zone)
    SELECT DISTINCT tenant_id, 'UTC' FROM unnest(tenants) AS writing (tenant_id) ORDER BY 1
    ON CONFLICT DO NOTHING;
  END IF;
END $$;
COMMENT ON FUNCTION ami_require_current_zones(text[]) IS
  'Fails, as serialization failures do, a transaction whose snapshot is older than a tenant''s zone: it would count reads '
  'to days that are no more. Only a conflict with a row tells of one that the snapshot does not show. The row that it '
  'leaves says what is so without it. Does nothing in read committed.';
REVOKE EXECUTE ON FUNCTION ami_require_current_zones(text[]) FROM PUBLIC;
