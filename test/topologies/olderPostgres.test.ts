import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DebianPostgres, oldestPostgres, startDebianPostgres } from '../support/debianPostgres.js';
import { BEARER } from '../support/deployment.js';
import { type ProductProcess, startApiProcess, startWorkerProcess } from '../support/processes.js';
import { waitFor } from '../support/waitFor.js';

const major = await oldestPostgres();

describe.skipIf(major === undefined)('a Postgres older than the embedded one', () => {
  let postgres: DebianPostgres;
  const processes: ProductProcess[] = [];
  beforeAll(async () => {
    postgres = await startDebianPostgres(major as number);
  });
  afterAll(async () => {
    await Promise.all(processes.map((running) => running.kill('SIGKILL')));
    await postgres.stop();
  });

  it('is made ready from empty, published to, and its key figures show an event', async () => {
    expect(postgres.major).toBeLessThan(18);
    const env = { DATABASE_URL: postgres.url };
    const api = await startApiProcess(env);
    processes.push(api);
    processes.push(await startWorkerProcess(env));
    const post = async (path: string, body: object) => {
      const response = await fetch(`${api.url}/api/ami${path}`, {
        method: 'POST',
        headers: { ...BEARER, 'Content-Type': 'application/json' },
        body: JSON.stringify({ tenantId: 'DEMO_TENANT', ...body }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, string> };
    };
    const get = async (path: string) => (await fetch(`${api.url}/api/ami${path}`)).json();
    const done = (publishId: string | undefined) =>
      waitFor('the publish', async () => {
        const progress = (await get(`/publish/${publishId}`)) as { state?: string };
        return progress.state === 'done' && progress;
      });
    const published = await post('/publish-once', { meterCount: 500, feederCount: 5 });
    expect(published.status).toBe(202);
    expect(await done(published.body.publishId)).toMatchObject({ rows: { inserted: 500 } });
    const theft = { feederId: 'FEEDER_1', durationMinutes: 60, severity: 0.8, applyNow: true };
    const event = await post('/event/theft', theft);
    expect(event.status, JSON.stringify(event.body)).toBe(201);
    const revision = event.body.revision as unknown as { publishId: string };
    await done(revision.publishId);
    const quickcheck = (await get('/kpi/quickcheck?tenantId=DEMO_TENANT')) as {
      latestFeeders: { feederId: string; lossPct: number }[];
    };
    const losses = new Map(quickcheck.latestFeeders.map(({ feederId, lossPct }) => [feederId, lossPct]));
    expect(losses.get('FEEDER_1')).toBeGreaterThan(5 * (losses.get('FEEDER_2') ?? Number.NaN));
  });
});
