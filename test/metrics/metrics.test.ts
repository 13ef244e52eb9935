import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRegistry } from '../../src/metrics/metrics.js';
import { createMetricsPage, type Observed } from '../../src/metrics/metricsPage.js';
import { describeOnBothBackends } from '../support/backends.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { waitFor } from '../support/waitFor.js';
import { hasPrometheus, metricNames, promtool, samplesOf } from './promtool.js';

const QUARTER_MS = 900_000;

describeOnBothBackends('GET /metrics of the API', (backend) => {
  let deployment: Deployment;
  const text = async (): Promise<string> => (await deployment.http.get('/metrics')).text;
  const samples = async () => samplesOf(await text());
  beforeAll(async () => {
    deployment = await createDeployment(backend, { MAX_READS_PER_SECOND: '2000' });
  });
  afterAll(() => deployment.close());

  it('counts requests by the route, not by what was sent, and by status code', async () => {
    await deployment.http.get('/api/ami/status?tenantId=SECRET_TENANT');
    await deployment.http.get('/api/ami/publish/no-id-of-ours');
    await deployment.http.get('/SECRET_PATH');
    const found = await samples();
    const counted = (method: string, route: string, code: number) =>
      found.get(
        `gridlens_http_request_duration_seconds_count{method="${method}",route="${route}",code="${code}"}`,
      );
    expect(counted('GET', '/api/ami/status', 200)).toBe(1);
    expect(counted('GET', '/api/ami/publish/:publishId', 400)).toBe(1);
    expect(counted('GET', 'none', 404)).toBe(1);
    expect(await text()).not.toContain('SECRET');
  });

  it('makes no series for paths that nobody has, nor for methods that nobody knows', async () => {
    const requestSeries = async () =>
      [...(await samples()).keys()].filter((name) => name.startsWith('gridlens_http_request'));
    await deployment.http.get('/nothing');
    await deployment.http.put('/healthz');
    await samples();
    const before = await requestSeries();
    for (let path = 0; path < 50; path += 1) {
      await deployment.http.get(`/nothing-${path}`);
      await deployment.http.get(`/api/ami/nothing-${path}`);
    }
    await deployment.http.propfind('/healthz');
    expect(await requestSeries()).toEqual(before);
  });

  it('answers the first scrape with what Postgres and the queue say; without a worker, only these are up', async () => {
    await deployment.restart();
    const found = await samples();
    expect(found.get('gridlens_dependency_up{dependency="postgres"}')).toBe(1);
    expect(found.get('gridlens_dependency_up{dependency="queue"}')).toBe(1);
    expect(found.get('gridlens_dependency_up{dependency="worker"}')).toBe(0);
    for (const lane of ['live', 'background'])
      expect(found.get(`gridlens_queue_jobs{lane="${lane}",state="waiting"}`)).toBe(0);
    expect(found.get('gridlens_pace_limit_reads_per_second')).toBe(2000);
    expect(found.get('gridlens_active_events{type="theft"}')).toBe(0);
    expect(found.get('gridlens_database_share_connections{share="readers",use="most"}')).toBe(2);
  });

  it('shows what waits by lane, events, owed intervals, and tenants whose ids need escaping, fifty at most', async () => {
    const { pool: database } = deployment.database;
    const now = Math.floor(Date.now() / QUARTER_MS) * QUARTER_MS;
    const publish = await deployment.post('/api/ami/publish-once', {
      tenantId: 'DEMO_TENANT',
      meterCount: 25,
      feederCount: 10,
    });
    expect(publish.ok).toBe(true);
    await deployment.post('/api/ami/backfill', {
      tenantId: 'DEMO_TENANT',
      meterCount: 25,
      feederCount: 10,
      from: new Date(now - 8 * QUARTER_MS).toISOString(),
      to: new Date(now - 4 * QUARTER_MS).toISOString(),
    });
    const event = await deployment.post('/api/ami/event/theft', {
      tenantId: 'DEMO_TENANT',
      feederId: 'FEEDER_7',
      severity: 0.8,
      startAt: new Date(now - QUARTER_MS).toISOString(),
      durationMinutes: 120,
    });
    expect(event.body, JSON.stringify(event.body)).toMatchObject({ ok: true });
    await database.query(
      `INSERT INTO ami_ticks (tenant_id, read_at, claimed_at) VALUES ('DEMO_TENANT', $1, now())`,
      [new Date(now)],
    );
    await database.query(
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh)
       SELECT 'T' || generate_series(1, 60), 'M', 'F', $1::timestamptz, 1
       UNION ALL SELECT E'odd "\\\\ \\n{}', 'M', 'F', $1::timestamptz - interval '15 minutes', 1`,
      [new Date(now - QUARTER_MS)],
    );
    await deployment.restart();
    const found = await samples();
    expect(found.get('gridlens_pending_reads{lane="live"}')).toBe(25);
    expect(found.get('gridlens_pending_batches{lane="live"}')).toBe(1);
    expect(found.get('gridlens_backfill_intervals_left')).toBe(4);
    expect(found.get('gridlens_active_events{type="theft"}')).toBe(1);
    expect(found.get('gridlens_owed_intervals')).toBe(1);
    expect(found.get('gridlens_tenants')).toBe(61);
    const ages = [...found.keys()].filter((name) => name.startsWith('gridlens_latest_read_age_seconds'));
    expect(ages).toHaveLength(50);
    expect(ages.some((name) => name.includes('odd \\"\\\\ \\n{}'))).toBe(true);
    for (const name of ages) expect(found.get(name)).toBeGreaterThanOrEqual(900);
    if (hasPrometheus)
      expect(promtool(['check', 'metrics'], await text())).toEqual({ status: 0, output: '' });
  });

  it('names an automatic tenant whose interval under way has no publish, from two minutes after its boundary on', async () => {
    const { pool: database } = deployment.database;
    const start = `UPDATE ami_auto SET enabled = true, started_at = now() - interval '1 day'`;
    await deployment.post('/api/ami/auto/start', {
      tenantId: 'DEMO_TENANT',
      meterCount: 25,
      feederCount: 10,
    });
    await database.query(start);
    await database.query(`DELETE FROM ami_ticks`);
    const { rows } = await database.query<{ late: boolean }>(
      `SELECT now() - date_bin('15 minutes', now(), timestamptz '2000-01-01 00:00Z') > interval '2 minutes' AS late`,
    );
    await deployment.restart();
    const found = await samples();
    expect(found.get('gridlens_automatic_tenants')).toBe(1);
    expect(found.get('gridlens_tenants_without_tick')).toBe(rows[0]?.late ? 1 : 0);
  });

  it('is one look for fifty scrapes at once', async () => {
    await deployment.restart();
    const all = await Promise.all(Array.from({ length: 50 }, () => deployment.http.get('/metrics')));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]));
    for (const { text: one } of all) expect(one).toContain('gridlens_dependency_up{dependency="postgres"} 1');
  });
});

describe('the read key', () => {
  it('is asked for by /metrics where it is set', async () => {
    const readKey = 'read-key-0123456789abcdef';
    const deployment = await createDeployment('postgres', { GRIDLENS_READ_KEY: readKey });
    try {
      expect((await deployment.http.get('/metrics')).status).toBe(401);
      expect((await deployment.http.head('/metrics')).status).toBe(401);
      const answer = await deployment.http.get('/metrics').set('Authorization', `Bearer ${readKey}`);
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    } finally {
      await deployment.close();
    }
  });
});

describe('a look that finds nothing', () => {
  const figures = {
    automaticTenants: 1,
    tenantsWithoutTick: 0,
    intervalsInTime: 4,
    intervalsLate: 0,
    intervalsOwed: 0,
    replayIntervalsLeft: 0,
    backfillIntervalsLeft: 0,
    pending: [{ lane: 'live', batches: 3, reads: 1500 }],
    overdueSeconds: 0,
    events: [],
  };
  const counts = { waiting: 4, delayed: 0, active: 0, failed: 0 };
  /** A deployment whose Postgres and queue answer, hang or refuse. */
  const observed = (answer: () => Promise<void>): Observed => ({
    database: {
      query: async ({ name }: { name: string }) => {
        await answer();
        return { rows: name === 'metric-figures' ? [figures] : [] };
      },
    } as unknown as Observed['database'],
    queue: {
      countsByLane: async () => {
        await answer();
        return { live: counts, background: counts };
      },
    },
    readiness: async () => ({ dependencies: {} }),
    maxReadsPerSecond: 2500,
  });

  it('takes away what the look before found, instead of showing it as if it were true', async () => {
    let clock = 0;
    let isAway = false;
    const page = createMetricsPage(
      createRegistry(undefined),
      observed(async () => {
        if (isAway) throw new Error('away');
      }),
      () => clock,
    );
    const before = samplesOf(await page.text());
    expect(before.get('gridlens_queue_jobs{lane="live",state="waiting"}')).toBe(4);
    expect(before.get('gridlens_automatic_tenants')).toBe(1);
    isAway = true;
    clock = 5_000;
    const after = samplesOf(await page.text());
    expect(after.get('gridlens_dependency_up{dependency="postgres"}')).toBe(0);
    for (const name of after.keys())
      expect(name).toMatch(/^(process|nodejs)_|^gridlens_(build_info|dependency_up|pace_limit)/);
  });

  it('does not hold up the scrape, and is not begun anew while it hangs', async () => {
    let clock = 0;
    let asked = 0;
    const page = createMetricsPage(
      createRegistry(undefined),
      observed(() => {
        asked += 1;
        return new Promise(() => undefined);
      }),
      () => clock,
    );
    for (clock = 0; clock < 15_000; clock += 7_000) expect(await page.text()).toContain('process_cpu');
    // Once Postgres and once the queue.
    expect(asked).toBe(2);
  });
});

describe('docs/grafana and docs/operations.md', () => {
  let shown: Set<string>;
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment('postgres');
    await waitFor('the first look', async () =>
      (await deployment.http.get('/metrics')).text.includes('gridlens_tenants 0'),
    );
    const { observeBatches } = await import('../../src/metrics/batches.js');
    const worker = createRegistry(undefined);
    observeBatches(worker);
    shown = metricNames(`${(await deployment.http.get('/metrics')).text}\n${await worker.metrics()}`);
  });
  afterAll(() => deployment.close());

  it.each(['docs/grafana/alerts.yml', 'docs/grafana/dashboard.json'])(
    '%s names only metrics that are there',
    async (file) => {
      const named = (await readFile(file, 'utf8')).match(/\b(?:gridlens|nodejs|process)_\w+/g) ?? [];
      expect(named.length).toBeGreaterThan(8);
      for (const name of named) expect(shown, name).toContain(name);
    },
  );

  it('the tables of docs/operations.md name every metric of ours, and no other', async () => {
    const document = await readFile('docs/operations.md', 'utf8');
    const rows = document.split('\n').filter((line) => line.startsWith('| `gridlens_'));
    const documented = rows.flatMap((line) => line.split('|')[1]?.match(/gridlens_\w+/g) ?? []);
    const ours = [...shown].filter(
      (name) => name.startsWith('gridlens_') && !/_(bucket|sum|count)$/.test(name),
    );
    expect(documented.toSorted()).toEqual(ours.toSorted());
  });

  it.skipIf(!hasPrometheus)('the alert rules are rules, and fire when they should', () => {
    expect(promtool(['check', 'rules', 'docs/grafana/alerts.yml']).status).toBe(0);
    expect(promtool(['test', 'rules', 'docs/grafana/alerts.test.yml']).status).toBe(0);
  });

  it.skipIf(!hasPrometheus)('every alert rule has a test of its own', async () => {
    const rules = await readFile('docs/grafana/alerts.yml', 'utf8');
    const tests = await readFile('docs/grafana/alerts.test.yml', 'utf8');
    const fired = tests.match(/alertname: (\w+)\n\s+exp_alerts:\n/g)?.join() ?? '';
    for (const [, name = ''] of rules.matchAll(/alert: (\w+)/g)) expect(fired).toContain(name);
  });
});
