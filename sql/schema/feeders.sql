-- The feeders of the registry fleet, made only where the database has no table of feeders of its own (decision 19).
CREATE TABLE feeders (
  tenant_id  text COLLATE "C" NOT NULL,
  feeder_id  text COLLATE "C" NOT NULL,
  name       text,
  created_at timestamptz      NOT NULL DEFAULT now(),
  updated_at timestamptz      NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, feeder_id)
);
