import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { demoPlan } from '../../src/demo/demoPlan.js';
import { describeOnBothBackends } from '../support/backends.js';
import { programArguments } from '../support/compiledSources.js';
import { API_KEY, createDeployment, type Deployment } from '../support/deployment.js';
import { freePort } from '../support/redisServer.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TENANT = 'GRIDLENS_DEMO';
/** Every table that holds rows of a tenant. */
const TABLES = [
  ...['meter_reads_electric', 'ami_known_meters', 'ami_known_meter_sets', 'ami_feeder_intervals'],
  ...['ami_feeder_days', 'ami_meter_anomalies', 'ami_publishes', 'ami_publish_batches', 'ami_backfills'],
  ...['ami_ticks', 'ami_events', 'ami_auto', 'ami_pruned_days'],
];

describeOnBothBackends('npm run demo', (backend) => {
  let deployment: Deployment;
  let server: Server;
  let port: number;
  beforeEach(async () => {
    deployment = await createDeployment(backend);
    await deployment.startWorker();
    server = createServer(deployment.app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as { port: number });
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await deployment.close();
  });

  const demo = (args: string[], env: Record<string, string> = {}) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const own = { PATH: process.env.PATH ?? '', PORT: String(port), GRIDLENS_API_KEY: API_KEY };
      const options = { cwd: ROOT, env: { ...own, DATABASE_URL: deployment.database.url, ...env } };
      execFile(
        process.execPath,
        [...programArguments('commands/demo'), ...args],
        options,
        (error, stdout, stderr) => {
          resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
        },
      );
    });
  const count = async (table: string, tenantId: string): Promise<number> => {
    const sql = `SELECT count(*)::integer AS rows FROM ${table} WHERE tenant_id = $1`;
    return (await deployment.database.pool.query(sql, [tenantId])).rows[0].rows;
  };
  const counts = async (tenantId: string) =>
    Object.fromEntries(await Promise.all(TABLES.map(async (table) => [table, await count(table, tenantId)])));

  it('makes two days with their events, nothing more the second time, and takes all of it away', async () => {
    const other = { tenantId: 'OTHER', meterCount: 20, feederCount: 10, batchSize: 20 };
    expect((await deployment.post('/api/ami/publish-once', other)).status).toBe(202);

    const first = await demo(['--meters', '20']);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain(`Look at it: http://localhost:${port}/?tenant=${TENANT}\n`);
    expect(first.stdout).toMatch(/Done: 192 of 192 intervals are there\./);
    const { rows: events } = await deployment.database.pool.query(
      'SELECT event_type, feeder_id, start_at FROM ami_events WHERE tenant_id = $1',
      [TENANT],
    );
    expect(events.map(({ event_type: type, feeder_id: feeder }) => `${type} ${feeder}`).toSorted()).toEqual([
      ...['comms-outage FEEDER_3', 'theft FEEDER_7', 'theft FEEDER_9', 'voltage-sag FEEDER_5'],
    ]);
    const theft = events.find(({ feeder_id: feeder }) => feeder === 'FEEDER_7');
    const { rows: stolen } = await deployment.database.pool.query(
      `SELECT sum(delivered_kwh) > 1.5 * sum(kwh) AS shows FROM meter_reads_electric
       WHERE tenant_id = $1 AND feeder_id = 'FEEDER_7' AND read_at >= $2 AND read_at < $2::timestamptz + interval '4 h'`,
      [TENANT, theft.start_at],
    );
    expect(stolen[0].shows).toBe(true);

    const made = await count('ami_backfills', TENANT);
    const second = await demo(['--json']);
    expect(JSON.parse(second.stdout)).toMatchObject({
      tenantId: TENANT,
      events: 0,
      startedAutomatic: false,
      startedBackfill: false,
    });
    expect(await count('ami_backfills', TENANT)).toBe(made);
    expect(await count('ami_events', TENANT)).toBe(4);

    const away = await demo(['--reset']);
    expect(away).toMatchObject({ code: 0, stderr: '' });
    expect(away.stdout).toMatch(/^Tenant GRIDLENS_DEMO is gone, with [\d,]+ reads\.\n$/);
    expect(await counts(TENANT)).toEqual(Object.fromEntries(TABLES.map((table) => [table, 0])));
    expect(await deployment.context.ticks.tenants()).toEqual([]);
    expect(await count('meter_reads_electric', 'OTHER')).toBe(20);
  });

  it('says to run npm start where nothing runs, and starts nothing', async () => {
    const free = await freePort();
    const { code, stdout, stderr } = await demo([], { PORT: String(free) });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      `No GridLens answers at http://localhost:${free}: run npm start in another terminal, and then this again.\n`,
    );
  });

  it('puts its events into the history, whatever the time of the day', () => {
    for (const hour of [0, 11, 23]) {
      const now = new Date(Date.UTC(2026, 1, 3, hour, 59, 59));
      const { events, from, to } = demoPlan(2_000, now);
      const past = events.slice(0, 3);
      for (const { startAt, durationMinutes } of past) {
        expect(startAt >= from).toBe(true);
        expect(Date.parse(startAt) + durationMinutes * 60_000).toBeLessThanOrEqual(Date.parse(to));
      }
      expect(events[3]?.startAt).toBe(to);
    }
  });
});
