-- What an MDM's nightly export leaves behind: reads with three columns and no key at all, `kwh_delivered` (delivered
-- to the customer: the register), a "timestamp" column, an ICU collation on the meter. Feeders are only a code on the
-- meter, there is no table of them, and nobody has a tenant. Everything else is for GridLens to add.
CREATE TABLE meters (
  meter_id    text COLLATE "und-x-icu" PRIMARY KEY,
  feeder_code text,
  address     text
);
CREATE TABLE meter_reads_electric (
  meter_id      text COLLATE "und-x-icu" NOT NULL,
  "timestamp"   timestamptz NOT NULL,
  kwh_delivered numeric(9,3)
);
CREATE INDEX export_idx ON meter_reads_electric (meter_id);
COMMENT ON TABLE meter_reads_electric IS E'Export job 42\nDo not edit by hand';

INSERT INTO meters
SELECT 'mtr-' || n, CASE WHEN n > 56 THEN '' WHEN n > 52 THEN NULL ELSE (ARRAY['10-A', '10-B', '11-A', '12-Ä'])[1 + n % 4] END,
  n || ' Main St'
FROM generate_series(1, 58) n;
INSERT INTO meter_reads_electric
SELECT meter_id, at, 0.5 FROM meters, generate_series(timestamptz '2026-05-30 00:00Z', '2026-05-31 18:00Z', '6 h') at;
