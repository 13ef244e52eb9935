-- A managed database where GridLens gets a login of its own that owns nothing: it may create in the schema, read the
-- registry, and read, write and put triggers on the reads; every column and the key are there. Three of the four KPI
-- views are the utility's own, with other columns, over the reads; a dashboard role has grants; one view is missing.
-- The utility's loader is a third login, which knows the reads and nothing else.
CREATE ROLE {{role}}_dashboard;
CREATE ROLE {{role}}_loader;
CREATE TABLE feeders (feeder_id text PRIMARY KEY, tenant_id text NOT NULL, feeder_name text);
CREATE TABLE meters (meter_id text PRIMARY KEY, tenant_id text NOT NULL, feeder_id text REFERENCES feeders);
CREATE TABLE meter_reads_electric (
  tenant_id     text NOT NULL,
  meter_id      text NOT NULL,
  feeder_id     text NOT NULL,
  read_at       timestamptz NOT NULL,
  kwh           numeric NOT NULL,
  delivered_kwh numeric,
  voltage       numeric,
  quality_flags text[],
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT reads_natural_key UNIQUE (tenant_id, meter_id, read_at)
);
CREATE VIEW v_kpi_electric_overview_daily AS
  SELECT tenant_id, (read_at AT TIME ZONE 'UTC')::date AS reading_date, count(*) AS read_count,
    count(DISTINCT meter_id) AS meter_count, sum(kwh) AS total_kwh,
    round(100 * (sum(delivered_kwh) - sum(kwh)) / nullif(sum(delivered_kwh), 0), 2) AS loss_pct
  FROM meter_reads_electric GROUP BY 1, 2;
CREATE VIEW v_kpi_electric_feeder_loss_daily AS
  SELECT tenant_id, (read_at AT TIME ZONE 'UTC')::date AS day, feeder_id, sum(kwh) AS kwh, sum(delivered_kwh) AS delivered_kwh,
    (100 * (sum(delivered_kwh) - sum(kwh)) / nullif(sum(delivered_kwh), 0))::real AS loss_percent
  FROM meter_reads_electric GROUP BY 1, 2, 3;
CREATE VIEW v_kpi_suspicious_meters_daily AS
  SELECT tenant_id, (read_at AT TIME ZONE 'UTC')::date AS kpi_date, meter_id, sum(delivered_kwh - kwh) AS score
  FROM meter_reads_electric GROUP BY 1, 2, 3 HAVING sum(delivered_kwh - kwh) > 0.2 * sum(delivered_kwh);
COMMENT ON VIEW v_kpi_electric_overview_daily IS 'Board report, page 2';
GRANT SELECT ON v_kpi_electric_overview_daily, v_kpi_electric_feeder_loss_daily TO {{role}}_dashboard;
GRANT SELECT (meter_id, feeder_id) ON meters TO {{role}}_dashboard WITH GRANT OPTION;

INSERT INTO feeders VALUES ('A-1', 'METRO', 'Aldgate'), ('B-2', 'METRO', 'Bank'), ('C-3', 'METRO', 'Camden'), ('D-4', 'METRO', 'Dalston');
INSERT INTO meters
SELECT 'MX' || n, 'METRO', CASE WHEN n > 64 THEN NULL ELSE (ARRAY['A-1', 'B-2', 'C-3', 'D-4'])[1 + n % 4] END FROM generate_series(1, 65) n;
INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, created_at, updated_at)
SELECT tenant_id, meter_id, feeder_id, at, 0.4, 0.42, 120, at, at
FROM meters, generate_series(timestamptz '2026-05-30 00:00Z', '2026-05-31 18:00Z', '6 h') at WHERE feeder_id IS NOT NULL;
GRANT USAGE, CREATE ON SCHEMA public TO {{role}};
GRANT SELECT ON feeders, meters, v_kpi_electric_overview_daily, v_kpi_electric_feeder_loss_daily, v_kpi_suspicious_meters_daily TO {{role}};
GRANT SELECT, INSERT, UPDATE, TRIGGER ON meter_reads_electric TO {{role}};
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {{role}}', current_database()); END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON meter_reads_electric TO {{role}}_loader;
