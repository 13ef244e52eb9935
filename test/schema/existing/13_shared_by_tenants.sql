-- A service bureau that hosts several utilities in one database: the same meter and feeder numbers occur in more than
-- one tenant, keys and foreign keys are compound and begin with the organisation. ids are bigint, the reads' primary
-- key lists the time first, row comments and a statement trigger of the bureau's own are on the table, quality flags
-- are jsonb without a default, time is without zone while sessions have the bureau's, and
-- dates are written day first; sessions default to repeatable read and to a statement timeout.
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''America/Chicago''', current_database());
  EXECUTE format('ALTER DATABASE %I SET datestyle = ''SQL, DMY''', current_database());
  EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = ''repeatable read''', current_database());
  EXECUTE format('ALTER DATABASE %I SET statement_timeout = ''20s''', current_database()); END $$;
CREATE TABLE feeders (
  tenant_id varchar(30) NOT NULL,
  feeder_id bigint NOT NULL,
  name      varchar(50),
  PRIMARY KEY (tenant_id, feeder_id)
);
CREATE TABLE meters (
  tenant_id varchar(30) NOT NULL,
  meter_id  bigint NOT NULL,
  feeder_id bigint,
  PRIMARY KEY (tenant_id, meter_id),
  FOREIGN KEY (tenant_id, feeder_id) REFERENCES feeders (tenant_id, feeder_id)
);
CREATE TABLE meter_reads_electric (
  tenant_id     varchar(30) NOT NULL,
  meter_id      bigint NOT NULL,
  feeder_id     bigint NOT NULL,
  read_ts       timestamp without time zone NOT NULL,
  consumption_kwh numeric(14,6) NOT NULL,
  delivered_kwh numeric(14,6),
  voltage_v     numeric(6,2),
  quality_flags jsonb,
  inserted_at   timestamptz NOT NULL DEFAULT now(),
  modified_at   timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT reads_pk PRIMARY KEY (read_ts, tenant_id, meter_id),
  FOREIGN KEY (tenant_id, meter_id) REFERENCES meters (tenant_id, meter_id),
  FOREIGN KEY (tenant_id, feeder_id) REFERENCES feeders (tenant_id, feeder_id)
);
CREATE TABLE load_log (id integer GENERATED ALWAYS AS IDENTITY, at timestamptz DEFAULT clock_timestamp(), rows bigint);
CREATE FUNCTION log_load() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO load_log (rows) SELECT count(*) FROM fresh; RETURN NULL; END $$;

INSERT INTO feeders SELECT tenant, 100 + n, 'No. ' || n FROM unnest(ARRAY['EAST', 'WEST']) tenant, generate_series(1, 4) n;
INSERT INTO meters
SELECT tenant, 9000 + n, CASE WHEN n > 40 THEN NULL ELSE 101 + n % 4 END FROM unnest(ARRAY['EAST', 'WEST']) tenant, generate_series(1, 41) n;
INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_ts, consumption_kwh, delivered_kwh, voltage_v, quality_flags, inserted_at, modified_at)
SELECT tenant_id, meter_id, feeder_id, at, 0.333333, 0.35, 120.4, CASE WHEN meter_id % 9 = 0 THEN '["gap"]'::jsonb END, at, at
FROM meters, generate_series(timestamp '2026-05-30 00:00', '2026-05-31 18:00', '6 h') at WHERE feeder_id IS NOT NULL;
CREATE TRIGGER bureau_log AFTER INSERT ON meter_reads_electric REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION log_load();
