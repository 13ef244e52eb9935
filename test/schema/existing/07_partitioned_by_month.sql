-- A DBA who partitions by month: the reads are the utility's own partitioned table with a default partition, the
-- primary key is (tenant_id, meter_id, read_at), meters and reads have CHECK constraints, old data is in a partition
-- with a tighter fillfactor. Feeder ids are text and reads refer to feeders by a compound foreign key.
CREATE TABLE feeders (
  tenant_id text NOT NULL,
  feeder_id text NOT NULL,
  kv        numeric(6,3) CONSTRAINT feeders_kv_sane CHECK (kv > 0),
  PRIMARY KEY (tenant_id, feeder_id)
);
CREATE TABLE meters (
  tenant_id  text NOT NULL,
  meter_id   text NOT NULL,
  feeder_id  text,
  multiplier numeric NOT NULL DEFAULT 1 CHECK (multiplier > 0),
  PRIMARY KEY (tenant_id, meter_id),
  CONSTRAINT meters_feeder_fk FOREIGN KEY (tenant_id, feeder_id) REFERENCES feeders
);
CREATE TABLE meter_reads_electric (
  tenant_id     text NOT NULL,
  meter_id      text NOT NULL,
  feeder_id     text NOT NULL,
  read_at       timestamptz NOT NULL,
  kwh           numeric(12,5) NOT NULL,
  delivered_kwh numeric(12,5),
  voltage       numeric(7,3),
  quality_flags text[] NOT NULL DEFAULT '{}',
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT mre_pk PRIMARY KEY (tenant_id, meter_id, read_at),
  CONSTRAINT mre_kwh_sane CHECK (kwh BETWEEN 0 AND 1000),
  CONSTRAINT mre_voltage_sane CHECK (voltage BETWEEN 50 AND 300),
  CONSTRAINT mre_feeder_fk FOREIGN KEY (tenant_id, feeder_id) REFERENCES feeders
) PARTITION BY RANGE (read_at);
CREATE TABLE meter_reads_electric_2026_05 PARTITION OF meter_reads_electric
  FOR VALUES FROM ('2026-05-01 00:00Z') TO ('2026-06-01 00:00Z') WITH (fillfactor = 100);
CREATE TABLE meter_reads_electric_2026_06 PARTITION OF meter_reads_electric
  FOR VALUES FROM ('2026-06-01 00:00Z') TO ('2026-07-01 00:00Z');
CREATE TABLE meter_reads_electric_rest PARTITION OF meter_reads_electric DEFAULT;
CREATE INDEX mre_by_feeder ON meter_reads_electric (feeder_id, read_at);

INSERT INTO feeders VALUES ('VALLEY', 'V1', 12.5), ('VALLEY', 'V2', 12.5), ('VALLEY', 'V3', 34.5);
INSERT INTO meters (tenant_id, meter_id, feeder_id)
SELECT 'VALLEY', 'V-' || n, CASE WHEN n > 60 THEN NULL ELSE 'V' || 1 + n % 3 END FROM generate_series(1, 62) n;
INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, created_at, updated_at)
SELECT tenant_id, meter_id, feeder_id, at, 0.31234, 0.33, 120.5, at, at
FROM meters, generate_series(timestamptz '2026-05-30 00:00Z', '2026-05-31 18:00Z', '6 h') at WHERE feeder_id IS NOT NULL;
