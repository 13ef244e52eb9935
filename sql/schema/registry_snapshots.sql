-- Snapshots of the registry: what publishes of fleet "registry" mean by "the meters".
CREATE TABLE ami_fleets (
  fleet_id    bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id   text COLLATE "C" NOT NULL,
  fingerprint text COLLATE "C" NOT NULL,
  meter_count  integer         NOT NULL,
  feeder_count integer         NOT NULL,
  synthetic_feeder_count integer,
  created_at  timestamptz      NOT NULL DEFAULT now(),
  -- A registry that is again as it was before gets its old snapshot back.
  CONSTRAINT ami_fleets_once UNIQUE (tenant_id, fingerprint),
  CONSTRAINT ami_fleets_within_caps CHECK (meter_count BETWEEN 1 AND 25000 AND feeder_count BETWEEN 1 AND 40),
  CONSTRAINT ami_fleets_synthetic_within_caps CHECK (synthetic_feeder_count BETWEEN 10 AND 40)
);
COMMENT ON TABLE ami_fleets IS
  'Snapshots of a tenant''s registry: its meters and feeders as they were when a publish found them changed. A '
  'snapshot never changes. A batch that runs late, again, or after the queue was lost therefore means the same '
  'meters as when it was accepted, and a job needs to name only the snapshot and a range of positions.';
COMMENT ON COLUMN ami_fleets.fleet_id IS 'Number of the snapshot.';
COMMENT ON COLUMN ami_fleets.fingerprint IS 'Hash of the meters, their feeders and their order.';
COMMENT ON COLUMN ami_fleets.meter_count IS 'Meters in the snapshot.';
COMMENT ON COLUMN ami_fleets.feeder_count IS 'Feeders that have a meter in the snapshot.';
COMMENT ON COLUMN ami_fleets.synthetic_feeder_count IS
  'Feeder count of the synthetic fleet whose meters have the same names as these; NULL when the names are not of '
  'that kind.';

CREATE TABLE ami_fleet_meters (
  fleet_id  bigint           NOT NULL,
  position  integer          NOT NULL,
  feeder_id text COLLATE "C" NOT NULL,
  meter_id  text COLLATE "C" NOT NULL,
  PRIMARY KEY (fleet_id, position)
);
COMMENT ON TABLE ami_fleet_meters IS
  'The meters of each snapshot in one line: ordered by feeder, then by meter, both in byte order. There is no '
  'foreign key to ami_fleets: its trigger would run for each of 25,000 meters, and a snapshot would take 194 ms '
  'instead of 31 ms while its publish waits. Meters are written only by the statement that makes the snapshot, and '
  'deleted only in the transaction that deletes the snapshot.';
COMMENT ON COLUMN ami_fleet_meters.fleet_id IS 'Snapshot: ami_fleets.fleet_id.';
COMMENT ON COLUMN ami_fleet_meters.position IS 'Place in the line, counted from 0.';

CREATE TABLE ami_fleet_feeders (
  fleet_id   bigint           NOT NULL REFERENCES ami_fleets ON DELETE CASCADE,
  feeder_id  text COLLATE "C" NOT NULL,
  range_from integer          NOT NULL,
  range_to   integer          NOT NULL,
  PRIMARY KEY (fleet_id, feeder_id),
  CONSTRAINT ami_fleet_feeders_range CHECK (0 <= range_from AND range_from < range_to)
);
COMMENT ON TABLE ami_fleet_feeders IS
  'Where each feeder''s meters stand in the line of a snapshot: at the positions [range_from, range_to).';
COMMENT ON COLUMN ami_fleet_feeders.fleet_id IS 'Snapshot: ami_fleets.fleet_id.';
COMMENT ON COLUMN ami_fleet_feeders.range_from IS 'First position of the feeder.';
COMMENT ON COLUMN ami_fleet_feeders.range_to IS 'Position after the feeder''s last one.';
