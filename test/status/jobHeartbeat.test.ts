import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHeartbeat } from '../../src/status/heartbeat.js';
import { createStatusService } from '../../src/status/status.js';
import { describeOnBothBackends } from '../support/backends.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { waitFor } from '../support/waitFor.js';

describeOnBothBackends('the job heartbeat', (backend) => {
  let deployment: Deployment;
  const closing: { close(): Promise<void> }[] = [];
  beforeEach(async () => {
    deployment = await createDeployment(backend);
  });
  afterEach(async () => {
    for (const worker of closing.splice(0)) await worker.close();
    await deployment.close();
  });

  const sql = (text: string) => deployment.database.pool.query(text);
  /** Readiness with the worker's: what these tests are about. */
  const readyz = () => deployment.http.get('/readyz?require=worker');
  const status = async () => (await deployment.http.get('/api/ami/status?tenantId=T')).body;
  /** What a worker process has of it, in the test's hands. */
  const startBeating = () => {
    const { ticks, database } = deployment.context;
    const heartbeat = createHeartbeat(database, () => 8);
    const onTick = async () => undefined;
    const worker = ticks.work({ onTick, onHeartbeat: heartbeat.processed }, { onError: () => undefined });
    closing.push(worker);
    return { ...heartbeat, worker, beatJob: () => ticks.beat(heartbeat.workerId) };
  };
  const setBack = (seconds: number) =>
    sql(`UPDATE ami_workers SET last_job_at = now() - interval '${seconds} s'`);
  /** Live batches that nobody has written `seconds` after they were due. */
  const publishOverdue = async (seconds: number) => {
    const answer = await deployment.post('/api/ami/publish-once', {
      tenantId: 'T',
      meterCount: 20,
      batchSize: 10,
      feederCount: 10,
    });
    expect(answer.status).toBe(202);
    await sql(`UPDATE ami_publish_batches SET due_at = now() - interval '${seconds} s'`);
  };

  it('is what readiness asks for: a worker that has done a job', async () => {
    const before = await readyz();
    expect(before.status).toBe(503);
    expect(before.body).toMatchObject({
      ok: false,
      code: 'unavailable',
      error:
        "Not ready: no worker has processed a job yet: look at the worker's log, or start one with npm run worker.",
      dependencies: { postgres: { ok: true }, queue: { ok: true }, worker: { ok: false } },
    });
    expect(before.headers['retry-after']).toBe('5');
    expect((await status()).heartbeat).toEqual({ lastProcessedAt: null, ageSeconds: null, ok: false });
    expect((await deployment.http.get('/healthz')).status).toBe(200);
    // A fault of workers is no reason to take the API out of service; its body says so all the same.
    const plain = await deployment.http.get('/readyz');
    expect([plain.status, plain.body]).toEqual([
      200,
      {
        ok: true,
        dependencies: {
          postgres: { ok: true },
          queue: { ok: true },
          worker: {
            ok: false,
            advice:
              "no worker has processed a job yet: look at the worker's log, or start one with npm run worker",
          },
        },
      },
    ]);

    const { beatJob, workerId, beat } = startBeating();
    // Before the first beat of the process: whichever comes first makes the row.
    await beatJob();
    await waitFor('the job', async () => (await readyz()).status === 200);
    await beat();
    const after = await status();
    expect(after.heartbeat).toEqual({
      lastProcessedAt: expect.any(String),
      ageSeconds: expect.any(Number),
      ok: true,
    });
    expect(after.workers).toMatchObject([
      { workerId, concurrency: 8, lastJobAt: after.heartbeat.lastProcessedAt },
    ]);
    expect((await readyz()).body).toEqual({
      ok: true,
      dependencies: { postgres: { ok: true }, queue: { ok: true }, worker: { ok: true } },
    });
  });

  it('is the only thing that can be required of readiness', async () => {
    for (const required of ['queue', '', 'WORKER', 'worker&require=worker']) {
      const { status: code, body } = await deployment.http.get(`/readyz?require=${required}`);
      expect([required, code, body.code, body.error]).toEqual([
        required,
        400,
        'invalid_request',
        'require must be worker, or be left out.',
      ]);
    }
  });

  it('tells a worker that only lives from one that works', async () => {
    const { beat, beatJob, worker, workerId } = startBeating();
    await beat();
    await beatJob();
    await waitFor('the job', async () => (await readyz()).status === 200);
    await worker.close();
    await setBack(60);
    await beatJob();
    await beat();
    const body = await status();
    expect(body.workers).toMatchObject([{ workerId }]);
    expect(body.heartbeat).toMatchObject({ ok: false });
    const { status: code, body: answer } = await readyz();
    expect(code).toBe(503);
    expect(answer.error).toMatch(
      /^Not ready: no worker has processed a job for \d+ s: look at the worker's log/,
    );
    expect(deployment.logLines).toContainEqual(
      expect.objectContaining({ dependency: 'worker', msg: 'not ready' }),
    );
    // Another process takes what the first has left.
    const other = startBeating();
    await waitFor('the other', async () => (await readyz()).status === 200);
    await other.beat();
    const { workers } = await status();
    expect(workers).toHaveLength(2);
    const lastJobs = new Map(workers.map((one: Record<string, string>) => [one.workerId, one.lastJobAt]));
    expect(String(lastJobs.get(other.workerId)) > String(lastJobs.get(workerId))).toBe(true);
  });

  it('is remembered while a worker is restarted, and forgotten in time', async () => {
    const { beat, beatJob, retire } = startBeating();
    await beatJob();
    await waitFor('the job', async () => (await readyz()).status === 200);
    await beat();
    await retire();
    expect((await status()).workers).toEqual([]);
    expect((await readyz()).status).toBe(200);
    await sql(
      `UPDATE ami_workers SET heartbeat_at = now() - interval '2 days', retired_at = now() - interval '25 hours'`,
    );
    await startBeating().retire();
    expect((await sql('SELECT FROM ami_workers')).rowCount).toBe(0);
  });

  it('does not hide that nothing is written', async () => {
    const { beatJob } = startBeating();
    await beatJob();
    await waitFor('the job', async () => (await readyz()).status === 200);
    const ready = async () => (await readyz()).body.dependencies.worker.ok;
    // At the limit of 2,500 reads a second, 60.4 s are the patience.
    await publishOverdue(20);
    expect(await ready()).toBe(true);
    await publishOverdue(90);
    const answer = await readyz();
    expect(answer.status).toBe(503);
    expect(answer.body.error).toMatch(
      /^Not ready: reads that were due \d+ s ago are not written, and no others that were due are: look at the worker's log/,
    );
    // A slow deployment has more patience: a batch may take 500 s.
    const slow = createStatusService(
      deployment.context.database,
      deployment.context.queue,
      async () => new Date(),
      1,
    );
    expect((await slow.readiness()).dependencies.worker).toEqual({ ok: true });
    await sql(`UPDATE ami_publish_batches SET is_background = true`);
    expect(await ready()).toBe(true);
    await sql(`UPDATE ami_publish_batches SET is_background = false`);
    expect(await ready()).toBe(false);
    // One live batch that ends, whosever, and something is being done; of the background it says nothing.
    const endOne = (lane: string, ago: string) =>
      sql(
        `UPDATE ami_publish_batches SET state = 'failed', failure = 'x', is_background = ${lane === 'background'},
           finished_at = now() - interval '${ago}'
         WHERE (publish_id, batch_number) = (SELECT publish_id, batch_number FROM ami_publish_batches ORDER BY 1, 2 LIMIT 1)`,
      );
    await endOne('background', '0 s');
    expect(await ready()).toBe(false);
    await endOne('live', '0 s');
    expect(await ready()).toBe(true);
    await endOne('live', '90 s');
    expect(await ready()).toBe(false);
    // The clock was set back since.
    await endOne('live', '-1 h');
    expect(await ready()).toBe(false);
  });

  it('is kept up by a worker process, whose ready deployment stays so', async () => {
    await deployment.startWorker();
    await waitFor('readiness', async () => (await readyz()).status === 200);
    const [worker] = (await status()).workers;
    expect(worker.lastJobAt).toEqual(expect.any(String));
  });
});
