-- The meters of the registry fleet, made only where the database has no table of meters.
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
COMMENT ON TABLE meters IS 'The meters of each tenant''s registry. npm run fleet loads and exports them.';
COMMENT ON COLUMN meters.feeder_id IS
  'The meter''s feeder. There is no foreign key: a meter that names none of the feeders is left out of publishes and '
  'counted.';
COMMENT ON COLUMN meters.is_active IS 'Whether the meter is in service; publishes leave the others out.';
