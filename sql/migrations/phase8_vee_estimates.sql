-- What is pruned of validation.
CREATE INDEX ami_vee_findings_by_age ON ami_vee_findings (to_at);
CREATE INDEX ami_vee_qualities_by_age ON ami_vee_qualities (read_at);
CREATE INDEX ami_vee_estimates_by_age ON ami_vee_estimates (read_at);
CREATE INDEX ami_vee_runs_by_age ON ami_vee_runs (finished_at);
