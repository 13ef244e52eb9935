-- Days of reads that were archived as files before retention dropped them.
CREATE TABLE ami_archive_days (
  day         date   PRIMARY KEY,
  reads       bigint,
  bytes       bigint,
  sha256      text,
  archived_at timestamptz,
  dropped_at  timestamptz,
  restored_at timestamptz,
  failure     text,
  failed_at   timestamptz,
  CONSTRAINT ami_archive_days_archived_whole CHECK ((archived_at IS NULL) = (reads IS NULL)),
  CONSTRAINT ami_archive_days_dropped_archived CHECK (dropped_at IS NULL OR archived_at IS NOT NULL),
  CONSTRAINT ami_archive_days_failure_dated CHECK ((failure IS NULL) = (failed_at IS NULL))
);
COMMENT ON TABLE ami_archive_days IS 'UTC days of reads that were archived, or could not be (ARCHIVE_DIR).';
COMMENT ON COLUMN ami_archive_days.day IS 'The UTC day.';
COMMENT ON COLUMN ami_archive_days.archived_at IS 'When its archive was last found whole.';
COMMENT ON COLUMN ami_archive_days.failed_at IS 'When it last failed.';
COMMENT ON COLUMN ami_archive_days.reads IS 'Reads in the archive, of all tenants; NULL where it was never whole.';
COMMENT ON COLUMN ami_archive_days.bytes IS 'Size of its files.';
COMMENT ON COLUMN ami_archive_days.sha256 IS 'Checksum over all of its rows, as the manifest of the day has it.';
COMMENT ON COLUMN ami_archive_days.dropped_at IS 'When the table''s partition was dropped; NULL while its reads are in the table.';
COMMENT ON COLUMN ami_archive_days.restored_at IS
  'When its reads were last put back; they are archived and dropped again a week later.';
COMMENT ON COLUMN ami_archive_days.failure IS 'Why it could not be archived at the latest try; NULL after one that could.';
