-- In the pilot request's own words: meters carry a feeder_code that no foreign key ties to feeders, ids are varchar of limited
-- length, quality_flags is one text, the unique constraint has the utility's name, and there is no delivered_kwh.
-- A small municipal utility whose consultant made the tables by hand looks so. Some meters have no feeder, one names
-- a feeder that was taken out of service and deleted.
CREATE TABLE feeders (
  tenant_id    varchar(40) NOT NULL,
  feeder_code  varchar(20) NOT NULL,
  feeder_name  varchar(80),
  nominal_kv   numeric(5,2),
  CONSTRAINT pk_feeders PRIMARY KEY (tenant_id, feeder_code)
);
CREATE TABLE meters (
  tenant_id      varchar(40)  NOT NULL,
  meter_id       varchar(64)  NOT NULL,
  feeder_code    varchar(20),
  service_point  varchar(40),
  install_date   date,
  CONSTRAINT pk_meters PRIMARY KEY (tenant_id, meter_id)
);
CREATE TABLE meter_reads_electric (
  tenant_id     varchar(40)  NOT NULL,
  meter_id      varchar(64)  NOT NULL,
  feeder_id     varchar(20),
  read_at       timestamptz  NOT NULL,
  kwh           numeric      NOT NULL,
  voltage       numeric,
  quality_flags text,
  updated_at    timestamptz  DEFAULT now(),
  CONSTRAINT uq_one_read_per_interval UNIQUE (tenant_id, meter_id, read_at)
);
CREATE INDEX ix_reads_time ON meter_reads_electric (read_at);
COMMENT ON TABLE meter_reads_electric IS 'Nightly file from the head-end; owner: metering dept, ext. 4711';
COMMENT ON COLUMN meter_reads_electric.quality_flags IS 'comma separated';

INSERT INTO feeders VALUES
  ('CITY_LIGHT', 'NORTH-1', 'North 1', 12.47), ('CITY_LIGHT', 'NORTH-2', 'North 2', 12.47),
  ('CITY_LIGHT', 'HARBOR', 'Harbor', 4.16), ('OTHER_TOWN', 'NORTH-1', 'North of the other town', 12.47);
INSERT INTO meters
SELECT 'CITY_LIGHT', 'CL-' || lpad(n::text, 6, '0'),
  CASE WHEN n > 57 THEN 'RETIRED-9' WHEN n > 54 THEN NULL ELSE (ARRAY['NORTH-1', 'NORTH-2', 'HARBOR'])[1 + n % 3] END,
  'SP' || n, date '2019-04-01' + n
FROM generate_series(1, 60) n;
INSERT INTO meters SELECT 'OTHER_TOWN', 'OT-' || n, 'NORTH-1' FROM generate_series(1, 5) n;
INSERT INTO meter_reads_electric
SELECT tenant_id, meter_id, feeder_code, at, round((0.2 + (hashtext(meter_id || at) & 255) / 500.0)::numeric, 3),
  120 + (hashtext(meter_id) % 3), CASE WHEN hashtext(meter_id || at) % 40 = 0 THEN 'ESTIMATED,LATE' END, at + interval '6 h'
FROM meters, generate_series(timestamptz '2026-05-30 00:00Z', '2026-05-31 18:00Z', '6 h') at
WHERE tenant_id = 'CITY_LIGHT' AND feeder_code IS NOT NULL;
