-- A regulated utility: every change of a read is audited by row triggers into another table, a BEFORE trigger keeps
-- updated_at, ids and energy are domains with checks, the day is a generated column, and the settlement system wants
-- interval_end, interval_minutes and reading_date NOT NULL without a default, as its own loader fills them.
CREATE DOMAIN meter_ident AS text CHECK (VALUE ~ '^[A-Z0-9_-]{3,40}$');
CREATE DOMAIN energy_kwh AS numeric(12,4) CHECK (VALUE >= 0);
CREATE TABLE feeders (feeder_id text PRIMARY KEY, tenant_id text NOT NULL, name text NOT NULL);
CREATE TABLE meters (
  meter_id  meter_ident PRIMARY KEY,
  tenant_id text NOT NULL,
  feeder_id text REFERENCES feeders,
  is_active boolean
);
CREATE TABLE meter_reads_electric (
  read_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id        text NOT NULL,
  meter_id         meter_ident NOT NULL,
  feeder_id        text NOT NULL,
  interval_start   timestamptz NOT NULL,
  interval_end     timestamptz NOT NULL,
  interval_minutes smallint NOT NULL,
  reading_date     date NOT NULL,
  kwh              energy_kwh NOT NULL,
  wh               numeric GENERATED ALWAYS AS (kwh * 1000) STORED,
  voltage          numeric(6,2) CHECK (voltage > 0),
  quality_flags    text[] NOT NULL DEFAULT ARRAY[]::text[],
  created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (tenant_id, meter_id, interval_start),
  CONSTRAINT ends_after_start CHECK (interval_end > interval_start)
);
CREATE TABLE read_audit (
  at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  who     text NOT NULL DEFAULT current_user,
  action  text NOT NULL,
  read_id bigint NOT NULL,
  kwh     numeric
);
CREATE FUNCTION audit_read() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO read_audit (action, read_id, kwh) VALUES (tg_op, NEW.read_id, NEW.kwh); RETURN NULL; END $$;
CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END $$;
COMMENT ON FUNCTION audit_read() IS 'PUC order 14-09';

INSERT INTO feeders VALUES ('ALDER', 'PUD', 'Alder St'), ('BIRCH', 'PUD', 'Birch St'), ('CEDAR', 'PUD', 'Cedar St');
INSERT INTO meters
SELECT 'PUD_' || lpad(n::text, 4, '0'), 'PUD', CASE WHEN n > 43 THEN NULL ELSE (ARRAY['ALDER', 'BIRCH', 'CEDAR'])[1 + n % 3] END,
  CASE WHEN n <= 3 THEN NULL ELSE true END
FROM generate_series(1, 45) n;
INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, interval_start, interval_end, interval_minutes, reading_date, kwh, voltage)
SELECT 'PUD', meter_id, feeder_id, at, at + interval '15 min', 15, (at AT TIME ZONE 'UTC')::date, 0.21, 118.7
FROM meters, generate_series(timestamptz '2026-05-30 00:00Z', '2026-05-31 18:00Z', '6 h') at WHERE feeder_id IS NOT NULL;
CREATE TRIGGER a_touch BEFORE UPDATE ON meter_reads_electric FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER z_audit AFTER INSERT OR UPDATE ON meter_reads_electric FOR EACH ROW EXECUTE FUNCTION audit_read();
