import { Redis } from 'ioredis';
import { afterEach, expect, it } from 'vitest';
import { batchPayload } from '../../src/ledger/batchPayload.js';
import { type PublishRecord, recordPublishes } from '../../src/ledger/publishLedger.js';
import { createAdmission } from '../../src/publishing/admission.js';
import { restoreLostBatches } from '../../src/publishing/lostBatches.js';
import { describeOnBothBackends } from '../support/backends.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { syntheticPublish } from '../support/publishRecords.js';
import { startOwnRedis, type TestRedis } from '../support/redisServer.js';
import { waitFor } from '../support/waitFor.js';

const TENANT = 'T';
const BATCHES = 20;
const SIZE = 25;

/** A backfill's batches of 25 meters, twenty of which share a job: nothing lost, nothing twice, no limit broken. */
describeOnBothBackends('a job of several batches', (backend) => {
  let deployment: Deployment;
  let redis: TestRedis | undefined;
  const open = async (env: Record<string, string> = {}) => {
    redis = backend === 'redis' ? await startOwnRedis() : undefined;
    deployment = await createDeployment(backend, { ...env, ...(redis ? { REDIS_URL: redis.url } : {}) });
  };
  afterEach(async () => {
    await deployment.close();
    await redis?.stop();
  });

  const sql = async (text: string, values: unknown[] = []) =>
    (await deployment.database.pool.query(text, values)).rows;
  const backfilled = (): PublishRecord =>
    syntheticPublish({
      ...{ tenantId: TENANT, readAt: new Date('2026-05-20T00:00:00Z'), meterCount: BATCHES * SIZE },
      ...{ batchSize: SIZE, lane: 'background', origin: 'backfill' },
    });
  const admit = async (): Promise<PublishRecord> => {
    const publish = backfilled();
    const { database, queue, config } = deployment.context;
    const onEnqueueFailed = (error: Error) => {
      throw error;
    };
    const { maxReadsPerSecond } = config;
    await createAdmission({ database, queue, maxReadsPerSecond, onEnqueueFailed }).admit(publish);
    return publish;
  };
  const batches = () =>
    sql('SELECT batch_number AS number, state, inserted, failure FROM ami_publish_batches ORDER BY 1');
  const done = async () => (await batches()).filter(({ state }) => state === 'done').length;
  const settled = () =>
    waitFor('the batches', async () => {
      const rows = await batches();
      return rows.every(({ state }) => state !== 'pending') && rows;
    });
  const expectEachOnce = async () => {
    expect((await settled()).map(({ state, inserted }) => [state, inserted])).toEqual(
      Array.from({ length: BATCHES }, () => ['done', SIZE]),
    );
    expect(await reads()).toBe(BATCHES * SIZE);
  };
  const reads = async (): Promise<number> =>
    (await sql('SELECT count(*)::integer AS n FROM meter_reads_electric'))[0]?.n;
  const queued = async (): Promise<number> => {
    const { waiting, delayed, active } = await deployment.context.queue.counts();
    return waiting + delayed + active;
  };

  it('is one job, and each of its batches is written, paced, recorded and logged by itself', async () => {
    await open();
    await admit();
    expect(await queued()).toBe(1);
    await deployment.startWorker();
    await expectEachOnce();
    const [paced] = await sql(
      `SELECT count(DISTINCT started_at)::integer AS starts,
           extract(epoch FROM max(started_at) - min(started_at))::double precision AS seconds
         FROM ami_publish_batches`,
    );
    expect(paced.starts).toBe(BATCHES);
    // 475 reads lie before the last start; a missed start may be made up for by 50 ms.
    expect(paced.seconds).toBeGreaterThan((475 / 2_500) * 0.5);
    const lines = await waitFor('the log', async () => {
      const written = deployment.logLines.filter(({ msg }) => msg === 'batch written');
      return written.length === BATCHES && written;
    });
    expect(lines.map(({ batch }) => batch)).toEqual(Array.from({ length: BATCHES }, (_, batch) => batch));
    expect(lines.every(({ insertCount }) => insertCount === SIZE)).toBe(true);
  });

  it('gives up a batch that is refused for good, and the others are written', async () => {
    await open();
    await sql(
      `ALTER TABLE meter_reads_electric ADD CONSTRAINT no_meter_seven CHECK (meter_id <> 'T-MTR-00007')`,
    );
    await admit();
    await deployment.startWorker();
    const rows = await settled();
    expect(rows.filter(({ state }) => state === 'done')).toHaveLength(BATCHES - 1);
    const failed = rows.filter(({ state }) => state === 'failed');
    expect(failed).toEqual([expect.objectContaining({ failure: expect.stringContaining('no_meter_seven') })]);
    expect(await reads()).toBe((BATCHES - 1) * SIZE);
    await waitFor('the job', async () => (await deployment.context.queue.counts()).failed === 1);
  });

  it('is put back as one when the queue has lost it', async () => {
    await open();
    const { database, queue } = deployment.context;
    await admit();
    await sql(`UPDATE ami_publish_batches SET due_at = now() - interval '1 min'`);
    expect(await restoreLostBatches(database, queue)).toBe(0);
    await wipe();
    expect(await restoreLostBatches(database, queue)).toBe(1);
    expect(await restoreLostBatches(database, queue)).toBe(0);
    expect(await queued()).toBe(1);
    await deployment.startWorker();
    await expectEachOnce();
  });

  it('carries what is owed beside the jobs of single batches that an earlier version left', async () => {
    await open();
    const { database, queue } = deployment.context;
    const publish = backfilled();
    await sql('SELECT ami_ensure_read_partition($1)', ['2026-05-20']);
    await recordPublishes(
      database,
      [publish],
      Array.from({ length: BATCHES }, (_, number) => ({
        ...{ publishId: publish.publishId, number, tenantId: TENANT, meters: SIZE, dueInMs: -60_000 },
      })),
    );
    await queue.add(
      [0, 3].map((batch) => ({
        payload: batchPayload(publish, batch),
        lane: 'background' as const,
        delayMs: 0,
      })),
    );
    // Batch 0's job has the name of the one that carries all: the others are put back once it is over.
    expect(await restoreLostBatches(database, queue)).toBe(0);
    await deployment.startWorker();
    await waitFor('the two', async () => (await done()) >= 2);
    await waitFor('the rest', async () => {
      await restoreLostBatches(database, queue);
      return (await done()) === BATCHES;
    });
    await expectEachOnce();
  });

  /** 25 reads per 0.26 s: time to do something in the middle. */
  const begin = async () => {
    await open({ MAX_READS_PER_SECOND: '100' });
    const publish = await admit();
    const worker = await deployment.startWorker();
    await waitFor('some batches', async () => (await done()) >= 4);
    return { publish, worker };
  };

  it('writes no batch further once they are cancelled in the middle', async () => {
    const { publish } = await begin();
    const cancelled = await sql(
      `UPDATE ami_publish_batches SET state = 'cancelled', finished_at = now()
         WHERE publish_id = $1 AND state = 'pending' RETURNING batch_number`,
      [publish.publishId],
    );
    expect(cancelled.length).toBeGreaterThan(0);
    await waitFor('the job', async () => (await queued()) === 0);
    expect(await reads()).toBe((BATCHES - cancelled.length) * SIZE);
    expect(await done()).toBe(BATCHES - cancelled.length);
  });

  it('is handed back in the middle by a worker that stops, and the next one writes the rest', async () => {
    const { worker } = await begin();
    await worker.stop();
    expect(await done()).toBeLessThan(BATCHES);
    expect(await queued()).toBe(1);
    const before = deployment.logLines.filter(({ msg }) => msg === 'batch written');
    expect(before.length).toBe(await done());
    await deployment.startWorker();
    await expectEachOnce();
  });

  async function wipe(): Promise<void> {
    if (!redis) {
      await sql('DELETE FROM bullmq.job');
      return;
    }
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
  }
});
