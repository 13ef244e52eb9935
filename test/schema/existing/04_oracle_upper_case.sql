-- Migrated from Oracle by a tool that kept every name quoted in upper case, DATE as timestamp without time zone,
-- NUMBER as numeric with scale, and codes as char(n), padded. The primary key of the reads begins with the time; a
-- trigger keeps LAST_UPDATED as PL/SQL used to; no tenants.
CREATE TABLE "FEEDERS" (
  "FEEDER_CODE" char(8) NOT NULL,
  "DESCRIPTION" varchar(100),
  "REGION_NO"   numeric(3,0),
  CONSTRAINT "FEEDERS_PK" PRIMARY KEY ("FEEDER_CODE")
);
CREATE TABLE "METERS" (
  "METER_ID"    varchar(20) NOT NULL,
  "FEEDER_CODE" char(8),
  "STATUS"      char(1) DEFAULT 'A',
  CONSTRAINT "METERS_PK" PRIMARY KEY ("METER_ID"),
  CONSTRAINT "METERS_FEEDER_FK" FOREIGN KEY ("FEEDER_CODE") REFERENCES "FEEDERS" ("FEEDER_CODE")
);
CREATE TABLE "METER_READS_ELECTRIC" (
  "METER_ID"      varchar(20)   NOT NULL,
  "FEEDER_CODE"   char(8)       NOT NULL,
  "READ_TS"       timestamp(0)  NOT NULL,
  "KWH"           numeric(12,4) NOT NULL,
  "VOLTS"         numeric(5,1),
  "QUALITY_FLAGS" varchar(200),
  "LAST_UPDATED"  timestamp(0),
  CONSTRAINT "MRE_PK" PRIMARY KEY ("READ_TS", "METER_ID"),
  CONSTRAINT "MRE_METER_FK" FOREIGN KEY ("METER_ID") REFERENCES "METERS" ("METER_ID"),
  CONSTRAINT "MRE_KWH_CK" CHECK ("KWH" >= 0 AND "KWH" < 10000)
);
CREATE FUNCTION "MRE_BIU_FN"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW."LAST_UPDATED" := localtimestamp; RETURN NEW; END $$;

INSERT INTO "FEEDERS" VALUES ('F1', 'West', 1), ('F12', 'Mill lane', 1), ('F-ÖST', 'Ost', 2);
INSERT INTO "METERS"
SELECT 'M' || lpad(n::text, 9, '0'), CASE WHEN n > 50 THEN NULL ELSE (ARRAY['F1', 'F12', 'F-ÖST'])[1 + n % 3] END
FROM generate_series(1, 52) n;
INSERT INTO "METER_READS_ELECTRIC"
SELECT "METER_ID", "FEEDER_CODE", at, 0.4, 119.9, NULL, at
FROM "METERS", generate_series(timestamp '2026-05-30 00:00', '2026-05-31 18:00', '6 h') at WHERE "FEEDER_CODE" IS NOT NULL;
CREATE TRIGGER "MRE_BIU" BEFORE INSERT OR UPDATE ON "METER_READS_ELECTRIC" FOR EACH ROW EXECUTE FUNCTION "MRE_BIU_FN"();
