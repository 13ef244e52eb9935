import type { Queryable } from '../../db/db.js';
import type { Catalog, CatalogRelation } from './catalog.js';

/** @param names normalised names of the relations to look at, in the schemas of the search path. */
export async function readCatalog(client: Queryable, names: readonly string[]): Promise<Catalog> {
  const about = await client.query<Omit<Catalog, 'relations'>>(
    `SELECT current_database() AS database, current_user AS role, current_schema() AS "ownSchema",
       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS "mayCreate",
       (SELECT nspname::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relname = 'ami_migrations' AND nspname = ANY (current_schemas(false))
        ORDER BY array_position(current_schemas(false), nspname) LIMIT 1) AS "migratedSchema",
       ARRAY(SELECT nspname::text FROM pg_namespace
             WHERE NOT has_schema_privilege(oid, 'USAGE') AND nspname = ANY (
               SELECT trim(both '" ' from part) FROM unnest(string_to_array(current_setting('search_path'), ',')) part)
             ORDER BY 1) AS "closedSchemas"`,
  );
  const relations = await client.query<{ relation: CatalogRelation }>(RELATIONS, [names]);
  return {
    ...(about.rows[0] as Omit<Catalog, 'relations'>),
    relations: relations.rows.map(({ relation }) => relation),
  };
}

const KIND = `CASE
  WHEN base.typname IN ('text', 'varchar', 'bpchar', 'name', 'citext') THEN 'text'
  WHEN base.typname IN ('int2', 'int4', 'int8') THEN 'integer'
  WHEN base.typname IN ('numeric', 'float4', 'float8') THEN 'numeric'
  WHEN base.typname = 'bool' THEN 'boolean'
  WHEN base.typname IN ('_text', '_varchar') THEN 'text[]'
  WHEN base.typname IN ('uuid', 'timestamptz', 'timestamp', 'date', 'json', 'jsonb') THEN base.typname
  ELSE 'other' END`;

const NAMES_OF = (numbers: string, table: string): string =>
  `(SELECT json_agg(attname ORDER BY place) FROM unnest(${numbers}) WITH ORDINALITY AS key (number, place)
    JOIN pg_attribute ON attrelid = ${table} AND attnum = key.number)`;

/** A policy, to the role that asks. */
const APPLIES = `(polroles = '{0}' OR EXISTS (SELECT FROM unnest(polroles) member WHERE pg_has_role(member, 'USAGE')))`;

const RELATIONS = `
SELECT json_build_object(
  'schema', namespace.nspname, 'name', relation.relname,
  'kind', CASE relation.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
    WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END,
  'partitionOf', (SELECT json_build_object('schema', (SELECT nspname FROM pg_namespace WHERE oid = parent.relnamespace), 'name', parent.relname)
    FROM pg_inherits JOIN pg_class parent ON parent.oid = inhparent
    WHERE inhrelid = relation.oid AND relation.relispartition),
  'columns', coalesce((
    SELECT json_agg(json_build_object(
      'name', attname, 'type', format_type(atttypid, atttypmod), 'baseType', CASE WHEN base.typnamespace = 'pg_catalog'::regnamespace THEN format_type(base.oid, -1)
        ELSE (SELECT format('%I.%I', nspname, base.typname) FROM pg_namespace WHERE oid = base.typnamespace) END,
      'kind', ${KIND},
      'limit', CASE WHEN modifier < 0 THEN NULL WHEN base.typname IN ('varchar', 'bpchar') THEN modifier - 4
        WHEN base.typname = 'numeric' THEN (modifier - 4) & 2047 END,
      'collation', (SELECT format('%I.%I', nspname, collname) FROM pg_collation
        JOIN pg_namespace ON pg_namespace.oid = collnamespace WHERE pg_collation.oid = attcollation),
      'notNull', attnotnull OR type.typnotnull,
      'hasDefault', atthasdef OR attidentity <> '' OR type.typdefault IS NOT NULL,
      'isGenerated', attgenerated <> '' OR attidentity = 'a') ORDER BY attnum)
    FROM pg_attribute
    JOIN pg_type type ON type.oid = atttypid
    -- A domain over a domain is followed three levels deep.
    LEFT JOIN pg_type under ON under.oid = type.typbasetype AND type.typtype = 'd'
    LEFT JOIN pg_type below ON below.oid = under.typbasetype AND under.typtype = 'd'
    JOIN pg_type base ON base.oid = coalesce(below.oid, under.oid, type.oid)
    CROSS JOIN LATERAL (SELECT greatest(atttypmod, CASE type.typtype WHEN 'd' THEN type.typtypmod ELSE -1 END) AS modifier) length
    WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped), '[]'),
  'uniqueKeys', coalesce((
    SELECT json_agg(json_build_object('name', key.relname, 'isPrimary', indisprimary,
      'columns', ${NAMES_OF('(indkey::smallint[])[0:indnkeyatts - 1]', 'relation.oid')}) ORDER BY indisprimary, key.relname)
    FROM pg_index JOIN pg_class key ON key.oid = indexrelid
    WHERE indrelid = relation.oid AND indisunique AND indisvalid AND indimmediate AND indpred IS NULL
      AND indexprs IS NULL), '[]'),
  'uniqueColumns', coalesce((
    SELECT json_agg(coalesce(${NAMES_OF('(indkey::smallint[])[0:indnkeyatts - 1]', 'relation.oid')}, '[]'))
    FROM pg_index WHERE indrelid = relation.oid AND indisunique), '[]'),
  'foreignKeys', coalesce((
    SELECT json_agg(json_build_object('columns', ${NAMES_OF('conkey', 'conrelid')},
      'target', json_build_object('schema', (SELECT nspname FROM pg_namespace WHERE oid = target.relnamespace), 'name', target.relname),
      'targetColumns', ${NAMES_OF('confkey', 'confrelid')}) ORDER BY conname)
    FROM pg_constraint JOIN pg_class target ON target.oid = confrelid
    WHERE conrelid = relation.oid AND contype = 'f'), '[]'),
  'partitionKey', coalesce((SELECT ${NAMES_OF('partattrs::smallint[]', 'relation.oid')}
    FROM pg_partitioned_table WHERE partrelid = relation.oid), '[]'),
  'owns', pg_has_role(relation.relowner, 'USAGE'),
  'may', json_build_object('select', has_table_privilege(relation.oid, 'SELECT'),
    'insert', has_table_privilege(relation.oid, 'INSERT'), 'update', has_table_privilege(relation.oid, 'UPDATE'),
    'trigger', has_table_privilege(relation.oid, 'TRIGGER')),
  'hidesRows', row_security_active(relation.oid) AND (
    EXISTS (SELECT FROM pg_policy WHERE polrelid = relation.oid AND NOT polpermissive AND ${APPLIES})
    OR EXISTS (
      SELECT FROM unnest(ARRAY['r', 'a', 'w']) AS command WHERE NOT EXISTS (
        SELECT FROM pg_policy WHERE polrelid = relation.oid AND polpermissive AND polcmd IN ('*', command::"char")
          AND coalesce(pg_get_expr(polqual, polrelid), 'true') = 'true'
          AND coalesce(pg_get_expr(polwithcheck, polrelid), 'true') = 'true' AND ${APPLIES}))),
  'rules', coalesce((SELECT json_agg(rulename ORDER BY rulename) FROM pg_rewrite
    WHERE ev_class = relation.oid AND ev_type IN ('2', '3') AND ev_enabled <> 'D'), '[]'),
  'heirs', coalesce((SELECT json_agg(inhrelid::regclass::text ORDER BY inhrelid) FROM pg_inherits
    WHERE inhparent = relation.oid AND relation.relkind = 'r'), '[]'),
  'lacksReplicaIdentity', (relation.relreplident = 'n' OR relation.relreplident = 'd'
      AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = relation.oid AND indisprimary))
    AND EXISTS (SELECT FROM pg_publication_tables JOIN pg_publication USING (pubname)
      WHERE schemaname = namespace.nspname AND tablename = relation.relname AND (pubupdate OR pubdelete)),
  'closedSequences', coalesce((SELECT json_agg(DISTINCT sequence.oid::regclass::text)
    FROM pg_attrdef value
    JOIN pg_depend ON pg_depend.classid = 'pg_attrdef'::regclass AND objid = value.oid
    JOIN pg_class sequence ON sequence.oid = refobjid
    WHERE adrelid = relation.oid
      AND CASE WHEN sequence.relkind = 'S' THEN NOT has_sequence_privilege(sequence.oid, 'USAGE') END), '[]'),
  'triggers', coalesce((SELECT json_agg(tgname ORDER BY tgname) FROM pg_trigger
    WHERE tgrelid = relation.oid AND NOT tgisinternal AND tgname LIKE 'ami\\_%'), '[]'),
  'disabledTriggers', coalesce((SELECT json_agg(tgname ORDER BY tgname) FROM pg_trigger
    WHERE tgrelid = relation.oid AND NOT tgisinternal AND tgname LIKE 'ami\\_%' AND tgenabled IN ('D', 'R')), '[]'),
  'oid', relation.oid::bigint,
  'definition', CASE WHEN relation.relkind = 'v' THEN pg_get_viewdef(relation.oid) ELSE '' END
) AS relation
FROM unnest(current_schemas(false)) WITH ORDINALITY AS path (schema, place)
JOIN pg_namespace namespace ON namespace.nspname = path.schema
JOIN pg_class relation ON relation.relnamespace = namespace.oid AND relation.relkind IN ('r', 'p', 'v', 'm', 'f')
WHERE regexp_replace(lower(relation.relname), '[^a-z0-9]', '', 'g') = ANY ($1::text[])
ORDER BY path.place, relation.relname`;
