-- Which share of a fleet's customers is trade and industry is part of what an interval is made by. Rows that are there have the usual
-- shares.
ALTER TABLE ami_publishes ADD COLUMN customers jsonb NOT NULL DEFAULT '{}';
ALTER TABLE ami_auto      ADD COLUMN customers jsonb NOT NULL DEFAULT '{}';
ALTER TABLE ami_backfills ADD COLUMN customers jsonb NOT NULL DEFAULT '{}';
