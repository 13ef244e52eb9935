import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeOnBothBackends } from '../support/backends.js';
import { BEARER, createDeployment, type Deployment } from '../support/deployment.js';
import { waitFor } from '../support/waitFor.js';

const TENANT = 'DEMO_TENANT';
/** A fixed instant: a test must not care whether a boundary passes while it runs. */
const NOW = new Date('2026-06-01T10:07:00Z');
const publishBody = { tenantId: TENANT, meterCount: 600, feederCount: 10, batchSize: 100 };

describeOnBothBackends('publish-once', (backend) => {
  let deployment: Deployment;
  beforeEach(async () => {
    deployment = await createDeployment(backend, {}, () => NOW);
  });
  afterEach(() => deployment.close());

  const publish = (body: object) => deployment.post('/api/ami/publish-once', body);
  const progress = async (publishId: string) =>
    (await deployment.http.get(`/api/ami/publish/${publishId}`)).body;
  const finished = (publishId: string) =>
    waitFor(`publish ${publishId}`, async () => {
      const answer = await progress(publishId);
      return answer.state === 'queued' || answer.state === 'running' ? undefined : answer;
    });
  const rows = async (sql: string): Promise<Record<string, unknown>[]> =>
    (await deployment.database.pool.query(sql)).rows;

  it('goes from the request through queue and worker into Postgres, and is read back', async () => {
    const accepted = await publish(publishBody).set('X-Request-Id', 'trace-me');
    expect(accepted.status).toBe(202);
    const boundary = '2026-06-01T10:00:00.000Z';
    expect(accepted.body).toMatchObject({
      ok: true,
      tenantId: TENANT,
      readAt: boundary,
      intervalStart: boundary,
      intervalEnd: '2026-06-01T10:15:00.000Z',
      enqueuedJobs: 6,
      computedMeters: 600,
      computedFeederCount: 10,
      computedBatches: 6,
      batchSize: 100,
      safetyWarnings: [],
    });
    expect((await progress(accepted.body.publishId)).state).toBe('queued');
    await deployment.startWorker();
    const done = await finished(accepted.body.publishId);
    expect(done).toMatchObject({
      state: 'done',
      origin: 'manual',
      batches: { done: 6, total: 6, failed: 0, cancelled: 0 },
      rows: { inserted: 600, updated: 0, duplicate: 0, skippedByOutage: 0 },
      startedAt: expect.any(String),
      finishedAt: expect.any(String),
    });

    const reads = await rows(
      `SELECT count(*)::integer AS reads, count(DISTINCT meter_id)::integer AS meters, count(DISTINCT feeder_id)::integer AS feeders,
         min(read_at) AS first, max(read_at) AS last FROM meter_reads_electric`,
    );
    expect(reads[0]).toEqual({
      reads: 600,
      meters: 600,
      feeders: 10,
      first: new Date(boundary),
      last: new Date(boundary),
    });
    const scale = await deployment.http.get(`/api/ami/scale/status?tenantId=${TENANT}`);
    expect(scale.body).toMatchObject({
      totalDistinctMeters: 600,
      totalReads: 600,
      latestReadAt: boundary,
      queue: { waiting: 0, delayed: 0, active: 0, failed: 0 },
      ingestionRate: { readsPerSecond: 10, windowSeconds: 60 },
    });
    const status = await deployment.http.get(`/api/ami/status?tenantId=${TENANT}`).set(BEARER);
    expect(status.body).toMatchObject({
      queue: { backend, healthy: true },
      workers: [{ pid: process.pid, concurrency: 8 }],
      recentJobs: {
        completed: 6,
        failed: 0,
        rows: 600,
        meanMs: expect.any(Number),
        p95Ms: expect.any(Number),
      },
      lastIngestAt: expect.any(String),
    });

    const lines = await waitFor('six log lines', async () => {
      const written = deployment.logLines.filter((line) => line.msg === 'batch written');
      return written.length === 6 && written;
    });
    expect(lines[0]).toMatchObject({
      jobId: expect.stringContaining(accepted.body.publishId),
      publishId: accepted.body.publishId,
      requestId: 'trace-me',
      feederIds: expect.arrayContaining([expect.stringMatching(/^FEEDER_\d+$/)]),
      metersCount: 100,
      insertCount: 100,
      elapsedMs: expect.any(Number),
      queueDepth: { waiting: expect.any(Number), delayed: expect.any(Number), active: expect.any(Number) },
    });
  });

  it('leaves one set of reads after the same publish three times, and the ledger says how many were duplicates', async () => {
    await deployment.startWorker();
    const readAt = '2026-01-31T10:15:00Z';
    const ids: string[] = [];
    for (let round = 0; round < 3; round += 1)
      ids.push((await publish({ ...publishBody, readAt })).body.publishId);
    const answers = await Promise.all(ids.map(finished));
    const sum = (field: 'inserted' | 'duplicate') =>
      answers.reduce((total, answer) => total + answer.rows[field], 0);
    expect([sum('inserted'), sum('duplicate')]).toEqual([600, 1200]);
    expect((await rows('SELECT count(*)::integer AS n FROM meter_reads_electric'))[0]?.n).toBe(600);
  });

  it('leaves a read as it is, unless a revision asks for it; a revision counts what it updated and what is new', async () => {
    await deployment.startWorker();
    const readAt = '2026-01-31T10:15:00Z';
    await finished((await publish({ ...publishBody, meterCount: 300, readAt })).body.publishId);
    await deployment.database.pool.query('UPDATE meter_reads_electric SET kwh = 99');
    await finished((await publish({ ...publishBody, meterCount: 300, readAt })).body.publishId);
    expect((await rows('SELECT count(*)::integer AS n FROM meter_reads_electric WHERE kwh = 99'))[0]?.n).toBe(
      300,
    );

    const revision = await publish({ ...publishBody, readAt, onConflict: 'update' });
    const answer = await finished(revision.body.publishId);
    expect(answer.rows).toEqual({ inserted: 300, updated: 300, duplicate: 0, skippedByOutage: 0 });
    expect((await rows('SELECT count(*)::integer AS n FROM meter_reads_electric WHERE kwh = 99'))[0]?.n).toBe(
      0,
    );
    const touched = await rows(
      'SELECT count(*)::integer AS n FROM meter_reads_electric WHERE updated_at > created_at',
    );
    expect(touched[0]?.n).toBe(300);
  });

  it('makes the partition of an old readAt before its batches are enqueued', async () => {
    await deployment.startWorker();
    const accepted = await publish({ ...publishBody, readAt: '2019-07-04T00:00:00Z', intervalMinutes: 60 });
    expect((await finished(accepted.body.publishId)).rows.inserted).toBe(600);
  });

  it('makes the same reads for the same seed, whatever the batch size', async () => {
    await deployment.startWorker();
    const readAt = '2026-01-31T10:15:00Z';
    const checksum = async () =>
      (
        await rows(
          `SELECT md5(string_agg(concat_ws('|', meter_id, feeder_id, kwh, delivered_kwh, voltage, quality_flags), ';' ORDER BY meter_id)) AS sum
           FROM meter_reads_electric`,
        )
      )[0]?.sum;
    await finished((await publish({ ...publishBody, readAt, seed: 42 })).body.publishId);
    const first = await checksum();
    await deployment.database.truncate('meter_reads_electric');
    await finished(
      (await publish({ ...publishBody, readAt, seed: '42', batchSize: 7, meterCount: 600 })).body.publishId,
    );
    expect(await checksum()).toBe(first);
  });

  it('refuses with the fixed body and Retry-After when the queue would become too deep; nothing refused is written', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => publish({ ...publishBody, meterCount: 5_000 })),
    );
    const accepted = answers.filter((answer) => answer.status === 202);
    const refused = answers.filter((answer) => answer.status === 429);
    expect(accepted).toHaveLength(10);
    expect(refused).toHaveLength(30);
    for (const answer of refused) {
      expect(answer.body).toMatchObject({
        ok: false,
        error: 'Backpressure: queue too deep',
        waiting: expect.any(Number),
        delayed: expect.any(Number),
        code: 'backpressure',
      });
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
    const counts = await deployment.context.queue.counts();
    expect(counts.waiting + counts.delayed).toBe(500);
    expect((await rows('SELECT count(*)::integer AS n FROM ami_publishes'))[0]?.n).toBe(10);
    expect((await rows('SELECT count(*)::integer AS n FROM ami_publish_batches'))[0]?.n).toBe(500);
  });

  it('gives batches due times no faster than the limit, over all publishes together', async () => {
    const began = performance.now();
    for (let round = 0; round < 3; round += 1)
      await publish({ ...publishBody, meterCount: 2_500, batchSize: 500 });
    const due = await rows('SELECT due_at, meters FROM ami_publish_batches ORDER BY due_at');
    const times = due.map((row) => (row.due_at as Date).getTime());
    expect(times).toHaveLength(15);
    const spanSeconds = ((times.at(-1) as number) - (times[0] as number)) / 1000;
    expect(7_000 / spanSeconds).toBeLessThanOrEqual(2_500);
    const answer = await publish({ ...publishBody, meterCount: 500, batchSize: 500 });
    const elapsedSeconds = (performance.now() - began) / 1000;
    expect(answer.body.estimatedRuntimeSeconds + elapsedSeconds).toBeGreaterThan(2.5);
  });

  it('drops what is older than the retention, whole days at a time, and refuses to publish it', async () => {
    await deployment.close();
    deployment = await createDeployment(backend, { READS_RETENTION_DAYS: '30' });
    const old = new Date(Math.floor(Date.now() / 86_400_000) * 86_400_000 - 29 * 86_400_000);
    const worker = await deployment.startWorker();
    await finished((await publish({ ...publishBody, readAt: old.toISOString() })).body.publishId);
    await worker.stop();
    await deployment.database.pool.query(`SELECT ami_ensure_read_partition(current_date - 40)`);
    await deployment.database.pool.query(
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh)
       VALUES ('${TENANT}', 'ancient', 'FEEDER_1', (current_date - 40)::timestamp AT TIME ZONE 'UTC', 1)`,
    );
    await deployment.startWorker();
    const scale = async () => (await deployment.http.get(`/api/ami/scale/status?tenantId=${TENANT}`)).body;
    // The meters that a drop leaves without a read are forgotten after it, outside its lock.
    await waitFor('the old day to go, then its meter', async () => {
      const { totalReads, totalDistinctMeters } = await scale();
      return totalReads === 600 && totalDistinctMeters === 600;
    });

    const refused = await publish({ ...publishBody, readAt: '2026-01-31T10:00:00Z' });
    expect([refused.status, refused.body.error]).toEqual([
      400,
      expect.stringContaining('the 30 days of reads'),
    ]);
  });

  it('starts anew at once when everything owed has been written', async () => {
    await deployment.startWorker();
    const first = await publish({ ...publishBody, meterCount: 1_000 });
    await finished(first.body.publishId);
    const second = await publish({ ...publishBody, meterCount: 100 });
    expect(second.body.estimatedRuntimeSeconds).toBe(0);
  });
});
