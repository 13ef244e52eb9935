import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectAsPredicted, untilSettled } from './model/check.js';
import { addEvent, ask, emptyState, readAtOf, settle } from './model/modelState.js';
import { post, postEvent } from './model/realTenant.js';
import { openScene, type Scene } from './scene.js';

const METERS = 20;
const SAG = { type: 'voltage-sag', feeder: 'FEEDER_1', from: 0, to: 1 };
let scene: Scene;
let tenants = 0;

beforeAll(async () => {
  scene = (await openScene({ backend: 'postgres', seed: 'model', apis: 1, workers: 1 })) as Scene;
});
afterAll(() => scene.close());

/** A tenant that has published a quarter hour with a sag on its first feeder, as predicted. */
async function tenant() {
  tenants += 1;
  const state = emptyState(`CHECK-${tenants}`, METERS);
  const { tenantId } = state;
  const startAt = readAtOf(0);
  const id = await postEvent(scene, SAG.type, {
    ...{ tenantId, feederId: SAG.feeder, severity: 1, startAt },
    ...{ durationMinutes: 14 },
  });
  addEvent(state, { id, ...SAG });
  ask(state, startAt, true);
  await post(scene, 'publish-once', { tenantId, meterCount: METERS, feederCount: 10, readAt: startAt });
  state.accepted += 1;
  state.sent += 1;
  await untilSettled(state, scene);
  settle(state);
  await expectAsPredicted(state, scene);
  return state;
}

const READ = '(SELECT min(meter_id) FROM meter_reads_electric WHERE tenant_id = $1 AND feeder_id';
/** What no deployment may do, done by hand, and what is then said. */
const WRONGS: Record<string, [statement: string, said: RegExp]> = {
  'a read is lost': [
    `DELETE FROM meter_reads_electric WHERE tenant_id = $1 AND meter_id = ${READ} = 'FEEDER_2')`,
    /has 19 reads, 20 are right/,
  ],
  'a read is there that nobody asked for': [
    `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh)
     VALUES ($1, 'X', 'FEEDER_2', '2026-01-10T03:00:00Z', 1)`,
    /nobody asked for 2026-01-10T03:00/,
  ],
  'a read does not show the sag': [
    `UPDATE meter_reads_electric SET voltage = 230 WHERE tenant_id = $1 AND meter_id = ${READ} = 'FEEDER_1')`,
    /FEEDER_1 at .* are not sagged/,
  ],
  'a read of another feeder shows it': [
    `UPDATE meter_reads_electric SET voltage = 90 WHERE tenant_id = $1 AND meter_id = ${READ} = 'FEEDER_2')`,
    /FEEDER_2 at .* are not usual/,
  ],
  'a batch is given up': [
    `UPDATE ami_publish_batches SET state = 'failed', failure = 'by hand' WHERE tenant_id = $1`,
    /batches were given up/,
  ],
  'a read is counted twice': [
    `UPDATE ami_publish_batches SET inserted = inserted + 1, meters = meters + 1 WHERE tenant_id = $1 AND inserted > 0`,
    /21 reads counted as new, 20 are there/,
  ],
  'an event is lost': ['DELETE FROM ami_events WHERE tenant_id = $1', /events {2}instead of/],
};

it.each(Object.entries(WRONGS))('the model of a tenant notices when %s', async (_name, [statement, said]) => {
  const state = await tenant();
  await scene.pool().query(statement, [state.tenantId]);
  await expect(expectAsPredicted(state, scene)).rejects.toThrow(said);
});

it('the model of a tenant notices a publish that was accepted and is not there', async () => {
  const state = await tenant();
  state.accepted += 1;
  state.sent += 1;
  await expect(expectAsPredicted(state, scene)).rejects.toThrow(
    /1 publishes in the ledger, 2 accepted of 2 sent/,
  );
});
