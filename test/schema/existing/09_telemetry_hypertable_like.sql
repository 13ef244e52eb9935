-- A telemetry group's time-series table, laid out as for a time-series extension that is not installed: its own
-- schema `telemetry`, put on the search path of the login role alone, columns `time`, `meter_id`, real values, a
-- non-unique index on (meter_id, time DESC). The registry belongs to another team and stays in public, with integer
-- ids. Neither knows tenants; the reads know no feeder: that is had by a join, as data modellers like it.
CREATE SCHEMA telemetry;
DO $$ BEGIN
  EXECUTE format('ALTER ROLE %I IN DATABASE %I SET search_path = telemetry, public', current_user, current_database());
END $$;
CREATE TABLE public.feeders (
  feeder_id integer PRIMARY KEY,
  code      text NOT NULL UNIQUE
);
CREATE TABLE public.meters (
  meter_id  integer PRIMARY KEY,
  feeder_id integer REFERENCES public.feeders
);
CREATE TABLE telemetry.meter_reads_electric (
  "time"   timestamptz NOT NULL,
  meter_id integer     NOT NULL,
  kwh      real,
  voltage  real,
  rssi     smallint
);
CREATE INDEX meter_reads_electric_time_idx ON telemetry.meter_reads_electric ("time" DESC);
CREATE INDEX meter_reads_electric_meter_id_time_idx ON telemetry.meter_reads_electric (meter_id, "time" DESC);
CREATE VIEW telemetry.latest_voltage AS
  SELECT DISTINCT ON (meter_id) meter_id, "time", voltage FROM telemetry.meter_reads_electric ORDER BY meter_id, "time" DESC;

INSERT INTO public.feeders VALUES (11, 'ELM'), (12, 'OAK'), (13, 'PINE');
INSERT INTO public.meters SELECT 70000 + n, CASE WHEN n > 51 THEN NULL ELSE 11 + n % 3 END FROM generate_series(1, 53) n;
INSERT INTO telemetry.meter_reads_electric
SELECT at, meter_id, 0.2 + meter_id % 7 / 10.0, 120.1, -60
FROM public.meters, generate_series(timestamptz '2026-05-30 00:00Z', '2026-05-31 18:00Z', '6 h') at WHERE feeder_id IS NOT NULL;
