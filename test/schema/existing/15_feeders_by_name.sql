-- Feeders are known by their name alone: meters carry feeder_name, as text, with a boolean in_service, and so do the
-- reads, without a foreign key. Reads sit in an unlogged table with a toast setting and a compound unique constraint
-- INCLUDING the value, flags are text[] without a default, updated_at is there and created_at is not; tenants exist in the registry and not in
-- the reads, as in a database that was split off from a larger one.
CREATE TABLE feeders (
  id          serial PRIMARY KEY,
  tenant_id   text NOT NULL,
  name        text NOT NULL UNIQUE,
  kva         integer
);
CREATE TABLE meters (
  tenant_id   text NOT NULL,
  meter_id    text NOT NULL PRIMARY KEY,
  feeder_name text,
  in_service  boolean NOT NULL DEFAULT true
);
CREATE UNLOGGED TABLE meter_reads_electric (
  meter_id      text NOT NULL,
  feeder_name   text,
  read_at       timestamptz NOT NULL,
  kwh           real NOT NULL,
  voltage       real,
  quality_flags text[],
  updated_at    timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT meter_and_time UNIQUE (meter_id, read_at) INCLUDE (kwh)
) WITH (toast_tuple_target = 1024);
CREATE RULE no_delete AS ON DELETE TO feeders DO INSTEAD NOTHING;

INSERT INTO feeders (tenant_id, name, kva) VALUES ('DEMO_TENANT', 'Old Mill', 630), ('DEMO_TENANT', 'New Mill', 400), ('DEMO_TENANT', 'Quarry', 250);
INSERT INTO meters
SELECT 'DEMO_TENANT', 'C' || n, CASE WHEN n > 48 THEN NULL WHEN n > 45 THEN 'Demolished' ELSE (ARRAY['Old Mill', 'New Mill', 'Quarry'])[1 + n % 3] END
FROM generate_series(1, 50) n;
INSERT INTO meter_reads_electric (meter_id, feeder_name, read_at, kwh, voltage, updated_at)
SELECT meter_id, feeder_name, at, 0.25, 120.25, at
FROM meters, generate_series(timestamptz '2026-05-30 00:00Z', '2026-05-31 18:00Z', '6 h') at WHERE feeder_name IS NOT NULL;
