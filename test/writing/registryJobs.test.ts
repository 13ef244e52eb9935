import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { batchJob } from '../../src/contracts/batchJob.js';
import { batchPayload } from '../../src/ledger/batchPayload.js';
import { type OverdueBatch, overdueBatches } from '../../src/ledger/publishLedger.js';
import { describeOnBothBackends } from '../support/backends.js';
import { createPilot, ofFeeder, type Pilot, TENANT } from '../support/pilot.js';

const REGISTRY = { fleet: 'registry', meterCount: undefined, feederCount: undefined };

/** What workers had of jobs before there were registry fleets (0cc2878). */
const formerJob = z.object({
  publishId: z.uuid(),
  batch: z.int().nonnegative(),
  tenantId: z.string().min(1),
  readAt: z.iso.datetime().transform((value) => new Date(value)),
  intervalMinutes: z.union([z.literal(15), z.literal(60)]),
  seed: z.string(),
  fleet: z.object({ meterCount: z.int().positive(), feederCount: z.int().positive() }),
  from: z.int().nonnegative(),
  to: z.int().positive(),
  timeZone: z.string(),
  climate: z.string(),
  onConflict: z.enum(['nothing', 'update']),
  requestId: z.string().optional(),
});

describeOnBothBackends('jobs of registry fleets', (backend) => {
  let pilot: Pilot;
  beforeEach(async () => {
    pilot = await createPilot(backend);
    await sql(`INSERT INTO feeders (tenant_id, feeder_id) VALUES ($1, 'EAST'), ($1, 'WEST')`, [TENANT]);
    await sql(
      `INSERT INTO meters (tenant_id, meter_id, feeder_id)
       SELECT $1, 'M' || lpad(n::text, 2, '0'), CASE WHEN n <= 10 THEN 'EAST' ELSE 'WEST' END FROM generate_series(1, 20) n`,
      [TENANT],
    );
  });
  afterEach(() => pilot.deployment.close());

  const sql = async (text: string, values: unknown[] = []) =>
    (await pilot.deployment.database.pool.query(text, values)).rows;
  const accepted = async (): Promise<OverdueBatch> => {
    const [batch] = await overdueBatches(pilot.deployment.database.pool, 'live', -3_600, 10);
    return batch as OverdueBatch;
  };

  it('are none to a worker from before them, nor is what it would make of the ledger', async () => {
    await pilot.publish();
    const synthetic = await accepted();
    const plain = batchPayload(synthetic, 0);
    expect(formerJob.parse(plain)).toEqual(batchJob.parse(plain));
    await sql('TRUNCATE ami_publishes CASCADE');

    await pilot.publish(REGISTRY);
    const batch = await accepted();
    const payload = batchPayload(batch, 0);
    expect(batchJob.parse(payload)).toMatchObject({ fleetId: batch.snapshotId, meterCount: 20 });
    expect(formerJob.safeParse(payload).success).toBe(false);
    // Its own upkeep puts lost batches back, and knows of the ledger only what it always did.
    const { meterCount, feederCount } = batch;
    const putBack = {
      ...batchPayload({ ...batch, snapshotId: null }, 0),
      fleet: { meterCount, feederCount },
    };
    expect(formerJob.safeParse(putBack).success).toBe(false);
    expect(batchJob.safeParse(putBack).success).toBe(false);
    // Nor is one that says both.
    expect(batchJob.safeParse({ ...plain, ...payload }).success).toBe(false);
  });

  it('write the other meters when one has left a registry that reads refer to, and count it as skipped', async () => {
    await sql(
      `ALTER TABLE meter_reads_electric ADD CONSTRAINT of_a_meter
       FOREIGN KEY (tenant_id, meter_id) REFERENCES meters (tenant_id, meter_id)`,
    );
    const publishId = await pilot.publish({ ...REGISTRY, batchSize: 15 });
    await sql(`DELETE FROM meters WHERE meter_id IN ('M03', 'M20')`);
    await pilot.deployment.startWorker();
    const { rows } = await pilot.finished(publishId);
    expect(rows).toMatchObject({ inserted: 18, skippedByOutage: 2 });
    const before = await pilot.reads();
    expect([before.size, before.has('M03'), before.has('M20')]).toEqual([18, false, false]);

    // A revision too, which has a transaction of its own.
    await sql('DELETE FROM meter_reads_electric');
    const sag = await pilot.event('voltage-sag', { feederId: 'EAST', severity: 1, applyNow: true });
    const revised = await pilot.finished(sag.body.revision.publishId);
    expect(revised.rows).toMatchObject({ inserted: 9, skippedByOutage: 1 });
    expect(ofFeeder(await pilot.reads(), 'EAST').every(({ voltage }) => voltage < 91)).toBe(true);
  });
});
