-- Forms of theft: how a theft changes what a meter registers. A row from before has none and is constant.
ALTER TABLE ami_events ADD COLUMN IF NOT EXISTS theft_form text;
-- A customer's own table has none of the constraints and gets none.
DO $migrate$
BEGIN
  IF EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'ami_events'::regclass AND conname = 'ami_events_type_known') THEN
    ALTER TABLE ami_events ADD CONSTRAINT ami_events_form_of_theft
      CHECK (theft_form IS NULL OR (event_type = 'theft'
        AND theft_form IN ('constant', 'random', 'window', 'mean-factor', 'mean', 'reversed')));
  END IF;
END $migrate$;
