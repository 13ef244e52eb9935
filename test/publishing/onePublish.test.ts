import { expect, it } from 'vitest';
import { createDeployment } from '../support/deployment.js';
import { waitFor } from '../support/waitFor.js';

/** The whole way once, for `npm run test:quick`: request, ledger, queue in Postgres, worker, reads. */
it('one publish comes through, and the same again adds nothing', async () => {
  const deployment = await createDeployment('postgres');
  try {
    await deployment.startWorker();
    const body = { tenantId: 'QUICK', meterCount: 50, feederCount: 10, batchSize: 25 };
    const readAt = new Date('2026-06-01T10:00:00Z').toISOString();
    for (const expected of [
      { inserted: 50, duplicate: 0 },
      { inserted: 0, duplicate: 50 },
    ]) {
      const accepted = await deployment.post('/api/ami/publish-once', { ...body, readAt }).expect(202);
      const done = await waitFor('the publish', async () => {
        const { body: progress } = await deployment.http.get(`/api/ami/publish/${accepted.body.publishId}`);
        return progress.state === 'done' && progress;
      });
      expect(done.rows).toMatchObject(expected);
    }
    const { rows } = await deployment.database.pool.query(
      `SELECT count(*)::integer AS reads, count(DISTINCT feeder_id)::integer AS feeders
       FROM meter_reads_electric WHERE tenant_id = 'QUICK' AND read_at = $1`,
      [readAt],
    );
    expect(rows).toEqual([{ reads: 50, feeders: 10 }]);
  } finally {
    await deployment.close();
  }
});
