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
COMMENT ON TABLE ami_vee_tenants IS
  'Tenants that have said what they want of validation. Of all others nothing is validated unless somebody asks.';
COMMENT ON COLUMN ami_vee_tenants.is_on IS 'Whether each interval is validated once it is complete.';
COMMENT ON COLUMN ami_vee_tenants.estimates IS 'Whether gaps and failed reads are then estimated.';
COMMENT ON COLUMN ami_vee_tenants.grace_intervals IS
  'Quarter hours that a read may be late before its interval is validated without it.';
COMMENT ON COLUMN ami_vee_tenants.time_zone IS
  'Whose clock like days go by; UTC stands for that of the tenant''s days, ami_tenant_zones.';
COMMENT ON COLUMN ami_vee_tenants.validated_to IS 'End of the last interval that was given to a run by itself.';
COMMENT ON COLUMN ami_vee_tenants.estimated_to IS 'Up to where it estimates what was missing; NULL where it does not.';
COMMENT ON COLUMN ami_vee_tenants.last_run IS 'Figures of the last run that is over, for quickcheck.';
COMMENT ON COLUMN ami_vee_tenants.version IS 'A number that is never used twice: it differs whenever the row does.';

CREATE TABLE ami_vee_rules (
  tenant_id   text COLLATE "C" NOT NULL,
  rule        text COLLATE "C" NOT NULL,
  severity    text             NOT NULL,
  limit_value numeric          NOT NULL,
  PRIMARY KEY (tenant_id, rule),
  CONSTRAINT ami_vee_rules_severity_known CHECK (severity IN ('off', 'flag', 'fail'))
);
COMMENT ON TABLE ami_vee_rules IS 'Rules that a tenant has set; of the others the defaults of docs/vee.md hold.';
COMMENT ON COLUMN ami_vee_rules.rule IS 'As docs/vee.md names it.';
COMMENT ON COLUMN ami_vee_rules.severity IS 'off, flag: a finding is recorded; fail: its read is questionable as well.';
COMMENT ON COLUMN ami_vee_rules.limit_value IS 'In the unit of the rule.';

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
-- What is pruned; the same below.
CREATE INDEX ami_vee_runs_by_age ON ami_vee_runs (finished_at);
COMMENT ON TABLE ami_vee_runs IS
  'Runs of validation, and how far each is. A batch of meters and the place where the run goes on are one transaction.';
COMMENT ON COLUMN ami_vee_runs.run_id IS 'Number of the run, rising.';
COMMENT ON COLUMN ami_vee_runs.origin IS 'interval: of an interval that was complete; request: somebody asked for it.';
COMMENT ON COLUMN ami_vee_runs.from_at IS 'The first interval.';
COMMENT ON COLUMN ami_vee_runs.to_at IS 'Exclusive.';
COMMENT ON COLUMN ami_vee_runs.estimate IS 'Whether gaps and failed reads are estimated then.';
COMMENT ON COLUMN ami_vee_runs.registers IS 'What registers show, as it was given: meterId, from, to, kwh.';
COMMENT ON COLUMN ami_vee_runs.state IS 'waiting, running, done or failed.';
COMMENT ON COLUMN ami_vee_runs.requested_at IS 'When it was asked for.';
COMMENT ON COLUMN ami_vee_runs.request_id IS 'Id of the request that it came from, as in the log.';
COMMENT ON COLUMN ami_vee_runs.step IS 'What is under way: validate, registers, estimate.';
COMMENT ON COLUMN ami_vee_runs.part_at IS 'Beginning of the part of the span that is under way, a UTC day at most.';
COMMENT ON COLUMN ami_vee_runs.after_meter IS 'The last meter of that part that is done; NULL before the first.';
COMMENT ON COLUMN ami_vee_runs.meters IS 'Meters of the first part.';
COMMENT ON COLUMN ami_vee_runs.reads IS 'Reads that were looked at.';
COMMENT ON COLUMN ami_vee_runs.findings IS 'How many there are of each rule, also of those that were not kept.';
COMMENT ON COLUMN ami_vee_runs.kept IS 'Findings that were kept.';
COMMENT ON COLUMN ami_vee_runs.marked IS 'Reads that were marked as questionable.';
COMMENT ON COLUMN ami_vee_runs.estimated IS 'Estimates by method, and under none gaps without anything to estimate by.';
COMMENT ON COLUMN ami_vee_runs.import_id IS 'By what the reads that it marked are in the history: ami_imports.import_id.';
COMMENT ON COLUMN ami_vee_runs.attempts IS 'How often in a row it could not go on.';
COMMENT ON COLUMN ami_vee_runs.next_try_at IS 'When it is tried again.';
COMMENT ON COLUMN ami_vee_runs.failure IS 'Why it could not go on.';

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
-- What reaches into a span.
CREATE INDEX ami_vee_findings_by_end ON ami_vee_findings (tenant_id, to_at);
CREATE INDEX ami_vee_findings_by_run ON ami_vee_findings (run_id);
CREATE INDEX ami_vee_findings_by_age ON ami_vee_findings (to_at);
COMMENT ON TABLE ami_vee_findings IS
  'What rules have found. A span that is validated again has the findings of the last run alone; what goes on from '
  'interval to interval is one finding.';
COMMENT ON COLUMN ami_vee_findings.rule IS 'As docs/vee.md names it.';
COMMENT ON COLUMN ami_vee_findings.from_at IS 'Start of the first interval that it is about.';
COMMENT ON COLUMN ami_vee_findings.to_at IS 'Exclusive.';
COMMENT ON COLUMN ami_vee_findings.value IS 'What was found, in the unit of the rule.';
COMMENT ON COLUMN ami_vee_findings.limit_value IS 'What it was held to, in the same unit.';
COMMENT ON COLUMN ami_vee_findings.severity IS 'flag or fail.';
COMMENT ON COLUMN ami_vee_findings.run_id IS 'The last run that found it: ami_vee_runs.run_id.';

CREATE TABLE ami_vee_qualities (
  tenant_id text COLLATE "C" NOT NULL,
  read_at   timestamptz      NOT NULL,
  quality   text COLLATE "C" NOT NULL,
  reads     bigint           NOT NULL,
  PRIMARY KEY (tenant_id, read_at, quality)
);
CREATE INDEX ami_vee_qualities_by_age ON ami_vee_qualities (read_at);
COMMENT ON TABLE ami_vee_qualities IS 'Reads by quality, as the last run over each interval has left them.';
COMMENT ON COLUMN ami_vee_qualities.read_at IS 'The quarter hour that the reads begin in.';
COMMENT ON COLUMN ami_vee_qualities.reads IS 'How many reads have it.';
COMMENT ON COLUMN ami_vee_qualities.quality IS 'raw also of an emulated read, which has none.';

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
CREATE INDEX ami_vee_estimates_by_age ON ami_vee_estimates (read_at);
COMMENT ON TABLE ami_vee_estimates IS
  'Estimates that runs have made. Whether one still stands is what the read says: it has the same import_id then.';
COMMENT ON COLUMN ami_vee_estimates.read_at IS 'Start of the interval.';
COMMENT ON COLUMN ami_vee_estimates.run_id IS 'The run: ami_vee_runs.run_id.';
COMMENT ON COLUMN ami_vee_estimates.minutes IS 'Length of the interval.';
COMMENT ON COLUMN ami_vee_estimates.kwh IS 'kWh per interval.';
COMMENT ON COLUMN ami_vee_estimates.method IS 'linear or like-day.';
COMMENT ON COLUMN ami_vee_estimates.import_id IS
  'What writes it: ami_imports.import_id. NULL while the run goes on.';
