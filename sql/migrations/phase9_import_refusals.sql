-- A refusal may stand for all rows of a meter, and refusals are paged by line and number.
ALTER TABLE ami_import_refusals ADD COLUMN rows integer NOT NULL DEFAULT 1,
  ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY;
DROP INDEX ami_import_refusals_by_import;
CREATE INDEX ami_import_refusals_by_import ON ami_import_refusals (import_id, line, number);
