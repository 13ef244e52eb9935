-- Fifteen years of loaders: the reads are healthy as a schema and dirty as data. Every column may be NULL, and some
-- are: reads without a meter, a time, a feeder, an energy; NaN and infinite values out of a spreadsheet; reads off the
-- quarter hour, of 1970, of the future, and at infinity; negative energy of a solar roof; a duplicate that only a NULL
-- keeps from being one. A meter is in the registry twice. The unique index has its own name and a tablespace-like
-- storage setting; times have a precision of seconds.
CREATE TABLE feeders (feeder_no integer PRIMARY KEY, feeder_name text);
CREATE TABLE meters (row_no serial PRIMARY KEY, meter_id varchar(30), feeder_no integer, active boolean);
CREATE TABLE meter_reads_electric (
  tenant_id     varchar(20),
  meter_id      varchar(30),
  feeder_no     integer,
  read_at       timestamptz(0),
  kwh           double precision,
  delivered_kwh double precision,
  voltage       double precision,
  quality_flags smallint,
  created_at    timestamptz
);
CREATE UNIQUE INDEX "Legacy-Key" ON meter_reads_electric (meter_id, tenant_id, read_at) WITH (fillfactor = 70);

INSERT INTO feeders VALUES (1, 'One'), (2, 'Two'), (3, NULL);
INSERT INTO meters (meter_id, feeder_no, active)
SELECT 'L' || n, CASE WHEN n > 47 THEN 99 WHEN n > 45 THEN NULL ELSE 1 + n % 3 END, CASE WHEN n < 10 THEN NULL ELSE true END
FROM generate_series(1, 48) n UNION ALL SELECT 'L5', 3, true UNION ALL SELECT NULL, 1, true;
INSERT INTO meter_reads_electric
SELECT 'LEGACY', 'L' || n, 1 + n % 3, at, 0.3, 0.31, 120, 0, at
FROM generate_series(1, 45) n, generate_series(timestamptz '2026-05-30 00:00Z', '2026-05-31 18:00Z', '6 h') at;
INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_no, read_at, kwh, delivered_kwh, voltage) VALUES
  ('LEGACY', NULL, 1, '2026-05-31 00:00Z', 1, 1, 120),
  ('LEGACY', NULL, 1, '2026-05-31 00:00Z', 1, 1, 120),
  ('LEGACY', 'L1', 1, NULL, 1, 1, 120),
  (NULL, 'L1', 1, '2026-05-31 00:00Z', 1, 1, 120),
  ('LEGACY', 'L1', NULL, '2026-05-31 00:15Z', 1, 1, 120),
  ('LEGACY', 'L2', 2, '2026-05-31 00:15Z', NULL, 1, NULL),
  ('LEGACY', 'L3', 77, '2026-05-31 00:15Z', -2.5, -2.5, 0),
  ('LEGACY', 'L4', 1, '2026-05-30 00:15Z', 'NaN', 1, 'NaN'),
  ('LEGACY', 'L5', 1, '2026-05-30 00:15Z', 'Infinity', '-Infinity', 'Infinity'),
  ('LEGACY', 'L6', 1, '2026-05-30 00:15Z', 1e300, 1e-300, -1e300),
  ('LEGACY', 'L7', 1, '2026-05-31 00:07:13Z', 0.2, NULL, 119),
  ('LEGACY', 'L8', 1, '1970-01-01 00:00Z', 0.2, 0.2, 119),
  ('LEGACY', 'L8', 1, '2091-01-01 00:00Z', 0.2, 0.2, 119),
  ('LEGACY', 'L8', 1, 'infinity', 0.2, 0.2, 119),
  ('LEGACY', 'L8', 1, '-infinity', 0.2, 0.2, 119);
