-- Reads alone: an analytics copy to which nobody ever brought the registry. GridLens makes meters and feeders of its
-- own, empty; the synthetic fleet fits, since all ids are text. Quality flags are a nullable integer, an external
-- uuid is NOT NULL without a default, the key is a primary key over text ids, there is no voltage, kWh is numeric.
CREATE TABLE meter_reads_electric (
  reading_uuid  uuid NOT NULL,
  tenant_id     text NOT NULL,
  meter_id      text NOT NULL,
  feeder_id     text,
  read_at       timestamptz NOT NULL,
  energy_kwh    numeric NOT NULL,
  quality_flags integer,
  updated_at    timestamptz,
  PRIMARY KEY (tenant_id, meter_id, read_at)
);
CREATE UNIQUE INDEX reading_uuid_key ON meter_reads_electric (reading_uuid);
CREATE STATISTICS reads_of_feeders (dependencies) ON feeder_id, meter_id FROM meter_reads_electric;

INSERT INTO meter_reads_electric
SELECT gen_random_uuid(), 'ANALYTICS', 'AN-' || n, 'AREA ' || 1 + n % 3, at, 0.4, 0, at
FROM generate_series(1, 40) n, generate_series(timestamptz '2026-05-30 00:00Z', '2026-05-31 18:00Z', '6 h') at;
