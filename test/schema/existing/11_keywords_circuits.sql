-- Columns named with SQL's own words ("timestamp", "user", "order", "group", "end"), feeders are called circuits and
-- have integer numbers of the utility's own, json (not jsonb) quality flags, tenants are called tenant. The unique
-- key has its columns in another order. A cooperative that grew its own tables looks so.
CREATE TABLE circuits (
  circuit_id integer PRIMARY KEY,
  tenant     text NOT NULL,
  name       text NOT NULL,
  "group"    text,
  "order"    integer UNIQUE DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE meters (
  tenant     text NOT NULL,
  meter_id   text NOT NULL,
  circuit_id integer REFERENCES circuits (circuit_id) ON UPDATE CASCADE,
  "user"     text DEFAULT current_user,
  PRIMARY KEY (meter_id, tenant)
);
CREATE TABLE meter_reads_electric (
  tenant        text NOT NULL,
  meter_id      text NOT NULL,
  circuit_id    integer REFERENCES circuits (circuit_id) ON UPDATE CASCADE,
  "timestamp"   timestamp without time zone NOT NULL,
  kwh           numeric,
  kwh_delivered numeric,
  volts         numeric,
  quality_flags json,
  "user"        text NOT NULL DEFAULT current_user,
  "end"         timestamp without time zone,
  "order"       bigserial
);
CREATE UNIQUE INDEX one_per_quarter_hour ON meter_reads_electric ("timestamp", tenant, meter_id);
CREATE INDEX "select" ON meter_reads_electric ("order") WHERE "user" <> 'loader';

INSERT INTO circuits VALUES (1, 'RIDGE', 'Ridge 1', 'A', 3), (2, 'RIDGE', 'Ridge 2', 'A', 2), (9, 'RIDGE', 'Lake', 'B', 1);
INSERT INTO meters (tenant, meter_id, circuit_id)
SELECT 'RIDGE', 'R' || n, CASE WHEN n > 54 THEN NULL ELSE (ARRAY[1, 2, 9])[1 + n % 3] END FROM generate_series(1, 57) n;
INSERT INTO meter_reads_electric (tenant, meter_id, circuit_id, "timestamp", kwh, kwh_delivered, volts, quality_flags, "user")
SELECT tenant, meter_id, circuit_id, at, 0.5, 0.53, 121, CASE WHEN circuit_id = 9 THEN '["EST"]'::json END, 'loader'
FROM meters, generate_series(timestamp '2026-05-30 00:00', '2026-05-31 18:00', '6 h') at WHERE circuit_id IS NOT NULL;
