-- Which files of sql/migrations this database has had.
CREATE TABLE ami_migrations (
  name       text        PRIMARY KEY,
  checksum   text        NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ami_migrations IS
  'The files of sql/migrations that this database has had. A database that was empty at its first start is made from '
  'sql/schema, which holds the result of all of them, and has them all recorded at once.';
COMMENT ON COLUMN ami_migrations.name IS 'File name without its folder.';
COMMENT ON COLUMN ami_migrations.checksum IS
  'SHA-256 of the file, hexadecimal. A start refuses to run when a file was edited after it had been applied.';
