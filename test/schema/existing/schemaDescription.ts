import type pg from 'pg';
import { type CatalogSnapshot, catalogSnapshot } from './catalogLines.js';

/** Tables that a new database has rows in, with their columns that do not depend on who made them and when. */
const SEEDED: Record<string, string> = {
  ami_pacing: 'only_row, due_until, start_until',
  ami_migrations: 'name, checksum',
  ami_schema_changes: 'kind, table_schema, table_name, column_name, statement, reason',
};

/**
 * Everything that two databases of the same schema have in common, byte for byte: the catalog, and the rows that a new
 * database has. Left out are two things that a reader cannot tell a database by: which file a table is stored in, and
 * lines of functions that are comments, since the migrations' English was reworded in sql/schema and the migrations
 * themselves are never edited.
 */
export async function schemaDescription(pool: pg.Pool): Promise<CatalogSnapshot> {
  const description: CatalogSnapshot = new Map();
  for (const [object, definition] of await catalogSnapshot(pool))
    description.set(object, JSON.stringify(comparable(object, definition)));
  for (const [table, columns] of Object.entries(SEEDED)) {
    const { rows } = await pool.query(
      `SELECT jsonb_agg(to_jsonb(seeded) ORDER BY to_jsonb(seeded)::text) AS rows FROM (SELECT ${columns} FROM ${table}) seeded`,
    );
    description.set(`rows of ${table}`, JSON.stringify(rows[0].rows));
  }
  return description;
}

function comparable(object: string, definition: string): unknown {
  if (!/^(function|table|sequence|view|type) /.test(object)) return definition;
  const { file, is, ...rest } = JSON.parse(definition) as Record<string, unknown>;
  return typeof is === 'string' ? { ...rest, is: is.replace(/^ *--.*\n/gm, '') } : rest;
}

/** The objects that only one of them has, or that are not the same in both. */
export function schemaDifference(one: CatalogSnapshot, other: CatalogSnapshot): string[] {
  const objects = new Set([...one.keys(), ...other.keys()]);
  return [...objects].filter((object) => one.get(object) !== other.get(object)).sort();
}
