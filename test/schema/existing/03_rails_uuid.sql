-- A Rails application of a few years' standing: uuid primary keys, created_at and updated_at as timestamp without
-- time zone NOT NULL and without a default, since Rails fills them itself; reads in timestamp(6), kwh numeric(10,3),
-- quality_flags jsonb NOT NULL DEFAULT '[]', index names as Rails makes them. Feeders and meters are uuids with a
-- name, and reads refer to both.
CREATE TABLE schema_migrations (version varchar PRIMARY KEY);
CREATE TABLE feeders (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id   varchar NOT NULL,
  name        varchar NOT NULL,
  created_at  timestamp(6) NOT NULL,
  updated_at  timestamp(6) NOT NULL
);
CREATE UNIQUE INDEX index_feeders_on_tenant_id_and_name ON feeders (tenant_id, name);
CREATE TABLE meters (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id     varchar NOT NULL,
  serial_number varchar NOT NULL,
  feeder_id     uuid CONSTRAINT fk_rails_0a1b2c3d4e REFERENCES feeders (id),
  active        boolean NOT NULL DEFAULT true,
  created_at    timestamp(6) NOT NULL,
  updated_at    timestamp(6) NOT NULL
);
CREATE INDEX index_meters_on_feeder_id ON meters (feeder_id);
CREATE TABLE meter_reads_electric (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id     varchar NOT NULL,
  meter_id      uuid NOT NULL CONSTRAINT fk_rails_5f6a7b8c9d REFERENCES meters (id),
  feeder_id     uuid NOT NULL CONSTRAINT fk_rails_1e2f3a4b5c REFERENCES feeders (id),
  read_at       timestamp(6) NOT NULL,
  kwh           numeric(10,3) NOT NULL,
  voltage       numeric(6,2),
  quality_flags jsonb NOT NULL DEFAULT '[]',
  created_at    timestamp(6) NOT NULL,
  updated_at    timestamp(6) NOT NULL
);
CREATE UNIQUE INDEX index_meter_reads_electric_on_tenant_meter_and_time
  ON meter_reads_electric (tenant_id, meter_id, read_at);
CREATE INDEX index_meter_reads_electric_on_quality_flags ON meter_reads_electric USING gin (quality_flags);

INSERT INTO schema_migrations VALUES ('20240103101112'), ('20240917080000');
INSERT INTO feeders
SELECT ('00000000-0000-4000-8000-0000000000f' || n)::uuid, 'COOP', 'Feeder ' || n, '2024-01-03 10:11:12', '2024-01-03 10:11:12'
FROM generate_series(1, 4) n;
INSERT INTO meters
SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'COOP', 'SN' || n,
  CASE WHEN n > 40 THEN NULL ELSE ('00000000-0000-4000-8000-0000000000f' || 1 + n % 4)::uuid END, true,
  '2024-01-04 00:00', '2024-01-04 00:00'
FROM generate_series(1, 42) n;
INSERT INTO meter_reads_electric (id, tenant_id, meter_id, feeder_id, read_at, kwh, voltage, quality_flags, created_at, updated_at)
SELECT gen_random_uuid(), tenant_id, id, feeder_id, at, 0.250 + extract(hour FROM at) / 100, 121.25,
  CASE WHEN hashtext(id::text || at) % 30 = 0 THEN '["estimated"]' ELSE '[]' END::jsonb, at + interval '20 min', at + interval '20 min'
FROM meters, generate_series(timestamp '2026-05-30 00:00', '2026-05-31 18:00', '6 h') at WHERE feeder_id IS NOT NULL;
