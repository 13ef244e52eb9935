-- The feeders of the registry fleet, made only where the database has no table of feeders.
CREATE TABLE feeders (
  tenant_id  text COLLATE "C" NOT NULL,
  feeder_id  text COLLATE "C" NOT NULL,
  name       text,
  created_at timestamptz      NOT NULL DEFAULT now(),
  updated_at timestamptz      NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, feeder_id)
);
COMMENT ON TABLE feeders IS 'The feeders of each tenant''s registry. npm run fleet loads and exports them.';
COMMENT ON COLUMN feeders.name IS 'What people call the feeder; events take it too.';
