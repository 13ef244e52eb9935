-- Grown out of a desktop database: names with spaces, an apostrophe, a double quote and an umlaut, in a schema with a
-- space. All of it has to be quoted to be touched at all. Quality flags are one text NOT NULL. Times are without zone, and
-- the database's time zone is the office's, not UTC.
CREATE SCHEMA "Außen Dienst";
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = "Außen Dienst", "$user", public', current_database());
  EXECUTE format('ALTER DATABASE %I SET timezone = ''Europe/Berlin''', current_database()); END $$;
SET search_path = "Außen Dienst", public;
CREATE TABLE "Feeder's" (
  "Feeder ID" varchar(30) PRIMARY KEY,
  "Name"      varchar(60)
);
CREATE TABLE "Meters" (
  "Meter ID"  varchar(40) PRIMARY KEY,
  "Feeder ID" varchar(30) REFERENCES "Feeder's",
  "Kunde ""A""" boolean DEFAULT false
);
CREATE TABLE "Meter Reads Electric" (
  "Meter ID"      varchar(40) NOT NULL,
  "Feeder ID"     varchar(30),
  "Read At"       timestamp NOT NULL,
  "kWh"           numeric(8,2) NOT NULL,
  "Voltage"       numeric(5,2),
  "Quality Flags" text NOT NULL,
  "Notiz 100%"    text,
  CONSTRAINT "Nur eine ""Lesung""" UNIQUE ("Meter ID", "Read At")
);
COMMENT ON COLUMN "Meter Reads Electric"."Notiz 100%" IS 'Fahrer''s note, 100% free text; $1 is not a parameter';
CREATE VIEW "Letzte Lesung" AS SELECT "Meter ID", max("Read At") AS "Zuletzt" FROM "Meter Reads Electric" GROUP BY 1;

INSERT INTO "Feeder's" VALUES ('Süd 1', 'Südstadt'), ('O''Brien "B"', 'O''Brien Road'), ('50% Ring', 'Half ring');
INSERT INTO "Meters"
SELECT 'Zähler ' || n, CASE WHEN n > 42 THEN NULL ELSE (ARRAY['Süd 1', 'O''Brien "B"', '50% Ring'])[1 + n % 3] END
FROM generate_series(1, 44) n;
INSERT INTO "Meter Reads Electric"
SELECT "Meter ID", "Feeder ID", at, 0.44, 119.25, '', 'it''s $1'
FROM "Meters", generate_series(timestamp '2026-05-30 00:00', '2026-05-31 18:00', '6 h') at WHERE "Feeder ID" IS NOT NULL;
