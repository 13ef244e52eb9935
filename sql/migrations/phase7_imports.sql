-- Imports of interval files: publishes whose reads a file has measured, each with its length, its quality and what it was
-- before. Quality is NULL of the reads that are there: they were emulated.
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

CREATE TABLE ami_import_refusals (
  import_id integer NOT NULL REFERENCES ami_imports ON DELETE CASCADE,
  line      bigint  NOT NULL,
  meter_id  text,
  read_at   timestamptz,
  reason    text    NOT NULL
);
CREATE INDEX ami_import_refusals_by_import ON ami_import_refusals (import_id, line);

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

CREATE TABLE ami_import_mappings (
  tenant_id text COLLATE "C" NOT NULL,
  name      text COLLATE "C" NOT NULL,
  mapping   text NOT NULL,
  saved_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, name)
);

CREATE FUNCTION ami_lock_imports(for_tenant text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('gridlens:import:' || for_tenant, 0));
END $$;

ALTER TABLE ami_publishes ADD COLUMN import_id integer REFERENCES ami_imports, ADD COLUMN import_batch integer,
  DROP CONSTRAINT ami_publishes_origin_known,
  ADD CONSTRAINT ami_publishes_origin_known
    CHECK (origin IN ('manual', 'tick', 'catch-up', 'backfill', 'revision', 'import')),
  ADD CONSTRAINT ami_publishes_import_complete
    CHECK ((origin = 'import') = (import_id IS NOT NULL) AND (import_id IS NULL) = (import_batch IS NULL)),
  DROP CONSTRAINT ami_publishes_within_caps,
  ADD CONSTRAINT ami_publishes_within_caps CHECK (
    meter_count BETWEEN 1 AND 25000
    AND feeder_count BETWEEN CASE WHEN fleet_id IS NULL AND import_id IS NULL THEN 10 ELSE 0 END AND 40
    AND batch_size BETWEEN 1 AND 500 AND batch_count BETWEEN 1 AND 200);
CREATE INDEX ami_publishes_by_import ON ami_publishes (import_id) WHERE import_id IS NOT NULL;

-- A batch of an import has reads of several intervals.
ALTER TABLE ami_written_reads ADD COLUMN interval_minutes smallint,
  DROP CONSTRAINT ami_written_reads_pkey,
  ADD PRIMARY KEY (publish_id, batch_number, read_at);

-- Imports are no interval of a fleet: nothing is expected by them.
DO $migrate$
DECLARE
  name regprocedure;
BEGIN
  FOREACH name IN ARRAY ARRAY['ami_intervals_being_written(text)', 'ami_feeder_completeness(text, date)']::regprocedure[]
  LOOP
    IF position($q$origin <> 'revision'$q$ IN pg_get_functiondef(name)) = 0 THEN
      RAISE EXCEPTION '% is not as the migrations before have left it', name;
    END IF;
    EXECUTE replace(pg_get_functiondef(name), $q$origin <> 'revision'$q$, $q$origin NOT IN ('revision', 'import')$q$);
  END LOOP;
END $migrate$;

-- A customer's own table is left as it is, and has a writer of its own, which notes what it has written.
DO $migrate$
DECLARE
  definition text;
BEGIN
  SELECT pg_get_functiondef(oid) INTO definition FROM pg_proc
  WHERE pronamespace = quote_ident(current_schema())::regnamespace AND proname = 'ami_write_batch'
    AND position('ami_written_reads' IN prosrc) = 0;
  IF definition IS NULL THEN
    RETURN;
  END IF;
  ALTER TABLE meter_reads_electric ADD COLUMN received_kwh numeric, ADD COLUMN interval_minutes smallint,
    ADD COLUMN quality text, ADD COLUMN quality_method text, ADD COLUMN import_id integer;
  EXECUTE replace(definition, 'WHERE meter_reads_electric.feeder_id = excluded.feeder_id',
    'WHERE meter_reads_electric.feeder_id = excluded.feeder_id AND meter_reads_electric.quality IS NULL');
END $migrate$;
