-- What start-up makes in addition where the table of reads is a customer's (src/schema/functions): the writer and the
-- trigger functions in the customer's columns and types. The trigger functions are the canonical ones of
-- rollup_inserts.sql and rollup_folds.sql, with every row read through the mapping. The comments are here; the text is
-- made.
COMMENT ON FUNCTION ami_write_batch(uuid, integer, text, timestamptz, text, timestamptz, text[], text[], numeric[],
  numeric[], numeric[], text[], numeric[]) IS
  'Writes one batch into the customer''s table of reads, and its ledger row, in the one transaction of this call. '
  'The ledger row is locked and must still be pending; a batch that runs twice writes nothing and answers no row the '
  'second time. A revision changes only reads that GridLens has written (ami_written_reads): a measured read stays '
  'as it is. What customers feed in (p_received_kwh) is left out where the table has no column for it.';
COMMENT ON FUNCTION ami_adopted_fold_inserted_reads() IS
  'Trigger: adds the rows of an INSERT into the customer''s table to the rollups.';
COMMENT ON FUNCTION ami_adopted_fold_deleted_reads() IS
  'Trigger: takes the rows of a DELETE from the customer''s table out of the rollups.';
COMMENT ON FUNCTION ami_adopted_fold_updated_reads() IS
  'Trigger: puts the new rows of an UPDATE of the customer''s table in the place of the old ones in the rollups.';
COMMENT ON FUNCTION ami_adopted_fold_truncated_reads() IS 'Trigger: empties the rollups with the customer''s table.';
COMMENT ON FUNCTION ami_adopted_is_plausible(numeric, numeric) IS
  'Always true: values that no meter measures are left out row by row, and a customer''s loader must not fail for '
  'them.';
COMMENT ON FUNCTION ami_ensure_read_partition(date) IS
  'Does nothing: the customer''s table has no partitions of GridLens''s.';
COMMENT ON FUNCTION ami_drop_read_partitions_before(date) IS
  'Does nothing: GridLens never deletes from a customer''s table.';
