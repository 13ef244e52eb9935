import { expect } from 'vitest';
import { BEARER } from './deployment.js';
import { openPool } from './openPool.js';
import type { ProductProcess } from './processes.js';
import { waitFor } from './waitFor.js';

/** A running deployment, seen from outside. */
export interface RunningDeployment {
  /** Of its API. */
  url: string;
  /** Of Postgres itself, whatever stands before it. */
  databaseUrl: string;
  workers: ProductProcess[];
  startWorker(): Promise<ProductProcess>;
  /** Ends a server that the deployment needs, as by `kill -9`, and resolves once it is back. */
  serverDies?: () => Promise<void>;
}

const TENANT = 'EVERY_USE';
const METERS = 600;
const INTERVAL = { tenantId: TENANT, meterCount: METERS, feederCount: 2, batchSize: 25 };
/** Yesterday, UTC: what is backfilled is past whenever the test runs. */
const day = (): string => new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);

/**
 * Uses a deployment in every way: a publish, an event that revises it, the automatic mode, a backfill in the middle of
 * which all workers are killed with `kill -9`, and another in the middle of which a server dies. Each interval has each of
 * its reads, nothing was written twice and no batch was given up.
 */
export async function expectEveryUse(deployment: RunningDeployment): Promise<void> {
  const pool = openPool({ connectionString: deployment.databaseUrl, max: 1 });
  const send = async (path: string, body: object): Promise<{ status: number; body: Answer }> => {
    const response = await fetch(`${deployment.url}/api/ami${path}`, {
      method: 'POST',
      headers: { ...BEARER, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Answer };
  };
  const batches = async (state: string): Promise<number> => {
    const { rows } = await pool.query(
      `SELECT count(*)::integer AS n FROM ami_publish_batches WHERE tenant_id = $1 AND state = $2`,
      [TENANT, state],
    );
    return rows[0].n;
  };
  const settled = (what: string) =>
    waitFor(what, async () => (await batches('pending')) === 0 && (await batches('done')) > 0);
  try {
    const date = day();
    const published = await send('/publish-once', { ...INTERVAL, readAt: `${date}T10:00:00Z` });
    expect(published).toMatchObject({ status: 202 });
    await settled('the publish');

    const event = await send('/event/theft', {
      ...{ tenantId: TENANT, feederId: 'FEEDER_1', durationMinutes: 30, severity: 0.5, applyNow: true },
      startAt: `${date}T09:50:00Z`,
    });
    expect(event).toMatchObject({ status: 201, body: { revision: expect.anything() } });
    await settled('the revision');

    const started = await send('/auto/start', { ...INTERVAL, catchUpIntervals: 1 });
    expect(started).toMatchObject({ status: 200 });
    await waitFor('the automatic mode', async () => {
      const { rows } = await pool.query(
        `SELECT count(*)::integer AS n FROM meter_reads_electric
         WHERE tenant_id = $1 AND read_at > now() - interval '1 h'`,
        [TENANT],
      );
      return rows[0].n >= METERS;
    });
    await send('/auto/stop', { tenantId: TENANT });
    await settled('the automatic mode');

    /** Four intervals, and in the middle of them `disturb`. */
    const backfill = async (from: string, to: string, disturb: () => Promise<void>): Promise<void> => {
      const before = await batches('done');
      const span = { from: `${date}T${from}:00Z`, to: `${date}T${to}:00Z` };
      const accepted = await send('/backfill', { ...INTERVAL, ...span });
      expect(accepted).toMatchObject({ status: 202 });
      await waitFor('the middle of the backfill', async () => (await batches('done')) > before + 10);
      await disturb();
      await waitFor('the backfill', async () => {
        const response = await fetch(`${deployment.url}/api/ami/backfill/${accepted.body.backfillId}`);
        return ((await response.json()) as Answer).state === 'done';
      });
    };
    await backfill('12:00', '13:00', async () => {
      const count = deployment.workers.length;
      await Promise.all(deployment.workers.splice(0).map((worker) => worker.kill('SIGKILL')));
      for (let started = 0; started < count; started += 1)
        deployment.workers.push(await deployment.startWorker());
    });
    const { serverDies } = deployment;
    if (serverDies) await backfill('14:00', '15:00', serverDies);

    const { rows } = await pool.query(
      `SELECT count(*)::integer AS reads, to_char(read_at AT TIME ZONE 'UTC', 'HH24:MI') AS at
       FROM meter_reads_electric WHERE tenant_id = $1 GROUP BY read_at ORDER BY read_at`,
      [TENANT],
    );
    const wanted = ['10:00', '12:00', '12:15', '12:30', '12:45'];
    if (serverDies) wanted.push('14:00', '14:15', '14:30', '14:45');
    expect(rows.slice(0, wanted.length)).toEqual(wanted.map((at) => ({ reads: METERS, at })));
    expect(rows.length).toBeGreaterThan(wanted.length);
    expect(new Set(rows.map(({ reads }) => reads))).toEqual(new Set([METERS]));
    const ledger = await pool.query(
      `SELECT sum(inserted)::integer AS inserted, count(*) FILTER (WHERE state <> 'done')::integer AS "notDone"
       FROM ami_publish_batches WHERE tenant_id = $1`,
      [TENANT],
    );
    expect(ledger.rows[0]).toEqual({ inserted: METERS * rows.length, notDone: 0 });
    const quickcheck = await fetch(`${deployment.url}/api/ami/kpi/quickcheck?tenantId=${TENANT}`);
    expect(quickcheck.status).toBe(200);
    const logged = deployment.workers.flatMap((worker) => worker.logLines());
    expect(logged.filter(({ msg }) => /given up|prepared statement/.test(String(msg)))).toEqual([]);
  } finally {
    await pool.end();
  }
}

interface Answer {
  state?: string;
  backfillId?: string;
}
