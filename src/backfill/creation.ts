import type { FleetSettings } from '../contracts/fleetSettings.js';
import type { Queryable } from '../db/db.js';
import { boundWaits, requestWaits, takeLock } from '../db/locks.js';
import { emulationValues } from '../ledger/emulationColumns.js';
import type { NewBackfill } from './cursor.js';

/** Takes the one lock under which a tenant's backfills are created; the wait is no longer than an answer may take. */
export async function lockBackfills(client: Queryable, tenantId: string): Promise<void> {
  await boundWaits(client, { lockMs: requestWaits().lockMs });
  await takeLock(client, 'backfill', tenantId);
}

/** The backfill under way of the same settings that covers the span; undefined when there is none. */
export async function coveringBackfill(
  client: Queryable,
  wanted: FleetSettings & { from: Date; to: Date },
): Promise<string | undefined> {
  const { rows } = await client.query<{ backfillId: string }>(
    `SELECT backfill_id AS "backfillId" FROM ami_backfills
     WHERE tenant_id = $1 AND state = 'active' AND finished_at IS NULL AND from_at <= $2 AND to_at >= $3
       AND (interval_minutes, batch_size, fleet, time_zone, climate) = ($4, $5, $6, $7, $8)
       AND meter_count IS NOT DISTINCT FROM $9 AND feeder_count IS NOT DISTINCT FROM $10
       AND seed IS NOT DISTINCT FROM $11
       AND (model, der, network, customers) = ($12, $14::jsonb, $15::jsonb, $16::jsonb) AND place IS NOT DISTINCT FROM $13
     ORDER BY accepted_at LIMIT 1`,
    [
      wanted.tenantId,
      wanted.from,
      wanted.to,
      wanted.intervalMinutes,
      wanted.batchSize,
      wanted.fleet,
      wanted.timeZone,
      wanted.climate,
      wanted.meterCount,
      wanted.feederCount,
      wanted.seed,
      ...emulationValues(wanted.emulation),
    ],
  );
  return rows[0]?.backfillId;
}

/** Records a backfill with its cursor on the newest interval. */
export async function insertBackfill(client: Queryable, backfill: NewBackfill): Promise<void> {
  await client.query(
    `INSERT INTO ami_backfills (backfill_id, tenant_id, from_at, to_at, interval_minutes, batch_size, meter_count,
       feeder_count, fleet, seed, time_zone, climate, request_id, interval_meters, interval_batches, cursor_at,
       model, place, der, network, customers)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
       $4::timestamptz - $5::smallint * interval '1 min', $16, $17, $18, $19, $20)`,
    [
      backfill.backfillId,
      backfill.tenantId,
      backfill.from,
      backfill.to,
      backfill.intervalMinutes,
      backfill.batchSize,
      backfill.meterCount,
      backfill.feederCount,
      backfill.fleet,
      backfill.seed,
      backfill.timeZone,
      backfill.climate,
      backfill.requestId,
      backfill.intervalMeters,
      backfill.intervalBatches,
      ...emulationValues(backfill.emulation),
    ],
  );
}
