import type { Queryable } from '../db/db.js';
import { type Ownership, schemaTexts } from './schemaFiles.js';

/** One `COMMENT ON` of `sql/schema`. */
export interface ObjectComment {
  kind: string;
  /** As SQL names it: `ami_events.end_at`, `ami_percent(numeric, numeric)`. */
  object: string;
  text: string;
  statement: string;
}

/** The literal may be of several parts, a line each, as SQL allows. */
const COMMENT = /^COMMENT ON (\w+) ([^']+?) IS\s+((?:'(?:[^']|'')*'\s*)+);/gm;

/** The comments that a file of `sql/schema` has; pure. */
export function commentsIn(sql: string): ObjectComment[] {
  return [...sql.matchAll(COMMENT)].map(([statement, kind = '', object = '', literal = '']) => ({
    kind,
    object: object.replace(/\s+/g, ' '),
    text: [...literal.matchAll(/'((?:[^']|'')*)'/g)]
      .map(([, part = '']) => part.replaceAll("''", "'"))
      .join(''),
    statement,
  }));
}

/**
 * The comments that GridLens's objects should have and have not: of those objects that are there, lie in the own schema
 * and belong to the role that asks, since nobody else may comment on them.
 */
export async function staleComments(client: Queryable, ownership: Ownership): Promise<ObjectComment[]> {
  const comments = (await schemaTexts(ownership)).flatMap(commentsIn);
  const { rows } = await client.query<{ place: number }>(STALE, [
    comments.map(({ kind }) => kind),
    comments.map(({ object }) => object),
    comments.map(({ text }) => text),
  ]);
  return rows.flatMap(({ place }) => comments[place] ?? []);
}

/**
 * Brings the comments up to date. A database that was migrated gets by this what a fresh one was made with, and both get
 * a comment that is worded anew. A customer's objects are left alone: their files do not apply.
 */
export async function writeComments(client: Queryable, ownership: Ownership): Promise<void> {
  const stale = await staleComments(client, ownership);
  if (stale.length > 0) await client.query(stale.map(({ statement }) => statement).join('\n'));
}

/**
 * CASE, since a WHERE may ask of a function's name whether it is a table. Up to Postgres 15 to_regprocedure fails where a
 * type of an argument is missing, as in an empty database: types are looked for first.
 */
const STALE = `
SELECT (place - 1)::integer AS place
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS wanted (kind, object, text, place)
CROSS JOIN LATERAL (
  SELECT CASE WHEN kind IN ('TABLE', 'VIEW', 'SEQUENCE', 'COLUMN') THEN to_regclass(split_part(object, '.', 1)) END AS relation,
         CASE WHEN kind IN ('FUNCTION', 'PROCEDURE') AND NOT EXISTS (
           SELECT FROM regexp_split_to_table(substring(object FROM '[(](.+)[)]'), ', ?') AS argument
           WHERE to_regtype(replace(argument, '[]', '')) IS NULL
         ) THEN to_regprocedure(object) END AS routine,
         CASE WHEN kind = 'TYPE' THEN to_regtype(object) END AS type
) named
CROSS JOIN LATERAL (
  SELECT relnamespace AS namespace, relowner AS owner, pg_class.oid, 'pg_class'::regclass AS catalog, 0 AS part
  FROM pg_class WHERE pg_class.oid = relation AND kind <> 'COLUMN'
  UNION ALL
  SELECT relnamespace, relowner, attrelid, 'pg_class'::regclass, attnum
  FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
  WHERE attrelid = relation AND kind = 'COLUMN' AND attname = split_part(object, '.', 2)
  UNION ALL
  SELECT pronamespace, proowner, pg_proc.oid, 'pg_proc'::regclass, 0 FROM pg_proc WHERE pg_proc.oid = routine
  UNION ALL
  SELECT typnamespace, typowner, pg_type.oid, 'pg_type'::regclass, 0 FROM pg_type WHERE pg_type.oid = type
) found
LEFT JOIN pg_description ON objoid = found.oid AND classoid = catalog AND objsubid = part
WHERE namespace = quote_ident(current_schema())::regnamespace AND pg_has_role(owner, 'USAGE')
  AND description IS DISTINCT FROM text
ORDER BY place`;
