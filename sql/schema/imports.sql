-- Files of interval data that were imported: what was read of each, and what is still to be written of it.
CREATE TABLE ami_imports (
  import_id         integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id         text COLLATE "C" NOT NULL,
  file_name         text        NOT NULL,
  format            text        NOT NULL,
  mapping           text,
  file_hash         text,
  over_emulated     boolean     NOT NULL,
  state             text        NOT NULL DEFAULT 'reading',
  accepted_at       timestamptz NOT NULL DEFAULT now(),
  request_id        text,
  reads             bigint      NOT NULL DEFAULT 0,
  batches           integer     NOT NULL DEFAULT 0,
  next_batch        integer     NOT NULL DEFAULT 0,
  refused           bigint      NOT NULL DEFAULT 0,
  repeated          bigint      NOT NULL DEFAULT 0,
  left_out          jsonb       NOT NULL DEFAULT '{}',
  meters_registered integer     NOT NULL DEFAULT 0,
  first_read_at     timestamptz,
  last_read_at      timestamptz,
  read_whole_at     timestamptz,
  attempts          integer     NOT NULL DEFAULT 0,
  next_try_at       timestamptz,
  finished_at       timestamptz,
  batches_done      integer,
  batches_failed    integer,
  batches_cancelled integer,
  inserted          bigint,
  updated           bigint,
  duplicate         bigint,
  refused_by_rules  bigint,
  failure           text,
  CONSTRAINT ami_imports_state_known CHECK (state IN ('reading', 'writing', 'done', 'failed', 'cancelled')),
  CONSTRAINT ami_imports_within_file CHECK (0 <= next_batch AND next_batch <= batches)
);
-- A tenant's recent imports, and a file that is being written already.
CREATE INDEX ami_imports_by_tenant ON ami_imports (tenant_id, import_id DESC);
-- What workers still have to see to.
CREATE INDEX ami_imports_open ON ami_imports (import_id) WHERE finished_at IS NULL;
COMMENT ON TABLE ami_imports IS
  'Imports of interval files. A file is read in one transaction; only when it was read whole do its reads stand in '
  'ami_import_values, and the state becomes writing. From then on they are accepted as publishes of origin import.';
COMMENT ON COLUMN ami_imports.import_id IS 'Number of the import, rising.';
COMMENT ON COLUMN ami_imports.file_name IS 'As it was called where it came from; of an archive the entry too.';
COMMENT ON COLUMN ami_imports.format IS 'csv, espi, nem12, cmep or parquet: found by content; vee of a validation.';
COMMENT ON COLUMN ami_imports.mapping IS 'Of CSV: what its text was taken to mean, as YAML.';
COMMENT ON COLUMN ami_imports.file_hash IS 'SHA-256 of the file''s text, once it was read whole.';
COMMENT ON COLUMN ami_imports.over_emulated IS 'Whether its reads take the place of emulated ones.';
COMMENT ON COLUMN ami_imports.state IS
  'reading: nothing of it counts yet. writing: read whole, and being accepted and written. done: all is written. '
  'failed: nothing was taken of it, or a batch was given up, with the reason in failure. cancelled: what was not '
  'written by then is left.';
COMMENT ON COLUMN ami_imports.accepted_at IS 'When it was asked for. Of two imports that differ the newer one counts.';
COMMENT ON COLUMN ami_imports.request_id IS 'Id of the request that it came from, as in the log.';
COMMENT ON COLUMN ami_imports.reads IS 'Reads to be written: one per meter and interval, both channels together.';
COMMENT ON COLUMN ami_imports.batches IS 'Batches that the reads make, up to 500 reads each.';
COMMENT ON COLUMN ami_imports.next_batch IS 'The first batch that no publish has been accepted for.';
COMMENT ON COLUMN ami_imports.refused IS 'Rows of the file that became no read; the first are in ami_import_refusals.';
COMMENT ON COLUMN ami_imports.repeated IS 'Rows that say the same as another row of the file.';
COMMENT ON COLUMN ami_imports.left_out IS 'Values that are no electric energy, or have no column, by what they are.';
COMMENT ON COLUMN ami_imports.meters_registered IS 'Meters that it has taken into the registry.';
COMMENT ON COLUMN ami_imports.first_read_at IS 'When its first read begins.';
COMMENT ON COLUMN ami_imports.last_read_at IS 'When its last read begins.';
COMMENT ON COLUMN ami_imports.read_whole_at IS 'When the file was read whole.';
COMMENT ON COLUMN ami_imports.attempts IS 'How often in a row its next batches could not be accepted.';
COMMENT ON COLUMN ami_imports.next_try_at IS 'When they are tried again.';
COMMENT ON COLUMN ami_imports.finished_at IS
  'When nothing of it was left to be written. The counts below are set then; before, the ledger has them.';
COMMENT ON COLUMN ami_imports.batches_done IS 'Batches that were written.';
COMMENT ON COLUMN ami_imports.batches_failed IS 'Batches that were given up.';
COMMENT ON COLUMN ami_imports.batches_cancelled IS 'Batches that were taken back before they were written.';
COMMENT ON COLUMN ami_imports.inserted IS 'Reads that were new.';
COMMENT ON COLUMN ami_imports.updated IS 'Reads that took the place of others, which are in ami_replaced_reads.';
COMMENT ON COLUMN ami_imports.duplicate IS 'Reads that were there already, with the same values.';
COMMENT ON COLUMN ami_imports.refused_by_rules IS
  'Reads that were left since what stands there is worth more; the first are in ami_import_refusals.';
COMMENT ON COLUMN ami_imports.failure IS 'Why nothing, or not all of it, was written.';

CREATE TABLE ami_import_values (
  import_id      integer          NOT NULL,
  batch          integer          NOT NULL,
  meter_id       text COLLATE "C" NOT NULL,
  feeder_id      text COLLATE "C" NOT NULL,
  read_at        timestamptz      NOT NULL,
  minutes        smallint         NOT NULL,
  kwh            numeric,
  received_kwh   numeric,
  quality        text             NOT NULL,
  quality_method text,
  line           bigint           NOT NULL
);
CREATE INDEX ami_import_values_by_batch ON ami_import_values (import_id, batch);
COMMENT ON TABLE ami_import_values IS
  'Reads of imported files that are not written yet. The rows of a batch go in the transaction that writes them.';
COMMENT ON COLUMN ami_import_values.import_id IS 'The file: ami_imports.import_id.';
COMMENT ON COLUMN ami_import_values.batch IS 'Batch of the import, from 0.';
COMMENT ON COLUMN ami_import_values.minutes IS 'Length of the interval.';
COMMENT ON COLUMN ami_import_values.quality IS 'raw, validated, estimated, edited or questionable.';
COMMENT ON COLUMN ami_import_values.quality_method IS 'How an estimate or a change came about.';
COMMENT ON COLUMN ami_import_values.read_at IS 'Start of the interval.';
COMMENT ON COLUMN ami_import_values.kwh IS 'NULL where the file has only the energy that was fed into the grid.';
COMMENT ON COLUMN ami_import_values.received_kwh IS 'NULL where the file has only the energy taken from the grid.';
COMMENT ON COLUMN ami_import_values.line IS 'Line of the file, from 1; of two channels the first.';

CREATE TABLE ami_import_refusals (
  import_id integer NOT NULL REFERENCES ami_imports ON DELETE CASCADE,
  line      bigint  NOT NULL,
  meter_id  text,
  read_at   timestamptz,
  reason    text    NOT NULL,
  rows      integer NOT NULL DEFAULT 1,
  number    bigint  GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX ami_import_refusals_by_import ON ami_import_refusals (import_id, line, number);
COMMENT ON TABLE ami_import_refusals IS
  'The first rows of each imported file that became no read, or whose read was left, and why.';
COMMENT ON COLUMN ami_import_refusals.import_id IS 'The file: ami_imports.import_id.';
COMMENT ON COLUMN ami_import_refusals.line IS 'Line of the file, from 1.';
COMMENT ON COLUMN ami_import_refusals.read_at IS 'Start of the interval, where the row came to be a read.';
COMMENT ON COLUMN ami_import_refusals.reason IS 'What is wrong, and what would be right.';
COMMENT ON COLUMN ami_import_refusals.rows IS
  'Rows that it stands for: all of a meter that nobody knows, with the first of their lines.';
COMMENT ON COLUMN ami_import_refusals.number IS 'Tells refusals of one line apart.';

CREATE TABLE ami_replaced_reads (
  tenant_id        text COLLATE "C" NOT NULL,
  meter_id         text COLLATE "C" NOT NULL,
  read_at          timestamptz      NOT NULL,
  replaced_at      timestamptz      NOT NULL,
  replaced_by      integer          NOT NULL REFERENCES ami_imports,
  written_at       timestamptz,
  feeder_id        text COLLATE "C" NOT NULL,
  kwh              numeric,
  delivered_kwh    numeric,
  voltage          numeric,
  received_kwh     numeric,
  interval_minutes smallint,
  quality          text,
  quality_method   text,
  import_id        integer,
  PRIMARY KEY (tenant_id, meter_id, read_at, replaced_at)
);
-- Retention drops them with the reads.
CREATE INDEX ami_replaced_reads_by_time ON ami_replaced_reads (read_at);
COMMENT ON TABLE ami_replaced_reads IS
  'What reads were before an import took their place: a read''s value at an instant is the row that was written by '
  'then and replaced later, else the read itself.';
COMMENT ON COLUMN ami_replaced_reads.read_at IS 'Start of the interval.';
COMMENT ON COLUMN ami_replaced_reads.replaced_at IS 'When it was replaced.';
COMMENT ON COLUMN ami_replaced_reads.kwh IS 'Energy taken from the grid, kWh per interval.';
COMMENT ON COLUMN ami_replaced_reads.delivered_kwh IS 'Energy that the utility''s side measured, kWh per interval.';
COMMENT ON COLUMN ami_replaced_reads.voltage IS 'Volts.';
COMMENT ON COLUMN ami_replaced_reads.received_kwh IS 'Energy fed into the grid, kWh per interval.';
COMMENT ON COLUMN ami_replaced_reads.interval_minutes IS 'Length of the interval; NULL of an emulated read.';
COMMENT ON COLUMN ami_replaced_reads.quality_method IS 'How an estimate or a change came about.';
COMMENT ON COLUMN ami_replaced_reads.replaced_by IS 'The import whose value stands there since: ami_imports.import_id.';
COMMENT ON COLUMN ami_replaced_reads.written_at IS 'When the former value was written.';
COMMENT ON COLUMN ami_replaced_reads.quality IS 'As in the table of reads; NULL of an emulated read.';
COMMENT ON COLUMN ami_replaced_reads.import_id IS 'The import that the former value came from; NULL of an emulated one.';

CREATE TABLE ami_import_mappings (
  tenant_id text COLLATE "C" NOT NULL,
  name      text COLLATE "C" NOT NULL,
  mapping   text NOT NULL,
  saved_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, name)
);
COMMENT ON TABLE ami_import_mappings IS 'What the CSV files of a sender mean, as YAML, kept under a name.';
COMMENT ON COLUMN ami_import_mappings.name IS 'What it is asked for by.';
COMMENT ON COLUMN ami_import_mappings.mapping IS 'As YAML.';
COMMENT ON COLUMN ami_import_mappings.saved_at IS 'When it was kept, the last time.';

CREATE FUNCTION ami_lock_imports(for_tenant text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:import:' || for_tenant, 0));
END $$;
COMMENT ON FUNCTION ami_lock_imports(text) IS
  'Until the end of the transaction no other batch of an import of the tenant is judged.';

CREATE FUNCTION ami_reads_as_of(for_tenant text, for_meter text, from_instant timestamptz, until_instant timestamptz,
  as_of timestamptz)
RETURNS TABLE (read_at timestamptz, feeder_id text, kwh numeric, received_kwh numeric, interval_minutes integer,
  quality text, quality_method text, import_id integer, written_at timestamptz, replaced_at timestamptz)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT standing.read_at, standing.feeder_id, standing.kwh, standing.received_kwh, standing.interval_minutes,
    standing.quality, standing.quality_method, standing.import_id, standing.written_at, NULL::timestamptz
  FROM ami_standing_reads(for_tenant, for_meter, from_instant, until_instant) standing
  WHERE standing.written_at <= as_of OR standing.written_at IS NULL
  UNION ALL
  SELECT former.read_at, former.feeder_id::text, former.kwh, former.received_kwh, former.interval_minutes::integer,
    former.quality, former.quality_method, former.import_id, former.written_at, former.replaced_at
  FROM ami_replaced_reads former
  WHERE former.tenant_id = for_tenant AND former.meter_id = for_meter AND former.read_at >= from_instant
    AND former.read_at < until_instant AND former.replaced_at > as_of
    AND coalesce(former.written_at <= as_of, true)
  ORDER BY 1;
END $$;
COMMENT ON FUNCTION ami_reads_as_of(text, text, timestamptz, timestamptz, timestamptz) IS
  'The reads of a meter from an instant until before another one as they were at as_of: what an import has replaced '
  'since has its former value, with when that was replaced.';
