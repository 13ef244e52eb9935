import { type ImpossibleCase, REGISTRY, readsTable, SIX_METERS, WITH_READS } from './impossibleBase.js';

/** Tables whose columns are all right and that still cannot be written to as GridLens writes. */
export const IMPOSSIBLE_TABLES: ImpossibleCase[] = [
  {
    // ON CONFLICT is refused on a table with such a rule: every batch would fail.
    name: 'a rewrite rule on the reads',
    sql: `${WITH_READS}CREATE TABLE load_log (at timestamptz DEFAULT now());
      CREATE RULE logged AS ON INSERT TO meter_reads_electric DO ALSO INSERT INTO load_log DEFAULT VALUES;`,
    says: ['public.meter_reads_electric', 'rule', 'logged', 'DROP RULE'],
    mends: true,
  },
  {
    // A trigger routes rows into children: neither the key nor our triggers see them, and nothing is inserted.
    name: 'partitions by inheritance',
    sql: `${WITH_READS}CREATE TABLE reads_2026_06 (CHECK (read_at >= '2026-06-01 00:00Z')) INHERITS (meter_reads_electric);
      CREATE FUNCTION route() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO reads_2026_06 SELECT NEW.*; RETURN NULL; END $$;
      CREATE TRIGGER route BEFORE INSERT ON meter_reads_electric FOR EACH ROW
        WHEN (NEW.read_at >= '2026-06-01 00:00Z') EXECUTE FUNCTION route();`,
    says: ['public.meter_reads_electric', 'inherit', 'reads_2026_06'],
    mends: false,
  },
  {
    name: 'partitions by a column that cannot be in the key',
    sql: `${REGISTRY}${readsTable({ region: "text DEFAULT 'N'" }, { key: '', after: ' PARTITION BY LIST (region)' })}
      CREATE TABLE reads_rest PARTITION OF meter_reads_electric DEFAULT;${SIX_METERS}`,
    says: ['public.meter_reads_electric', 'partition', 'region', 'unique'],
    mends: false,
  },
  {
    // Replication of a table without a primary key refuses updates: a revision would fail for ever.
    name: 'a publication of a table without a replica identity',
    sql: `${WITH_READS}CREATE PUBLICATION mirror FOR TABLE meter_reads_electric;`,
    says: ['public.meter_reads_electric', 'replica identity', 'REPLICA IDENTITY'],
    mends: true,
  },
  {
    name: 'a database whose transactions are read-only',
    sql: `${WITH_READS}DO $$ BEGIN
      EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$;`,
    says: ['default_transaction_read_only', 'ALTER'],
    mends: false, // The statement that mends it would itself be in a read-only transaction.
  },
];
