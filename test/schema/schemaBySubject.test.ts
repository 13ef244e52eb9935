import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareStorage } from '../../src/process/context.js';
import { createLogger } from '../../src/process/log.js';
import { commentsIn } from '../../src/schema/comments.js';
import { readSchemaFile, SCHEMA_FILE_NAMES } from '../../src/schema/schemaFiles.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { schemaDescription, schemaDifference } from './existing/schemaDescription.js';

const silent = createLogger('test', 'silent');

/** An alteration of a database, and what the comparison is to name. */
const ALTERATIONS: [object: string, sql: string][] = [
  [
    'function public.ami_percent(part numeric, whole numeric)',
    `CREATE OR REPLACE FUNCTION ami_percent(part numeric, whole numeric) RETURNS numeric
     LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT round(100 * part / nullif(whole, 0), 2) $$`,
  ],
  ['function public.ami_recheck_meters()', 'GRANT EXECUTE ON FUNCTION ami_recheck_meters() TO pg_monitor'],
  [
    'function public.ami_refold_days(tenants text[], days date[], feeders text[])',
    'ALTER FUNCTION ami_refold_days SET jit = on',
  ],
  [
    'index of public.ami_ticks: ami_ticks_owed',
    `DROP INDEX ami_ticks_owed; CREATE INDEX ami_ticks_owed ON ami_ticks (tenant_id, read_at) WHERE publish_id IS NOT NULL`,
  ],
  ['index of public.ami_publishes: ami_publishes_by_age', 'DROP INDEX ami_publishes_by_age'],
  [
    'constraint of public.ami_fleets: ami_fleets_within_caps',
    `ALTER TABLE ami_fleets DROP CONSTRAINT ami_fleets_within_caps, ADD CONSTRAINT ami_fleets_within_caps CHECK (meter_count > 0)`,
  ],
  [
    'column of public.ami_publishes: climate',
    `ALTER TABLE ami_publishes ALTER COLUMN climate SET DEFAULT 'germany'`,
  ],
  ['column of public.ami_events: feeder_id', 'ALTER TABLE ami_events ALTER COLUMN feeder_id DROP NOT NULL'],
  ['column of public.ami_workers: extra', 'ALTER TABLE ami_workers ADD COLUMN extra text'],
  ['table public.ami_feeder_days', 'ALTER TABLE ami_feeder_days SET (fillfactor = 60)'],
  ['table public.ami_pruned_days', `COMMENT ON TABLE ami_pruned_days IS 'another'`],
  [
    'trigger of public.meter_reads_electric: ami_fold_deleted_reads',
    'DROP TRIGGER ami_fold_deleted_reads ON meter_reads_electric',
  ],
  ['sequence public.ami_rollup_versions', 'ALTER SEQUENCE ami_rollup_versions INCREMENT BY 2'],
  [
    'view public.v_kpi_electric_feeder_loss_daily',
    'ALTER VIEW v_kpi_electric_feeder_loss_daily SET (security_barrier = true)',
  ],
  ['rows of ami_pacing', 'DELETE FROM ami_pacing'],
];

describe('sql/schema', () => {
  let fresh: TestDatabase;
  let migrated: TestDatabase;
  beforeAll(async () => {
    [fresh, migrated] = [await createTestDatabase('empty'), await createTestDatabase('empty')];
    await prepareStorage(fresh.url, false, silent);
    // A ledger without entries is a history without a past: every migration is still to be applied.
    await migrated.pool.query(await readSchemaFile('migrations.sql'));
    await prepareStorage(migrated.url, false, silent);
  });
  afterAll(async () => {
    await fresh.drop();
    await migrated.drop();
  });

  it('makes the same database as the migrations', async () => {
    const [one, other] = [await schemaDescription(fresh.pool), await schemaDescription(migrated.pool)];
    expect(one.size).toBeGreaterThan(500);
    expect(schemaDifference(one, other)).toEqual([]);
  });

  it('would be found to differ by each of these alterations', async () => {
    const before = await schemaDescription(migrated.pool);
    const altered = await createTestDatabase('empty');
    try {
      await prepareStorage(altered.url, false, silent);
      for (const [, sql] of ALTERATIONS) await altered.pool.query(sql);
      const found = schemaDifference(before, await schemaDescription(altered.pool));
      expect(found).toEqual(ALTERATIONS.map(([object]) => object).sort());
    } finally {
      await altered.drop();
    }
  });

  it('has functions whose text Postgres accepts when it checks them', async () => {
    const { rows } = await fresh.pool.query<{ definition: string }>(
      `SELECT pg_get_functiondef(oid) AS definition FROM pg_proc
       WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'ami\\_%'`,
    );
    expect(rows.length).toBeGreaterThan(35);
    await fresh.pool.query('SET check_function_bodies = on');
    for (const { definition } of rows) await fresh.pool.query(definition);
  });

  it('explains every table, view, sequence, type and routine, and every column that does not explain itself', async () => {
    const { rows } = await fresh.pool.query<{ object: string }>(WITHOUT_COMMENT);
    const columns = rows.map(({ object }) => object).filter((object) => !SELF_EVIDENT.test(object));
    expect(columns).toEqual([]);
  });

  it('is listed whole, and every comment in it is understood', async () => {
    const files = await readdir(new URL('../../sql/schema/', import.meta.url));
    expect([...SCHEMA_FILE_NAMES].sort()).toEqual(files.sort());
    for (const file of files) {
      const sql = await readSchemaFile(file);
      const statements = sql.match(/^COMMENT ON/gm) ?? [];
      expect(commentsIn(sql), file).toHaveLength(statements.length);
    }
  });
});

const SELF_EVIDENT =
  /: (tenant_id|meter_id|feeder_id|publish_id|worker_id|backfill_id|id|created_at|updated_at|accepted_at|started_at|finished_at|changed_at|applied_at)$/;

const WITHOUT_COMMENT = `
SELECT format('%s %I', relkind, relname) AS object FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S') AND NOT relispartition
  AND obj_description(oid, 'pg_class') IS NULL
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'i')
UNION ALL
SELECT format('column of %I: %I', relname, attname) FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') AND NOT relispartition AND attnum > 0
  AND NOT attisdropped AND col_description(attrelid, attnum) IS NULL
UNION ALL
SELECT format('routine %s', oid::regprocedure) FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL
UNION ALL
SELECT format('type %I', typname) FROM pg_type JOIN pg_class ON pg_class.oid = typrelid
WHERE typnamespace = 'public'::regnamespace AND relkind = 'c' AND obj_description(pg_type.oid, 'pg_type') IS NULL`;
