-- Validation, estimation and editing (VEE) of reads: what a tenant wants of it, what was found, and what was estimated.
CREATE TABLE ami_vee_tenants (
  tenant_id       text COLLATE "C" PRIMARY KEY,
  is_on           boolean     NOT NULL DEFAULT false,
  estimates       boolean     NOT NULL DEFAULT false,
  grace_intervals smallint    NOT NULL DEFAULT 4,
  time_zone       text        NOT NULL DEFAULT 'UTC',
  validated_to    timestamptz,
  estimated_to    timestamptz,
  last_run        jsonb,
  version         bigint      NOT NULL DEFAULT nextval('ami_rollup_versions')
);

CREATE TABLE ami_vee_rules (
  tenant_id   text COLLATE "C" NOT NULL,
  rule        text COLLATE "C" NOT NULL,
  severity    text             NOT NULL,
  limit_value numeric          NOT NULL,
  PRIMARY KEY (tenant_id, rule),
  CONSTRAINT ami_vee_rules_severity_known CHECK (severity IN ('off', 'flag', 'fail'))
);

CREATE TABLE ami_vee_runs (
  run_id       integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id    text COLLATE "C" NOT NULL,
  origin       text        NOT NULL,
  from_at      timestamptz NOT NULL,
  to_at        timestamptz NOT NULL,
  estimate     boolean     NOT NULL,
  registers    jsonb       NOT NULL DEFAULT '[]',
  state        text        NOT NULL DEFAULT 'waiting',
  requested_at timestamptz NOT NULL DEFAULT now(),
  request_id   text,
  started_at   timestamptz,
  finished_at  timestamptz,
  step         text        NOT NULL DEFAULT 'validate',
  part_at      timestamptz NOT NULL,
  after_meter  text COLLATE "C",
  meters       integer     NOT NULL DEFAULT 0,
  reads        bigint      NOT NULL DEFAULT 0,
  findings     jsonb       NOT NULL DEFAULT '{}',
  kept         integer     NOT NULL DEFAULT 0,
  marked       bigint      NOT NULL DEFAULT 0,
  estimated    jsonb       NOT NULL DEFAULT '{}',
  import_id    integer,
  attempts     integer     NOT NULL DEFAULT 0,
  next_try_at  timestamptz,
  failure      text,
  CONSTRAINT ami_vee_runs_state_known CHECK (state IN ('waiting', 'running', 'done', 'failed')),
  CONSTRAINT ami_vee_runs_step_known CHECK (step IN ('validate', 'registers', 'estimate'))
);
CREATE INDEX ami_vee_runs_open ON ami_vee_runs (run_id) WHERE state IN ('waiting', 'running');
CREATE INDEX ami_vee_runs_by_tenant ON ami_vee_runs (tenant_id, run_id DESC);

CREATE TABLE ami_vee_findings (
  tenant_id   text COLLATE "C" NOT NULL,
  meter_id    text COLLATE "C" NOT NULL,
  rule        text COLLATE "C" NOT NULL,
  from_at     timestamptz      NOT NULL,
  to_at       timestamptz      NOT NULL,
  value       numeric          NOT NULL,
  limit_value numeric          NOT NULL,
  severity    text             NOT NULL,
  run_id      integer          NOT NULL,
  PRIMARY KEY (tenant_id, meter_id, rule, from_at)
);
-- What reaches into a span, and what is as old as the reads that are dropped.
CREATE INDEX ami_vee_findings_by_end ON ami_vee_findings (tenant_id, to_at);
CREATE INDEX ami_vee_findings_by_run ON ami_vee_findings (run_id);

CREATE TABLE ami_vee_qualities (
  tenant_id text COLLATE "C" NOT NULL,
  read_at   timestamptz      NOT NULL,
  quality   text COLLATE "C" NOT NULL,
  reads     bigint           NOT NULL,
  PRIMARY KEY (tenant_id, read_at, quality)
);

CREATE TABLE ami_vee_estimates (
  tenant_id    text COLLATE "C" NOT NULL,
  read_at      timestamptz      NOT NULL,
  meter_id     text COLLATE "C" NOT NULL,
  run_id       integer          NOT NULL,
  feeder_id    text COLLATE "C" NOT NULL,
  minutes      smallint         NOT NULL,
  kwh          numeric          NOT NULL,
  method       text             NOT NULL,
  import_id    integer,
  PRIMARY KEY (tenant_id, read_at, meter_id, run_id)
);
CREATE INDEX ami_vee_estimates_by_run ON ami_vee_estimates (run_id);
