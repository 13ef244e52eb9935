-- What GridLens has done to tables that are not its own, and which tables beside its `ami_` ones it made: the record
-- by which a later start knows a customer's table from ours, and a person what was added and why.
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
