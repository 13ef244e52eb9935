-- Reads that come some intervals later without an outage: they wait beside those that outages hold back, and say until when.
ALTER TABLE ami_held_reads ADD COLUMN due_at timestamptz;
