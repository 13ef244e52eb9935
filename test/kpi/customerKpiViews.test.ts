import type pg from 'pg';
import supertest from 'supertest';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createKpiService } from '../../src/kpi/quickcheck.js';
import { createKpiSections } from '../../src/kpi/sections.js';
import { composeApi } from '../../src/process/apiProcess.js';
import { mapKpiView } from '../../src/schema/detect/kpiViewColumns.js';
import type { ColumnKind, KpiViewMapping, KpiViewName } from '../../src/schema/mapping.js';
import { deployBudget, stretchBudget } from '../support/answerBudget.js';
import { createCustomerDatabase, startOver } from '../support/customerDatabase.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { openPool } from '../support/openPool.js';
import { NOW, TENANT } from '../support/pilot.js';
import { waitFor } from '../support/waitFor.js';

const OVERVIEW = 'v_kpi_electric_overview_daily';
const FEEDER_LOSS = 'v_kpi_electric_feeder_loss_daily';
const SUSPICIOUS = 'v_kpi_suspicious_meters_daily';
const FIELD_OPS = 'v_kpi_fieldops_daily';
const PATH = `/api/ami/kpi/quickcheck?tenantId=${TENANT}`;

const KINDS: Record<string, ColumnKind> = {
  bigint: 'integer',
  integer: 'integer',
  numeric: 'numeric',
  real: 'numeric',
  'double precision': 'numeric',
  text: 'text',
  'character varying': 'text',
  uuid: 'uuid',
  date: 'date',
  'timestamp with time zone': 'timestamptz',
  'timestamp without time zone': 'timestamp',
};

// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field, as a dashboard would
type Answer = any;

describe('quickcheck over KPI views of the customer’s own', () => {
  let deployment: Deployment;
  let pool: pg.Pool;
  beforeAll(async () => {
    deployment = await createDeployment('postgres', {}, () => NOW);
    pool = deployment.database.pool;
    await pool.query(`SELECT ami_ensure_read_partition('2026-06-01T10:00Z')`);
    await pool.query(
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage)
       SELECT $1, 'M' || n, 'NORTH', '2026-06-01T10:00Z', CASE WHEN n = 1 THEN 0.2 ELSE 0.96 END, 1, 112 + n
       FROM generate_series(1, 4) n`,
      [TENANT],
    );
  });
  afterAll(() => deployment.close());
  /** Each test has the customer's objects in a schema of its own. */
  beforeEach(() => {
    stretchBudget();
    return pool.query('CREATE SCHEMA customer');
  });
  afterEach(() => pool.query('DROP SCHEMA customer CASCADE'));

  /** Makes the customer's object of that name, and the mapping of it. */
  const customers = async (
    name: KpiViewName,
    query: string,
    make = 'VIEW',
  ): Promise<Partial<Record<KpiViewName, KpiViewMapping>>> => {
    await pool.query(`CREATE ${make} customer.${name} AS ${query}`);
    const { rows } = await pool.query<{ name: string; type: string }>(
      `SELECT attname AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
       WHERE attrelid = to_regclass($1) AND attnum > 0 ORDER BY attnum`,
      [`customer.${name}`],
    );
    const columns = rows.map((row) => ({
      ...row,
      baseType: row.type,
      kind: KINDS[row.type] ?? 'other',
      notNull: false,
      collation: null,
    }));
    return { [name]: { view: { schema: 'customer', name }, own: false, columns: mapKpiView(columns, name) } };
  };
  const kpiViews = (...found: Partial<Record<KpiViewName, KpiViewMapping>>[]) => ({
    ...deployment.context.schema.kpiViews,
    ...Object.assign({}, ...found),
  });
  const httpWith = (...found: Partial<Record<KpiViewName, KpiViewMapping>>[]) => {
    const { context } = deployment;
    const schema = { ...context.schema, kpiViews: kpiViews(...found) };
    return supertest(composeApi({ ...context, schema }, () => NOW));
  };
  const quickcheck = async (...found: Partial<Record<KpiViewName, KpiViewMapping>>[]): Promise<Answer> => {
    const answer = await httpWith(...found).get(PATH);
    expect(answer.status, answer.text).toBe(200);
    return answer.body;
  };

  it('reads them by meaning, whatever the columns are called, in the form of our own', async () => {
    const own = await quickcheck();
    expect(own).not.toHaveProperty('warnings');
    const answer = await quickcheck(
      await customers(
        OVERVIEW,
        `SELECT 'x' AS "Comment", 4.25::real AS "Loss ""%""", t AS "Tenant", d::date AS "Report Date", 7::bigint AS "Read Count",
           10.5 AS "totalKwh" FROM (VALUES ('${TENANT}', '2026-05-30'), ('${TENANT}', '2026-05-31'), ('OTHER', '2026-06-01')) v (t, d)`,
      ),
      await customers(
        FEEDER_LOSS,
        `SELECT '${TENANT}'::varchar(20) AS tenant, '2026-05-31'::date AS dt, n AS circuit_no, n / 100.0 AS loss_ratio
         FROM generate_series(1, 12) n`,
      ),
      await customers(
        SUSPICIOUS,
        `SELECT '${TENANT}' AS tenant_code, '2026-05-31 13:00'::timestamp AS date, 77 AS "MeterNumber", 'NORTH' AS feeder,
           2.5 AS stolen_kwh, '2026-05-31 09:00'::timestamp AS first_seen, 'tamper flag' AS description`,
      ),
      await customers(
        FIELD_OPS,
        `SELECT '${TENANT}' AS tenant_id, '2026-05-31'::date AS day, f AS feeder_id, p AS "Rank", 3 AS offline_meters
         FROM (VALUES ('B', 2), ('A', 1), ('C', NULL)) v (f, p)`,
      ),
    );
    expect(answer).not.toHaveProperty('warnings');
    expect(answer.loss).toEqual({ min: 4.25, max: 4.25, avg: 4.25 });
    expect(answer.overview).toHaveLength(2);
    expect(answer.overview[0]).toMatchObject({
      day: '2026-05-31',
      reads: 7,
      kwh: 10.5,
      lossPct: 4.25,
      feeders: null,
    });
    expect(answer.feederLoss).toHaveLength(10);
    expect(answer.feederLoss[0]).toMatchObject({ day: '2026-05-31', feederId: '12', lossPct: 12, kwh: null });
    expect(answer.suspiciousMeters).toEqual([
      {
        ...Object.fromEntries(Object.keys(own.suspiciousMeters[0]).map((field) => [field, null])),
        day: '2026-05-31',
        meterId: '77',
        feederId: 'NORTH',
        missingKwh: 2.5,
        firstIntervalAt: '2026-05-31T09:00:00.000Z',
        reason: 'tamper flag',
      },
    ]);
    expect(answer.fieldOps.map(({ feederId, priority }: Answer) => [feederId, priority])).toEqual([
      ['A', 1],
      ['B', 2],
      ['C', null],
    ]);
    for (const section of ['overview', 'feederLoss', 'suspiciousMeters', 'fieldOps'])
      expect(Object.keys(answer[section][0]).sort(), section).toEqual(Object.keys(own[section][0]).sort());
    for (const section of ['reportingSummary', 'staleMetersBuckets', 'latestFeeders', 'activeEvents'])
      expect(answer[section], section).toEqual(own[section]);
  });

  it('has null for what has no counterpart, and everybody’s rows where there are no tenants', async () => {
    const answer = await quickcheck(
      await customers(OVERVIEW, `SELECT '4.2 %'::text AS loss_pct, 'high'::text AS kwh, 3 AS feeders`),
      await customers(
        FEEDER_LOSS,
        `SELECT 'A'::text AS feeder_id, 'text'::text AS day UNION ALL SELECT 'B', 'x'`,
      ),
      await customers(SUSPICIOUS, `SELECT 1 AS something_else`),
      await customers(FIELD_OPS, `SELECT WHERE false`),
    );
    expect(answer).not.toHaveProperty('warnings');
    expect(answer.loss).toEqual({ min: null, max: null, avg: null });
    expect(answer.overview).toMatchObject([{ day: null, lossPct: null, kwh: null, feeders: 3 }]);
    expect(answer.feederLoss).toMatchObject([
      { day: null, feederId: 'A' },
      { day: null, feederId: 'B' },
    ]);
    expect(new Set(Object.values(answer.suspiciousMeters[0]))).toEqual(new Set([null]));
    expect(answer.fieldOps).toEqual([]);
  });

  it('reads a table and a materialized view of that name as well', async () => {
    const answer = await quickcheck(
      await customers(OVERVIEW, `SELECT '2026-05-01'::date AS day, 5.5 AS loss_pct`, 'TABLE'),
      await customers(FEEDER_LOSS, `SELECT 'A'::text AS feeder_id, 5.5 AS loss_pct`, 'MATERIALIZED VIEW'),
    );
    expect(answer.overview).toMatchObject([{ day: '2026-05-01', lossPct: 5.5 }]);
    expect(answer.feederLoss).toMatchObject([{ feederId: 'A', lossPct: 5.5 }]);
    expect(answer.fieldOps).toMatchObject([{ feederId: 'NORTH', priority: 1 }]);
  });

  it('shows days that our rollups do not know, none of the future, and no number that is none', async () => {
    const answer = await quickcheck(
      await customers(
        OVERVIEW,
        `SELECT (now() AT TIME ZONE 'UTC')::date + n AS day, CASE n WHEN 0 THEN 'NaN'::real WHEN -1 THEN 'Infinity' ELSE 2 - n END AS loss_pct
         FROM generate_series(-3, 9) n UNION ALL SELECT NULL, 1 UNION ALL SELECT 'infinity', 2`,
      ),
    );
    const today = new Date();
    const day = (ago: number) => new Date(today.getTime() - ago * 86_400_000).toISOString().slice(0, 10);
    const known = answer.overview.filter((row: Answer) => row.day !== null && row.day <= day(0));
    expect(known).toMatchObject([
      { day: day(0), lossPct: null },
      { day: day(1), lossPct: null },
      { day: day(2), lossPct: 4 },
      { day: day(3), lossPct: 5 },
    ]);
    // Tomorrow may have begun somewhere; no later day has.
    for (const row of answer.overview) expect(row.day ?? '').not.toMatch(new RegExp(`^${day(-2)}`));
    expect(answer.loss.max).toBe(5);
    expect(answer.loss.min).toBe(1);
  });

  it('takes the midnights of the session’s time zone for days, as date_trunc makes them', async () => {
    const found = await customers(
      OVERVIEW,
      `SELECT date_trunc('day', i) AS day, n AS loss_pct FROM (VALUES (1, '2026-05-30T12:00Z'::timestamptz),
         (2, '2026-05-31T12:00Z')) v (n, i) UNION ALL SELECT '2026-05-29T00:00Z', 3`,
    );
    const abroad = openPool({
      connectionString: deployment.database.url,
      options: '-c TimeZone=Europe/Berlin',
    });
    try {
      const kpi = createKpiService(abroad, () => NOW, kpiViews(found));
      const answer = await kpi.quickcheck(TENANT, 'tag');
      expect(answer.overview.map(({ day }) => day)).toEqual(['2026-05-31', '2026-05-30', '2026-05-29']);
    } finally {
      await abroad.end();
    }
  });

  it('has no tag, since the view may change unseen, and shows the change at once', async () => {
    const http = httpWith(await customers(OVERVIEW, `SELECT 1.5 AS loss_pct`, 'TABLE'));
    const before = await http.get(PATH);
    expect(before.headers).not.toHaveProperty('etag');
    expect(before.headers).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
    });
    await pool.query(`UPDATE customer.${OVERVIEW} SET loss_pct = 2.5`);
    const after = await http.get(PATH).set('If-None-Match', '*');
    expect(after.status).toBe(200);
    expect([before.body.loss.max, after.body.loss.max]).toEqual([1.5, 2.5]);
  });

  it('answers without a slow one, and has Postgres stop working on it', async () => {
    // The warning names the deployed second.
    deployBudget();
    const answer = await quickcheck(
      await customers(OVERVIEW, `SELECT 1.5 AS loss_pct`),
      await customers(FEEDER_LOSS, `SELECT 'A'::text AS feeder_id FROM (SELECT pg_sleep(60)) slow`),
      await customers(FIELD_OPS, `SELECT 'A'::text AS feeder_id`),
    );
    expect(answer).toMatchObject({ loss: { min: 1.5 }, feederLoss: [], fieldOps: [{ feederId: 'A' }] });
    expect(answer.suspiciousMeters).toHaveLength(1);
    expect(answer.latestFeeders).toHaveLength(1);
    expect(answer.warnings).toEqual([
      `customer.${FEEDER_LOSS}: it did not answer within 1 s, and is not asked again for 30 s after that, so its part of this answer is empty.`,
    ]);
    await waitFor('Postgres to be idle', async () => {
      const { rows } = await pool.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'gridlens-api'
           AND state <> 'idle'`,
      );
      return rows.length === 0;
    });
  });

  it('answers without one that fails, is gone, or is not for us', async () => {
    const found = [
      await customers(OVERVIEW, `SELECT 1 / (random() * 0)::integer AS loss_pct`),
      await customers(FEEDER_LOSS, `SELECT 'A'::text AS feeder_id`),
      await customers(SUSPICIOUS, `SELECT 'A'::text AS meter_id`),
    ];
    await pool.query(`DROP VIEW customer.${FEEDER_LOSS}`);
    await pool.query(`DROP VIEW customer.${SUSPICIOUS}`);
    await pool.query(`
      CREATE FUNCTION customer.secret() RETURNS text LANGUAGE plpgsql AS $$
        BEGIN RAISE insufficient_privilege USING MESSAGE = 'permission denied for table payroll', DETAIL = 'hunter2'; END $$;
      CREATE VIEW customer.${SUSPICIOUS} AS SELECT customer.secret() AS meter_id`);
    const answer = await quickcheck(...found);
    expect(answer).toMatchObject({
      loss: { min: null, max: null, avg: null },
      overview: [],
      feederLoss: [],
      suspiciousMeters: [],
      fieldOps: [{ feederId: 'NORTH' }],
      reportingSummary: { reportingMeters: 4 },
    });
    expect(answer.warnings).toEqual([
      `customer.${FEEDER_LOSS}: Postgres cannot read it (relation "customer.${FEEDER_LOSS}" does not exist, SQLSTATE 42P01), and is looked up anew only at the next start, so its part of this answer is empty.`,
      `customer.${OVERVIEW}: Postgres cannot read it (division by zero, SQLSTATE 22012), so its part of this answer is empty.`,
      `customer.${SUSPICIOUS}: Postgres cannot read it (a syntax error or access rule violation, SQLSTATE 42501), so its part of this answer is empty.`,
    ]);
  });

  it('lets none leave settings or rows behind', async () => {
    await pool.query(`
      CREATE TABLE customer.asked (at timestamptz DEFAULT now());
      CREATE FUNCTION customer.meddle() RETURNS numeric LANGUAGE sql AS $$
        INSERT INTO customer.asked DEFAULT VALUES;
        SELECT length(set_config('search_path', 'nowhere', false))::numeric $$`);
    const found = await customers(OVERVIEW, `SELECT customer.meddle() AS loss_pct`);
    const http = httpWith(found);
    for (let poll = 0; poll < 8; poll += 1) {
      const { status, body } = await http.get(PATH);
      expect(status, JSON.stringify(body)).toBe(200);
      expect(body.loss.min).toBe(7);
    }
    expect((await pool.query('SELECT FROM customer.asked')).rowCount).toBe(0);
  });

  it('asks a slow one again after a while, and not before', async () => {
    await pool.query(`CREATE SEQUENCE customer.asked`);
    const found = await customers(
      FEEDER_LOSS,
      `SELECT 'A'::text AS feeder_id, n AS reads FROM (SELECT nextval('customer.asked') AS n OFFSET 0) asked,
         LATERAL (SELECT pg_sleep(n * 0 + 60)) slow`,
    );
    let clock = 0;
    const sections = createKpiSections(deployment.context.database, kpiViews(found), () => clock);
    const asked = async (): Promise<number> => {
      const { warnings } = await sections(TENANT, null);
      expect(warnings).toHaveLength(1);
      const { rows } = await pool.query(
        'SELECT CASE WHEN is_called THEN last_value ELSE 0 END::integer AS n FROM customer.asked',
      );
      return rows[0].n;
    };
    expect(await asked()).toBe(1);
    clock += 29_000;
    expect(await asked()).toBe(1);
    clock += 2_000;
    expect(await asked()).toBe(2);
  });

  it('leaves connections for everything else while all of them are slow, for several tenants at once', async () => {
    const slow = `SELECT 'A'::text AS feeder_id FROM (SELECT pg_sleep(60)) slow`;
    const http = httpWith(
      await customers(OVERVIEW, slow),
      await customers(FEEDER_LOSS, slow),
      await customers(SUSPICIOUS, slow),
      await customers(FIELD_OPS, slow),
    );
    const tenants = [TENANT, 'SECOND', 'THIRD', 'FOURTH'];
    const answers = await Promise.all([
      ...tenants.map((tenant) => http.get(`/api/ami/kpi/quickcheck?tenantId=${tenant}`)),
      ...tenants.map((tenant) => http.get(`/api/ami/status?tenantId=${tenant}`)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    for (const { body } of answers.slice(0, 4)) expect(body.warnings).toHaveLength(4);
  });
});

describe('start-up over a database that has KPI views already', () => {
  it('finds them on the search path, reads them as they are, and makes the others', async () => {
    const definition = `SELECT 'A'::text AS "Feeder No", 4.5 AS "Loss %"`;
    const database = await createCustomerDatabase({
      sql: `CREATE SCHEMA reporting;
        CREATE VIEW reporting.${FEEDER_LOSS} AS ${definition};
        CREATE TABLE ${FIELD_OPS} AS SELECT 'B'::text AS circuit, 2 AS rank;
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, reporting', current_database()); END $$;`,
    });
    try {
      const started = await startOver(database, 'postgres', () => NOW);
      try {
        const { status, body } = await started.http.get(PATH);
        expect(status).toBe(200);
        expect(body).not.toHaveProperty('warnings');
        expect(body.feederLoss).toMatchObject([{ feederId: 'A', lossPct: 4.5, day: null }]);
        expect(body.fieldOps).toMatchObject([{ feederId: 'B', priority: 2 }]);
        expect(body).toMatchObject({ overview: [], suspiciousMeters: [] });
      } finally {
        await started.stop();
      }
      const { rows } = await database.admin.query(
        `SELECT pg_get_viewdef('reporting.${FEEDER_LOSS}'::regclass) AS definition,
           to_regclass('public.${FEEDER_LOSS}') AS shadow, to_regclass('public.${OVERVIEW}') IS NOT NULL AS made`,
      );
      expect(rows[0]).toMatchObject({ shadow: null, made: true });
      expect(rows[0].definition).toContain('"Feeder No"');
    } finally {
      await database.drop();
    }
  });
});
