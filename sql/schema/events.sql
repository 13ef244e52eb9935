-- Pilot events. They live in this table and nowhere else, so they survive every restart.
--
-- IF NOT EXISTS throughout: a customer may have made this table already, as the pilot request described it. It then stays as it is and
-- gets the columns that it lacks. It gets no constraint and no comment: its writers do not know ours, and its comments
-- are its owner's.
CREATE TABLE IF NOT EXISTS ami_events (
  id             uuid             PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id      text COLLATE "C" NOT NULL,
  feeder_id      text COLLATE "C" NOT NULL,
  event_type     text             NOT NULL,
  severity       numeric          NOT NULL DEFAULT 0.5,
  start_at       timestamptz      NOT NULL DEFAULT now(),
  end_at         timestamptz      NOT NULL,
  is_active      boolean          NOT NULL DEFAULT true,
  created_at     timestamptz      NOT NULL DEFAULT now(),
  meter_ids      text[],
  meter_fraction numeric,
  stopped_at     timestamptz,
  delivery       text,
  theft_form     text,
  CONSTRAINT ami_events_type_known CHECK (event_type IN ('theft', 'comms-outage', 'voltage-sag')),
  CONSTRAINT ami_events_severity_in_range CHECK (severity BETWEEN 0 AND 1),
  CONSTRAINT ami_events_end_not_before_start CHECK (end_at >= start_at),
  CONSTRAINT ami_events_fraction_in_range CHECK (meter_fraction > 0 AND meter_fraction <= 1),
  CONSTRAINT ami_events_one_selection CHECK (meter_ids IS NULL OR meter_fraction IS NULL),
  CONSTRAINT ami_events_delivery_of_outage
    CHECK (delivery IS NULL OR (event_type = 'comms-outage' AND delivery IN ('lost', 'late'))),
  CONSTRAINT ami_events_form_of_theft
    CHECK (theft_form IS NULL OR (event_type = 'theft'
      AND theft_form IN ('constant', 'random', 'window', 'mean-factor', 'mean', 'reversed')))
);
ALTER TABLE ami_events ADD COLUMN IF NOT EXISTS created_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE ami_events ADD COLUMN IF NOT EXISTS meter_ids text[];
ALTER TABLE ami_events ADD COLUMN IF NOT EXISTS meter_fraction numeric;
ALTER TABLE ami_events ADD COLUMN IF NOT EXISTS stopped_at timestamptz;
ALTER TABLE ami_events ADD COLUMN IF NOT EXISTS delivery text;
ALTER TABLE ami_events ADD COLUMN IF NOT EXISTS theft_form text;
CREATE INDEX IF NOT EXISTS ami_events_by_feeder ON ami_events (tenant_id, feeder_id, is_active, end_at);
-- What every batch asks: the tenant's events that do not end before its interval.
CREATE INDEX IF NOT EXISTS ami_events_by_end ON ami_events (tenant_id, end_at);
CREATE INDEX IF NOT EXISTS ami_events_to_expire ON ami_events (end_at) WHERE is_active;
