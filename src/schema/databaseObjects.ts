import type { Queryable } from '../db/db.js';

/** Objects of the database by name, `table public.ami_events`, each with what it is: to compare two moments. */
export type Objects = ReadonlyMap<string, string>;

/**
 * Everything in the schemas that are not Postgres's own: tables, views, sequences, functions and types, and of tables
 * also columns, constraints, indexes and triggers, named under their table.
 */
export async function readObjects(client: Queryable): Promise<Objects> {
  const { rows } = await client.query<{ object: string; is: string }>(OBJECTS);
  return new Map(rows.map(({ object, is }) => [object, is]));
}

export interface ObjectChanges {
  /** New objects; what belongs to a new table is not named beside it. */
  added: string[];
  changed: string[];
}

export function objectChanges(before: Objects, after: Objects): ObjectChanges {
  const added = [...after.keys()].filter((object) => !before.has(object));
  const newTables = new Set(added.filter((object) => object.startsWith('table ')).map(nameOf));
  return {
    added: added.filter((object) => !newTables.has(tableOf(object))).sort(),
    changed: [...after]
      .filter(([object, is]) => before.has(object) && before.get(object) !== is)
      .map(([object]) => object)
      .sort(),
  };
}

const nameOf = (object: string): string => object.slice(object.indexOf(' ') + 1);

/** Of a part of a table its table; parts are named `<kind> of <table>: <part>`. */
function tableOf(object: string): string {
  return /^\w+ of (.*): /.exec(object)?.[1] ?? '';
}

const OWN = `nspname !~ '^pg_' AND nspname <> 'information_schema'`;

const OBJECTS = `
SELECT format('%s %I.%I', CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'c' THEN 'type'
         ELSE 'table' END, nspname, relname) AS object,
       CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(relation.oid) ELSE '' END AS is
FROM pg_class relation JOIN pg_namespace namespace ON namespace.oid = relnamespace
WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND ${OWN}
UNION ALL
SELECT CASE WHEN owner.oid IS NULL THEN format('sequence %I.%I', nspname, sequence.relname)
         ELSE format('sequence of %I.%I: %I', nspname, owner.relname, sequence.relname) END, ''
FROM pg_class sequence JOIN pg_namespace namespace ON namespace.oid = sequence.relnamespace
LEFT JOIN pg_depend ON classid = 'pg_class'::regclass AND objid = sequence.oid AND deptype IN ('a', 'i')
LEFT JOIN pg_class owner ON owner.oid = refobjid
WHERE sequence.relkind = 'S' AND ${OWN}
UNION ALL
SELECT format('function %I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(routine.oid)),
       concat(prosrc, proconfig, prosecdef)
FROM pg_proc routine JOIN pg_namespace namespace ON namespace.oid = pronamespace WHERE ${OWN}
UNION ALL
SELECT format('column of %I.%I: %I', nspname, relname, attname), format_type(atttypid, atttypmod)
FROM pg_attribute JOIN pg_class relation ON relation.oid = attrelid
JOIN pg_namespace namespace ON namespace.oid = relnamespace
WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p') AND ${OWN}
UNION ALL
SELECT format('constraint of %I.%I: %I', nspname, relname, conname), pg_get_constraintdef(con.oid)
FROM pg_constraint con JOIN pg_class relation ON relation.oid = conrelid
JOIN pg_namespace namespace ON namespace.oid = relnamespace WHERE contype <> 'n' AND ${OWN}
UNION ALL
SELECT format('index of %I.%I: %I', nspname, relation.relname, key.relname), pg_get_indexdef(key.oid)
FROM pg_index JOIN pg_class key ON key.oid = indexrelid JOIN pg_class relation ON relation.oid = indrelid
JOIN pg_namespace namespace ON namespace.oid = relation.relnamespace WHERE ${OWN}
UNION ALL
SELECT format('trigger of %I.%I: %I', nspname, relname, tgname), pg_get_triggerdef(pg_trigger.oid)
FROM pg_trigger JOIN pg_class relation ON relation.oid = tgrelid
JOIN pg_namespace namespace ON namespace.oid = relnamespace WHERE NOT tgisinternal AND ${OWN}`;
