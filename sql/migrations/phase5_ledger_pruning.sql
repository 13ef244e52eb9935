-- Which publishes the ledger may forget.
CREATE INDEX ami_publishes_by_age ON ami_publishes (accepted_at);

-- UTC days of which the ledger does not know all any more: how their reads were made cannot be told. A mark, not a date
-- up to which: days that a later backfill filled are still known.
CREATE TABLE ami_pruned_days (
  tenant_id text COLLATE "C" NOT NULL,
  day       date NOT NULL,
  -- Of what length the intervals were of which it has forgotten that anything was written.
  has_quarters boolean NOT NULL,
  has_hours    boolean NOT NULL,
  PRIMARY KEY (tenant_id, day)
);
