import type pg from 'pg';

/** Every row of every table there was: `schema.table` → its columns and its rows as JSON, in a stable order. */
export type RowDump = Map<string, { columns: string[]; rows: string[] }>;

interface Leaf {
  table: string;
  columns: string[];
}

const LEAVES = `SELECT format('%I.%I', nspname, relname) AS table,
    (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
     WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped) AS columns
  FROM pg_class relation JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relkind IN ('r', 'm') AND nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1`;

/**
 * All rows, and how far each sequence has come. With `like`, of an earlier dump, its tables and its columns alone:
 * what has been added since does not show. A row carries its xmin, so that one which was written again with the same
 * values shows too; a table's rows are read from its partitions.
 */
export async function dumpRows(pool: pg.Pool, like?: RowDump): Promise<RowDump> {
  const leaves: Leaf[] = like
    ? [...like].filter(([table]) => table !== SEQUENCES).map(([table, { columns }]) => ({ table, columns }))
    : (await pool.query<Leaf>(LEAVES)).rows;
  const dump: RowDump = new Map();
  for (const { table, columns } of leaves) {
    const { rows } = await pool.query<{ row: string }>(
      `SELECT format('%s %s', xmin, (SELECT jsonb_object_agg(key, value) FROM jsonb_each(to_jsonb(stored)) WHERE key = ANY ($1))) AS row
       FROM ${table} stored`,
      [columns],
    );
    dump.set(table, { columns, rows: rows.map(({ row }) => row).sort() });
  }
  const known = like?.get(SEQUENCES)?.columns;
  const sequences = await pool.query<{ name: string; row: string }>(
    `SELECT format('%I.%I', schemaname, sequencename) AS name, format('%I.%I %s', schemaname, sequencename, last_value) AS row
     FROM pg_sequences WHERE $1::text[] IS NULL OR format('%I.%I', schemaname, sequencename) = ANY ($1) ORDER BY 1`,
    [known ?? null],
  );
  dump.set(SEQUENCES, {
    columns: sequences.rows.map(({ name }) => name),
    rows: sequences.rows.map(({ row }) => row),
  });
  return dump;
}

const SEQUENCES = 'sequences';
