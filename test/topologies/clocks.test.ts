import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clockDifferenceMs } from '../../src/db/databaseClock.js';
import { BEARER } from '../support/deployment.js';
import {
  type ProductProcess,
  startApiProcess,
  startProcess,
  startWorkerProcess,
} from '../support/processes.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

const DAY_MS = 86_400_000;

describe('a machine whose clock is wrong', () => {
  let database: TestDatabase;
  let folder: string;
  const processes: ProductProcess[] = [];
  const track = <T extends ProductProcess>(started: T): T => {
    processes.push(started);
    return started;
  };
  /** A clock that many processes can have, by ms ahead of the database's; see shiftedClock.ts. */
  const clock = (name: string, aheadMs: number) => {
    const file = join(folder, name);
    const set = (ms: number) => {
      writeFileSync(`${file}.new`, String(ms));
      renameSync(`${file}.new`, file);
    };
    set(aheadMs);
    return { set, env: { TEST_CLOCK_FILE: file, CLOCK_TOLERANCE_SECONDS: '5' } };
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gridlens-clocks-'));
  });
  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((running) => running.kill('SIGKILL')));
    await database.drop();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const publish = async (url: string, readAt?: string) => {
    const response = await fetch(`${url}/api/ami/publish-once`, {
      method: 'POST',
      headers: { ...BEARER, 'Content-Type': 'application/json' },
      body: JSON.stringify({ tenantId: 'T', meterCount: 2_000, batchSize: 50, ...(readAt && { readAt }) }),
    });
    return { status: response.status, ...((await response.json()) as { error?: string; publishId: string }) };
  };
  const done = (url: string, publishId: string) =>
    waitFor('the publish', async () => {
      const response = await fetch(`${url}/api/ami/publish/${publishId}`);
      return ((await response.json()) as { state?: string }).state === 'done';
    });
  const written = (worker: ProductProcess) => worker.logLines().filter(({ msg }) => msg === 'batch written');

  it('C1: the difference is never said to be more than it is, however long the question takes', async () => {
    for (const ms of [-DAY_MS, -20_000, 20_000, DAY_MS]) {
      const difference = await clockDifferenceMs(database.pool, () => Date.now() + ms);
      expect(Math.abs(difference)).toBeLessThanOrEqual(Math.abs(ms) + 1);
      expect(Math.sign(difference)).toBe(Math.sign(ms));
    }
    let asked = 0;
    // The question goes off a minute before it comes back.
    const slow = await clockDifferenceMs(database.pool, () => {
      asked += 1;
      return Date.now() + (asked === 1 ? -30_000 : 30_000);
    });
    expect(slow).toBe(0);
  });

  it('C1: an API whose clock is a day ahead accepts nothing and says why in readiness, until the clock is right', async () => {
    const { env, set } = clock('api', DAY_MS);
    const api = track(await startApiProcess({ DATABASE_URL: database.url, ...env }));
    const refused = await publish(api.url);
    expect(refused).toMatchObject({
      status: 503,
      error: expect.stringMatching(
        /^Nothing is accepted here: this machine's clock is \d+ s ahead of the database's.*NTP/,
      ),
    });
    const readiness = await fetch(`${api.url}/readyz`);
    expect(readiness.status).toBe(503);
    expect(await readiness.json()).toMatchObject({
      error: expect.stringMatching(/^Not ready: this machine's clock is \d+ s ahead of the database's/),
      dependencies: { clock: { ok: false }, postgres: { ok: true } },
    });
    expect((await fetch(`${api.url}/api/ami/kpi/quickcheck?tenantId=T`)).status).toBe(200);
    set(0);
    await waitFor('the clock to be found right', async () => (await publish(api.url)).status === 202);
    expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
  });

  it('C1, Q10: a worker whose clock is ahead takes no job from healthy ones, and none while its clock goes wrong', async () => {
    const { url } = track(await startApiProcess({ DATABASE_URL: database.url }));
    const wrong = clock('wrong', 3_600_000);
    const ahead = track(startProcess('worker', { DATABASE_URL: database.url, ...wrong.env }));
    const jumping = clock('jumping', 0);
    const jumps = track(await startWorkerProcess({ DATABASE_URL: database.url, ...jumping.env }));
    const healthy = track(await startWorkerProcess({ DATABASE_URL: database.url }));
    const saysSo = (worker: ProductProcess) =>
      waitFor('the clock to be found wrong', async () =>
        worker.logLines().find(({ level, msg }) => level === 50 && /ahead of the database's/.test(`${msg}`)),
      );
    await saysSo(ahead);
    jumping.set(DAY_MS);
    await saysSo(jumps);
    const before = written(jumps).length;
    const { publishId } = await publish(url, '2026-01-31T10:00:00Z');
    await done(url, publishId);
    expect(written(ahead)).toEqual([]);
    expect(written(jumps)).toHaveLength(before);
    // The ledger has a batch a moment before the log.
    await waitFor('the last line', async () => written(healthy).length >= 40);
    // A job that is taken from who has it runs twice.
    expect(written(healthy).filter(({ alreadyFinished }) => alreadyFinished)).toEqual([]);
    expect(written(healthy)).toHaveLength(40);
    expect(ahead.output()).not.toContain('worker started');
    wrong.set(0);
    await waitFor('the worker to start', async () => ahead.output().includes('worker started'));
  });

  it('C1: nothing in the future is ever the latest, in no answer', async () => {
    const { url } = track(await startApiProcess({ DATABASE_URL: database.url }));
    const at = new Date(Math.floor(Date.now() / 900_000) * 900_000);
    const ahead = new Date(at.getTime() + DAY_MS);
    for (const instant of [at, ahead]) {
      await database.pool.query('SELECT ami_ensure_read_partition($1)', [instant.toISOString().slice(0, 10)]);
      await database.pool.query(
        `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh)
         VALUES ('T', 'M1', 'F1', $1, 1)`,
        [instant],
      );
    }
    const latest = async (path: string) =>
      JSON.parse(await (await fetch(`${url}/api/ami${path}?tenantId=T`)).text()) as {
        latestReadAt: string;
        latest: { intervalStart: string };
        overview: { day: string }[];
      };
    for (const path of ['/status', '/scale/status', '/auto/status'])
      expect((await latest(path)).latestReadAt, path).toBe(at.toISOString());
    const quickcheck = await latest('/kpi/quickcheck');
    expect(quickcheck.latest.intervalStart).toBe(at.toISOString());
    expect(quickcheck.overview.map(({ day }) => day)).toEqual([at.toISOString().slice(0, 10)]);
  });
});
