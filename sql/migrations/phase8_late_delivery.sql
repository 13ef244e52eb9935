-- Late delivery: an outage may hold reads back in place of losing them; what it held back is delivered after it.
ALTER TABLE ami_events ADD COLUMN IF NOT EXISTS delivery text;
-- A customer's own table has none of the constraints and gets none.
DO $migrate$
BEGIN
  IF EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'ami_events'::regclass AND conname = 'ami_events_type_known') THEN
    ALTER TABLE ami_events ADD CONSTRAINT ami_events_delivery_of_outage
      CHECK (delivery IS NULL OR (event_type = 'comms-outage' AND delivery IN ('lost', 'late')));
  END IF;
END $migrate$;

ALTER TABLE ami_publishes ADD COLUMN hold_id bigint, ADD COLUMN late_as_of timestamptz, ADD COLUMN known_at timestamptz,
  DROP CONSTRAINT ami_publishes_origin_known,
  ADD CONSTRAINT ami_publishes_origin_known
    CHECK (origin IN ('manual', 'tick', 'catch-up', 'backfill', 'revision', 'import', 'late')),
  ADD CONSTRAINT ami_publishes_late_complete
    CHECK ((origin = 'late') = (hold_id IS NOT NULL) AND (hold_id IS NULL) = (late_as_of IS NULL)
      AND (hold_id IS NULL) = (known_at IS NULL));

CREATE TABLE ami_held_reads (
  hold_id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  publish_id   uuid        NOT NULL,
  batch_number smallint    NOT NULL,
  tenant_id    text COLLATE "C" NOT NULL,
  feeder_id    text COLLATE "C" NOT NULL,
  read_at      timestamptz NOT NULL,
  range_from   integer     NOT NULL,
  range_to     integer     NOT NULL,
  reads        smallint    NOT NULL,
  event_ids    uuid[]      NOT NULL,
  known_at     timestamptz NOT NULL,
  place        double precision NOT NULL,
  state        text        NOT NULL DEFAULT 'held',
  attempts     integer     NOT NULL DEFAULT 0,
  next_try_at  timestamptz,
  delivered_by uuid,
  failure      text,
  FOREIGN KEY (publish_id, batch_number) REFERENCES ami_publish_batches ON DELETE CASCADE,
  CONSTRAINT ami_held_reads_state_known CHECK (state IN ('held', 'sent', 'delivered', 'lost')),
  CONSTRAINT ami_held_reads_lost_has_reason CHECK (state <> 'lost' OR failure IS NOT NULL),
  CONSTRAINT ami_held_reads_sent_by CHECK (state NOT IN ('sent', 'delivered') OR delivered_by IS NOT NULL),
  CONSTRAINT ami_held_reads_range CHECK (0 <= range_from AND range_from < range_to)
);
CREATE INDEX ami_held_reads_open ON ami_held_reads (tenant_id, event_ids, place) WHERE state = 'held';
CREATE INDEX ami_held_reads_by_interval ON ami_held_reads (tenant_id, read_at) WHERE state = 'held';
CREATE INDEX ami_held_reads_sent ON ami_held_reads (tenant_id) WHERE state = 'sent';
CREATE INDEX ami_held_reads_by_batch ON ami_held_reads (publish_id, batch_number);
CREATE INDEX ami_held_reads_by_event ON ami_held_reads USING gin (event_ids);

-- What arrives late belongs to an interval that is there: it is not being written anew.
DO $migrate$
DECLARE
  definition text := pg_get_functiondef('ami_intervals_being_written(text)'::regprocedure);
BEGIN
  IF position($q$('revision', 'import')$q$ IN definition) = 0 THEN
    RAISE EXCEPTION 'ami_intervals_being_written is not as the migrations before have left it';
  END IF;
  EXECUTE replace(definition, $q$('revision', 'import')$q$, $q$('revision', 'import', 'late')$q$);
END $migrate$;
