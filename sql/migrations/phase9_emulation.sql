-- Which customers reads are made of, and what stands behind their meters, is part of what an interval is made by. Rows that
-- are there, and those of processes of the last version, are of model 1 with nothing behind the meters.
ALTER TABLE ami_publishes
  ADD COLUMN model   smallint NOT NULL DEFAULT 1,
  ADD COLUMN place   text,
  ADD COLUMN der     jsonb    NOT NULL DEFAULT '{}',
  ADD COLUMN network jsonb    NOT NULL DEFAULT '{}';
ALTER TABLE ami_auto
  ADD COLUMN model   smallint NOT NULL DEFAULT 1,
  ADD COLUMN place   text,
  ADD COLUMN der     jsonb    NOT NULL DEFAULT '{}',
  ADD COLUMN network jsonb    NOT NULL DEFAULT '{}';
ALTER TABLE ami_backfills
  ADD COLUMN model   smallint NOT NULL DEFAULT 1,
  ADD COLUMN place   text,
  ADD COLUMN der     jsonb    NOT NULL DEFAULT '{}',
  ADD COLUMN network jsonb    NOT NULL DEFAULT '{}';
