-- The record by which a later start tells a customer's table from one of GridLens's own.
CREATE TABLE ami_schema_changes (
  change       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind         text        NOT NULL,
  table_schema text        NOT NULL,
  table_name   text        NOT NULL,
  column_name  text,
  statement    text        NOT NULL,
  reason       text        NOT NULL,
  changed_by   text        NOT NULL DEFAULT current_user,
  changed_at   timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT ami_schema_changes_kind_known
    CHECK (kind IN ('adopt', 'create', 'add column', 'add unique key', 'add trigger'))
);
COMMENT ON TABLE ami_schema_changes IS
  'What GridLens has done to tables that it did not make, and which tables it made whose names do not begin with '
  'ami_. Later starts read this table; people see here what was added and why.';
COMMENT ON COLUMN ami_schema_changes.change IS 'Number of the change, rising.';
COMMENT ON COLUMN ami_schema_changes.kind IS
  'adopt: a customer''s table of reads is used from here on. create: GridLens made the table. The others: what was '
  'added to a customer''s table.';
COMMENT ON COLUMN ami_schema_changes.table_schema IS 'Schema of the table that was changed, as the catalog has it.';
COMMENT ON COLUMN ami_schema_changes.table_name IS 'Name of the table that was changed, as the catalog has it.';
COMMENT ON COLUMN ami_schema_changes.column_name IS 'The column that was added; NULL for the other kinds.';
COMMENT ON COLUMN ami_schema_changes.statement IS
  'The SQL that was run. For an adoption: the table''s oid and its mapped columns, as JSON. For a table that '
  'GridLens made: the file that makes it.';
COMMENT ON COLUMN ami_schema_changes.reason IS 'Why, in words.';
COMMENT ON COLUMN ami_schema_changes.changed_by IS 'The database role that made the change.';
