import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeOnBothBackends } from '../support/backends.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { waitFor } from '../support/waitFor.js';

describeOnBothBackends('the worker', (backend) => {
  let deployment: Deployment;
  beforeEach(async () => {
    deployment = await createDeployment(backend);
  });
  afterEach(() => deployment.close());

  const publish = async (body: object): Promise<string> => {
    const answer = await deployment.post('/api/ami/publish-once', {
      tenantId: 'T',
      feederCount: 10,
      ...body,
    });
    expect(answer.status).toBe(202);
    return answer.body.publishId;
  };
  const batches = async (publishId: string) =>
    (
      await deployment.database.pool.query(
        'SELECT batch_number, state, inserted, failure FROM ami_publish_batches WHERE publish_id = $1 ORDER BY 1',
        [publishId],
      )
    ).rows;
  const settled = (publishId: string) =>
    waitFor('the batches', async () => {
      const rows = await batches(publishId);
      return rows.every((row) => row.state !== 'pending') && rows;
    });

  it('gives up a batch that the database refuses for good, says why, and goes on with the others', async () => {
    await deployment.database.pool.query(
      `ALTER TABLE meter_reads_electric ADD CONSTRAINT no_meter_seven CHECK (meter_id <> 'T-MTR-00007')`,
    );
    await deployment.startWorker();
    // Meter 7 is the first of FEEDER_7: one batch of ten.
    const publishId = await publish({ meterCount: 100, batchSize: 10 });
    const rows = await settled(publishId);
    expect(rows.filter((row) => row.state === 'done')).toHaveLength(9);
    expect(rows[6]).toMatchObject({
      state: 'failed',
      inserted: null,
      failure: expect.stringContaining('no_meter_seven'),
    });
    const answer = (await deployment.http.get(`/api/ami/publish/${publishId}`)).body;
    expect(answer).toMatchObject({ state: 'failed', batches: { done: 9, failed: 1, total: 10 } });
    expect(answer.failure).toContain('no_meter_seven');
    expect((await deployment.context.queue.counts()).failed).toBe(1);
  });

  it('shows nothing of what a customer’s trigger says of the reads: the log has it', async () => {
    await deployment.database.pool.query(
      `CREATE FUNCTION refuse_seven() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'the meter of Jane Doe is %', NEW.meter_id USING ERRCODE = '23514'; END $$;
       CREATE TRIGGER refuse_seven BEFORE INSERT ON meter_reads_electric FOR EACH ROW
         WHEN (NEW.meter_id = 'T-MTR-00007') EXECUTE FUNCTION refuse_seven()`,
    );
    await deployment.startWorker();
    const publishId = await publish({ meterCount: 100, batchSize: 10 });
    await settled(publishId);
    const { failure, state } = (await deployment.http.get(`/api/ami/publish/${publishId}`)).body;
    expect(state).toBe('failed');
    expect(failure).toContain('an integrity constraint violation, SQLSTATE 23514');
    expect(failure).not.toMatch(/Jane|MTR/);
    expect(JSON.stringify(deployment.logLines)).toContain('Jane Doe');
  });

  it('refuses a job that is none, without harm to the next', async () => {
    const publishId = await publish({ meterCount: 10, batchSize: 10 });
    await deployment.context.queue.add([
      { payload: { nonsense: true, publishId: 'x', batch: 0 } as never, delayMs: 0, lane: 'live' },
    ]);
    await deployment.startWorker();
    await settled(publishId);
    const line = await waitFor('the log line', async () =>
      deployment.logLines.find((entry) => entry.msg === 'batch given up'),
    );
    expect(JSON.stringify(line)).toContain('is not a batch job');
  });

  it('writes nothing for a batch that was cancelled, or that has been done before', async () => {
    const publishId = await publish({ meterCount: 30, batchSize: 10 });
    await deployment.database.pool.query(
      `UPDATE ami_publish_batches SET state = 'cancelled', finished_at = now() WHERE publish_id = $1 AND batch_number = 1`,
      [publishId],
    );
    await deployment.startWorker();
    const rows = await settled(publishId);
    expect(rows.map((row) => row.inserted)).toEqual([10, null, 10]);
    const { rows: reads } = await deployment.database.pool.query(
      'SELECT count(*)::integer AS n FROM meter_reads_electric',
    );
    expect(reads[0].n).toBe(20);
    await waitFor('the log', async () => deployment.logLines.some((line) => line.alreadyFinished === true));
  });

  it('hands back what waits for its turn when it stops, and the next worker does it', async () => {
    const publishId = await publish({ meterCount: 4_000, batchSize: 500 });
    // A grant far away: whatever is taken has to wait.
    await deployment.database.pool.query(`UPDATE ami_pacing SET start_until = now() + interval '1 h'`);
    const first = await deployment.startWorker();
    await waitFor('a job to be taken', async () => (await deployment.context.queue.counts()).active > 0);
    await first.stop();
    expect((await deployment.context.queue.counts()).active).toBe(0);
    expect((await batches(publishId)).every((row) => row.state === 'pending')).toBe(true);
    await deployment.database.pool.query(`UPDATE ami_pacing SET start_until = '-infinity'`);
    await deployment.startWorker();
    const rows = await settled(publishId);
    expect(rows.every((row) => row.inserted === 500)).toBe(true);
  });

  it('says that it lives, and takes its name back when it stops', async () => {
    const worker = await deployment.startWorker();
    const live = async () => (await deployment.http.get('/api/ami/status?tenantId=T')).body.workers;
    await waitFor('the heartbeat', async () => (await live()).length === 1);
    await worker.stop();
    expect(await live()).toEqual([]);
  });
});
