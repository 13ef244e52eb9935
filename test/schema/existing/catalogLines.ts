import type pg from 'pg';

/**
 * What the database's catalog holds: object → definition, for every object that is not Postgres's own. Objects are
 * called `view public.v_kpi_fieldops_daily`, parts of a table `column of public.meters: feeder_id`.
 */
export type CatalogSnapshot = Map<string, string>;

const NOT_SYSTEM = `nspname !~ '^pg_' AND nspname <> 'information_schema'`;
const comment = (oid: string, catalog: string, column = '0') =>
  `(SELECT description FROM pg_description WHERE objoid = ${oid} AND classoid = '${catalog}'::regclass AND objsubid = ${column})`;
/** Named values rather than positions, so that a difference reads by itself. NULLs are left out. */
const definition = (fields: Record<string, string>) =>
  `jsonb_strip_nulls(jsonb_build_object(${Object.entries(fields)
    .map(([name, sql]) => `'${name}', ${sql}`)
    .join(', ')}))::text`;

/** One query a kind of object: its identity and all that a dump of it would show. */
const OBJECTS: Record<string, string> = {
  schema: `SELECT 'schema ' || quote_ident(nspname), ${definition({
    owner: 'nspowner::regrole::text',
    acl: 'nspacl::text',
    comment: comment('namespace.oid', 'pg_namespace'),
  })} FROM pg_namespace namespace WHERE ${NOT_SYSTEM}`,

  relation: `SELECT CASE WHEN table_of IS NOT NULL THEN format('sequence of %s: %I', table_of, relname)
      ELSE format('%s %I.%I', CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'c' THEN 'type'
        WHEN 'S' THEN 'sequence' ELSE 'table' END, nspname, relname) END, ${definition({
          kind: 'relkind::text',
          owner: 'relowner::regrole::text',
          persistence: 'relpersistence::text',
          options: 'reloptions::text',
          acl: 'relacl::text',
          rowSecurity: 'relrowsecurity',
          forced: 'relforcerowsecurity',
          replicaIdentity: 'relreplident::text',
          partitionOf: `(SELECT string_agg(inhparent::regclass::text, ',') FROM pg_inherits WHERE inhrelid = relation.oid)`,
          bound: 'pg_get_expr(relpartbound, relation.oid)',
          partitionKey: 'pg_get_partkeydef(relation.oid)',
          // relfilenode: a table that was rewritten was altered, even where every row reads the same.
          file: `CASE WHEN relkind IN ('r', 'm') THEN relfilenode::text END`,
          sequence: `(SELECT jsonb_build_object('type', seqtypid::regtype, 'start', seqstart, 'by', seqincrement, 'min', seqmin,
            'max', seqmax, 'cache', seqcache, 'cycles', seqcycle) FROM pg_sequence WHERE seqrelid = relation.oid)`,
          view: `CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(relation.oid) END`,
          comment: `coalesce(${comment('relation.oid', 'pg_class')}, ${comment('nullif(reltype, 0)', 'pg_type')})`,
        })} FROM pg_class relation JOIN pg_namespace ON pg_namespace.oid = relnamespace
      LEFT JOIN LATERAL (SELECT format('%I.%I', nspname, owner.relname) AS table_of
        FROM pg_depend JOIN pg_class owner ON owner.oid = refobjid
        WHERE classid = 'pg_class'::regclass AND objid = relation.oid AND deptype IN ('a', 'i') AND relation.relkind = 'S'
      ) sequence ON true
      WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND ${NOT_SYSTEM}`,

  column: `SELECT format('column of %I.%I: %I', nspname, relname, attname), ${definition({
    place: 'attnum',
    type: 'format_type(atttypid, atttypmod)',
    collation: `(SELECT collname FROM pg_collation WHERE oid = attcollation AND collname <> 'default')`,
    notNull: 'attnotnull',
    default:
      '(SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum)',
    identity: `nullif(attidentity::text, '')`,
    generated: `nullif(attgenerated::text, '')`,
    storage: 'attstorage::text',
    statistics: 'attstattarget',
    options: 'attoptions::text',
    acl: 'attacl::text',
    comment: comment('attrelid', 'pg_class', 'attnum'),
  })} FROM pg_attribute JOIN pg_class relation ON relation.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND ${NOT_SYSTEM}`,

  // NOT NULL is a constraint of its own since Postgres 18; the column says it.
  constraint: `SELECT format('constraint of %I.%I: %I', nspname, coalesce(relname, typname), conname), ${definition(
    {
      is: 'pg_get_constraintdef(con.oid)',
      validated: 'convalidated',
      comment: comment('con.oid', 'pg_constraint'),
    },
  )} FROM pg_constraint con LEFT JOIN pg_class relation ON relation.oid = conrelid LEFT JOIN pg_type ON pg_type.oid = contypid
      JOIN pg_namespace ON pg_namespace.oid = connamespace WHERE contype <> 'n' AND ${NOT_SYSTEM}`,

  index: `SELECT format('index of %I.%I: %I', nspname, (SELECT relname FROM pg_class WHERE oid = indrelid), relation.relname), ${definition(
    {
      is: 'pg_get_indexdef(indexrelid)',
      valid: 'indisvalid',
      clustered: 'indisclustered',
      options: 'relation.reloptions::text',
      comment: comment('indexrelid', 'pg_class'),
    },
  )} FROM pg_index JOIN pg_class relation ON relation.oid = indexrelid
      JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE ${NOT_SYSTEM}`,

  trigger: `SELECT format('trigger of %I.%I: %I', nspname, relname, tgname), ${definition({
    is: 'pg_get_triggerdef(pg_trigger.oid)',
    enabled: 'tgenabled::text',
    comment: comment('pg_trigger.oid', 'pg_trigger'),
  })} FROM pg_trigger JOIN pg_class relation ON relation.oid = tgrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE NOT tgisinternal AND ${NOT_SYSTEM}`,

  rule: `SELECT format('rule of %I.%I: %I', schemaname, tablename, rulename), definition FROM pg_rules
      WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema'`,

  policy: `SELECT format('policy of %I.%I: %I', schemaname, tablename, policyname), to_jsonb(pg_policies)::text FROM pg_policies`,

  function: `SELECT format('function %I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(routine.oid)), ${definition(
    {
      is: `CASE WHEN prokind IN ('f', 'p') THEN pg_get_functiondef(routine.oid) END`,
      owner: 'proowner::regrole::text',
      acl: 'proacl::text',
      comment: comment('routine.oid', 'pg_proc'),
    },
  )} FROM pg_proc routine JOIN pg_namespace ON pg_namespace.oid = pronamespace WHERE ${NOT_SYSTEM}`,

  type: `SELECT format('type %I.%I', nspname, typname), ${definition({
    kind: 'typtype::text',
    base: 'format_type(typbasetype, typtypmod)',
    notNull: 'typnotnull',
    default: 'typdefault',
    comment: comment('type.oid', 'pg_type'),
    labels:
      '(SELECT string_agg(enumlabel, chr(44) ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = type.oid)',
    acl: 'typacl::text',
  })} FROM pg_type type JOIN pg_namespace ON pg_namespace.oid = typnamespace WHERE typtype IN ('d', 'e', 'r') AND ${NOT_SYSTEM}`,

  statistics: `SELECT format('statistics %I.%I', nspname, stxname), pg_get_statisticsobjdef(statistic.oid)
      FROM pg_statistic_ext statistic JOIN pg_namespace ON pg_namespace.oid = stxnamespace WHERE ${NOT_SYSTEM}`,

  setting: `SELECT format('setting %s.%s', current_database(), setrole), setconfig::text FROM pg_db_role_setting
      WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())`,

  'default privileges': `SELECT format('default privileges %s.%s.%s', defaclrole, defaclnamespace, defaclobjtype), defaclacl::text FROM pg_default_acl`,

  extension: `SELECT 'extension ' || extname, extversion FROM pg_extension WHERE extname <> 'plpgsql'`,

  'event trigger': `SELECT 'event trigger ' || evtname, evtevent FROM pg_event_trigger`,

  publication: `SELECT format('publication %s %s.%s', pubname, schemaname, tablename), attnames::text FROM pg_publication_tables`,
};

/** The whole catalog, of all schemas but Postgres's own, read in one transaction. */
export async function catalogSnapshot(pool: pg.Pool): Promise<CatalogSnapshot> {
  const snapshot: CatalogSnapshot = new Map();
  const client = await pool.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    for (const query of Object.values(OBJECTS)) {
      const { rows } = await client.query<{ object: string; definition: string }>(
        `SELECT * FROM (${query}) found (object, definition) ORDER BY object::text COLLATE "C"`,
      );
      for (const { object, definition: text } of rows) snapshot.set(object, text);
    }
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
  return snapshot;
}

export interface CatalogDifference {
  added: string[];
  /** Gone, or defined otherwise than before: of a customer's objects there may be none. */
  lost: string[];
}

export function catalogDifference(before: CatalogSnapshot, after: CatalogSnapshot): CatalogDifference {
  return {
    added: [...after.keys()].filter((object) => !before.has(object)).sort(),
    lost: [...before]
      .filter(([object, text]) => after.get(object) !== text)
      .map(([object, text]) => `${object}: ${text} became ${after.get(object) ?? 'nothing'}`)
      .sort(),
  };
}
