-- The pilot request half carried out by hand before GridLens came: its ami_events with an old event in it, its
-- index under another name, all four KPI views as a consultant wrote them (one with a tenant column called tenant),
-- feeder ids as varchar in the reads while the registry counts feeders by integer id and knows them by code.
CREATE TABLE feeders (id integer PRIMARY KEY, code varchar(20) NOT NULL UNIQUE, name text);
CREATE TABLE meters (
  id        integer PRIMARY KEY,
  meter_id  varchar(80) NOT NULL UNIQUE,
  feeder_id integer REFERENCES feeders,
  tenant_id text NOT NULL DEFAULT 'DEMO_TENANT'
);
CREATE TABLE meter_reads_electric (
  tenant_id     text NOT NULL,
  meter_id      varchar(80) NOT NULL,
  feeder_id     varchar(20),
  read_at       timestamptz NOT NULL,
  kwh           numeric(10,3),
  voltage       numeric(6,2),
  quality_flags text,
  created_at    timestamptz DEFAULT now()
);
CREATE TABLE ami_events (
  id         uuid DEFAULT gen_random_uuid(),
  tenant_id  text NOT NULL,
  feeder_id  text NOT NULL,
  event_type text NOT NULL,
  severity   numeric NOT NULL DEFAULT 0.5,
  start_at   timestamptz NOT NULL DEFAULT now(),
  end_at     timestamptz NOT NULL,
  is_active  boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE ami_events IS 'Pilot 2026, ask Priya before deleting';
CREATE INDEX idx_ami_events_lookup ON ami_events (tenant_id, feeder_id, is_active, end_at);
CREATE VIEW v_kpi_electric_overview_daily AS
  SELECT tenant_id AS tenant, read_at::date AS day, sum(kwh) AS kwh, avg(voltage) AS avg_voltage, count(*) AS reads FROM meter_reads_electric GROUP BY 1, 2;
CREATE VIEW v_kpi_electric_feeder_loss_daily AS
  SELECT tenant_id, read_at::date AS day, feeder_id AS feeder, sum(kwh) AS kwh, 4.2::numeric AS loss_pct FROM meter_reads_electric GROUP BY 1, 2, 3;
CREATE VIEW v_kpi_suspicious_meters_daily AS
  SELECT tenant_id, read_at::date AS day, meter_id, 'low use'::text AS reason FROM meter_reads_electric GROUP BY 1, 2, 3 HAVING sum(kwh) < 0.01;
CREATE VIEW v_kpi_fieldops_daily AS
  SELECT tenant_id, read_at::date AS day, feeder_id, count(*) FILTER (WHERE voltage < 114) AS low_voltage_meters FROM meter_reads_electric GROUP BY 1, 2, 3;

INSERT INTO feeders VALUES (1, 'FEEDER_1', 'One'), (2, 'FEEDER_2', 'Two'), (3, 'FEEDER_3', 'Three'), (7, 'FEEDER_7', 'Seven');
INSERT INTO meters
SELECT n, 'DEMO-' || n, CASE WHEN n > 48 THEN NULL ELSE (ARRAY[1, 2, 3, 7])[1 + n % 4] END FROM generate_series(1, 50) n;
INSERT INTO ami_events (tenant_id, feeder_id, event_type, severity, start_at, end_at, is_active)
VALUES ('DEMO_TENANT', 'FEEDER_7', 'theft', 0.8, '2026-05-30 12:00Z', '2026-05-30 13:00Z', false);
INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, voltage, created_at)
SELECT tenant_id, meter_id, 'FEEDER_' || feeder_id, at, 0.6, 120.75, at
FROM meters, generate_series(timestamptz '2026-05-30 00:00Z', '2026-05-31 18:00Z', '6 h') at WHERE feeder_id IS NOT NULL;
