-- The meters of the registry fleet, made only where the database has no table of meters of its own (decision 19).
-- feeder_id refers to no table: where it points to none of the feeders, the meter is left out and counted.
CREATE TABLE meters (
  tenant_id  text COLLATE "C" NOT NULL,
  meter_id   text COLLATE "C" NOT NULL,
  feeder_id  text COLLATE "C",
  is_active  boolean          NOT NULL DEFAULT true,
  created_at timestamptz      NOT NULL DEFAULT now(),
  updated_at timestamptz      NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, meter_id)
);
CREATE INDEX meters_by_feeder ON meters (tenant_id, feeder_id, meter_id);
