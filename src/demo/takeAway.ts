import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '../contracts/errors.js';
import type { Database, Queryable } from '../db/db.js';
import { forgetMetersWithoutReads } from '../reads/partitionUpkeep.js';
import type { SchemaMapping } from '../schema/mapping.js';
import { DEMO_TENANT } from './demoPlan.js';

/** Two days of so many meters are some 10,000 reads, which one statement deletes in a second. */
const METERS_A_STEP = 50;
const PUBLISHES_A_STEP = 100;
/** For how long batches that were accepted may take to be written. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 500;
const FORGETTING_MS = 60_000;

/**
 * Deletes every row of the demo's tenant, after `stopDemo`, in the order of what names what, in statements of bounded
 * size. Cut off, it is to be run again: publishes, by which reads are known as made here, go after the reads.
 *
 * The one place where a tenant is deleted: rooms forget by age, never by tenant.
 *
 * @throws StartupError where the reads are in a customer's table, of which no row is deleted; or where what was accepted
 * is not written, since a batch that is written later would bring reads back.
 */
export async function takeDemoAway(database: Database, { reads }: SchemaMapping): Promise<{ reads: number }> {
  if (!reads.own)
    throw new StartupError(
      `The table of reads is not one that GridLens made, and nothing is deleted from it: delete the reads of tenant ${DEMO_TENANT} there yourself.`,
    );
  await waitForBatches(database);
  const deleted = await deleteReads(database);
  await forgetMetersWithoutReads(database, performance.now() + FORGETTING_MS);
  for (const table of ROLLUPS) await deleteOwn(database, table);
  await deleteOwn(database, 'ami_backfills');
  await deleteOwn(database, 'ami_ticks');
  await deletePublishes(database);
  for (const table of REST) await deleteOwn(database, table);
  return { reads: deleted };
}

type Table = (typeof ROLLUPS | typeof REST)[number] | 'ami_backfills' | 'ami_ticks';

/** What the deleted reads have left of themselves: rows that count nothing. */
const ROLLUPS = ['ami_feeder_intervals', 'ami_feeder_days', 'ami_meter_anomalies'] as const;
const REST = ['ami_pruned_days', 'ami_events', 'ami_auto'] as const;

async function deleteOwn(database: Queryable, table: Table): Promise<void> {
  await database.query(`DELETE FROM ${table} WHERE tenant_id = $1`, [DEMO_TENANT]);
}

async function waitForBatches(database: Queryable): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const { rows } = await database.query<{ pending: boolean }>(
      `SELECT EXISTS (SELECT FROM ami_publish_batches WHERE tenant_id = $1 AND state = 'pending') AS pending`,
      [DEMO_TENANT],
    );
    if (!rows[0]?.pending) return;
    if (performance.now() > giveUpAt)
      throw new StartupError(
        'Reads of the demo that were accepted are still to be written: look whether a worker runs (npm run doctor), and run this again.',
      );
    await sleep(LOOK_EVERY_MS);
  }
}

/** By meter, as the table's key has them: by interval alone each step would look through whole days of every tenant. */
async function deleteReads(database: Queryable): Promise<number> {
  let deleted = 0;
  let after = '';
  for (;;) {
    const { rows } = await database.query<{ meters: string[] | null }>(
      `SELECT array_agg(meter_id) AS meters FROM (
         SELECT meter_id FROM ami_known_meters WHERE tenant_id = $1 AND meter_id > $2
         ORDER BY meter_id LIMIT $3) step`,
      [DEMO_TENANT, after, METERS_A_STEP],
    );
    const meters = rows[0]?.meters ?? [];
    const last = meters.at(-1);
    if (last === undefined) return deleted;
    const { rowCount } = await database.query(
      'DELETE FROM meter_reads_electric WHERE tenant_id = $1 AND meter_id = ANY ($2)',
      [DEMO_TENANT, meters],
    );
    deleted += rowCount ?? 0;
    after = last;
  }
}

/** With their batches, which the database deletes with them. */
async function deletePublishes(database: Queryable): Promise<void> {
  for (;;) {
    const { rowCount } = await database.query(
      `DELETE FROM ami_publishes WHERE publish_id IN (
         SELECT publish_id FROM ami_publishes WHERE tenant_id = $1 LIMIT $2)`,
      [DEMO_TENANT, PUBLISHES_A_STEP],
    );
    if ((rowCount ?? 0) === 0) return;
  }
}
