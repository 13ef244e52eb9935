-- The comments of ami_events (events.sql), for a table that GridLens made: a customer's table keeps its own.
COMMENT ON TABLE ami_events IS
  'Events that change the reads of a feeder while they last. Whether an event applies to a read is a matter of time '
  'alone: the read''s interval overlaps [start_at, end_at). An event that was stopped before it began has end_at = '
  'start_at and changes nothing.';
COMMENT ON COLUMN ami_events.event_type IS 'theft, comms-outage or voltage-sag.';
COMMENT ON COLUMN ami_events.severity IS 'How strong, from 0 to 1.';
COMMENT ON COLUMN ami_events.start_at IS 'When it begins.';
COMMENT ON COLUMN ami_events.end_at IS 'When it is over; the instant itself is no longer part of it.';
COMMENT ON COLUMN ami_events.is_active IS
  'Tells people and SQL that the event is not over yet; follows end_at within seconds. Reads never depend on it.';
COMMENT ON COLUMN ami_events.meter_ids IS
  'The meters that it narrows to; NULL for all of the feeder. At most one of meter_ids and meter_fraction is set.';
COMMENT ON COLUMN ami_events.meter_fraction IS
  'The part of the feeder''s meters that it narrows to, above 0 and up to 1; NULL for all.';
COMMENT ON COLUMN ami_events.stopped_at IS 'When somebody ended it early; NULL when nobody did.';
COMMENT ON COLUMN ami_events.delivery IS
  'Of a comms-outage: late where the meters keep their reads and deliver them after it; lost, or NULL, where the reads never '
  'come. NULL of other events.';
COMMENT ON COLUMN ami_events.theft_form IS
  'Of a theft: how it changes what is registered: constant (also where it is NULL), random, window, mean-factor, mean or reversed. '
  'NULL of other events.';
