import type { Lane } from '../contracts/batchJob.js';
import type { Queryable } from '../db/db.js';
import { boundWaits, requestWaits, takeLock } from '../db/locks.js';

/** Takes the lock under which publishes are admitted: depth, pace and ledger are one step across all processes. */
export async function lockAdmission(client: Queryable): Promise<void> {
  await boundWaits(client, requestWaits());
  await takeLock(client, 'admission');
}

/**
 * Reserves due times for `reads` live reads after everything promised before; answers when the first of them is
 * due, in ms from now by the database's clock. Nothing is promised to the background.
 */
export async function reserveDueTime(
  client: Queryable,
  reads: number,
  readsPerSecond: number,
): Promise<number> {
  const { rows } = await client.query<{ due_in_ms: number }>(
    'SELECT ami_reserve_due_time($1, $2) AS due_in_ms',
    [reads, readsPerSecond],
  );
  return rows[0]?.due_in_ms ?? 0;
}

/**
 * Forgets the due times promised to live batches. To be called when none is owed, so that the next may start at once.
 */
export async function releaseDueTime(client: Queryable): Promise<void> {
  await client.query(`UPDATE ami_pacing SET due_until = '-infinity'`);
}

/** A permission to start one batch at a certain instant. */
export interface StartGrant {
  waitMs: number;
  /** Opaque; handed back when the grant could not be used in time. */
  from: string;
  until: string;
  /** The database's clock at the decision. */
  decidedAt: Date;
}

/**
 * Takes the next start under the deployment's read limit; see `ami_grant_lane_start`. Undefined, with nothing taken,
 * for a background batch while live work is due or when the next start is more than `aheadMs` off.
 */
export async function grantStart(
  database: Queryable,
  lane: Lane,
  reads: number,
  readsPerSecond: number,
  creditMs: number,
  aheadMs: number,
  unused?: StartGrant,
): Promise<StartGrant | undefined> {
  const { rows } = await database.query<{
    wait_ms: number | null;
    granted: string;
    until: string;
    decided_at: Date;
  }>({
    name: 'grant-lane-start',
    text: `SELECT wait_ms, granted_from::text AS granted, granted_until::text AS until, decided_at
           FROM ami_grant_lane_start($1, $2, $3, $4, $5, $6, $7)`,
    values: [
      lane === 'background',
      reads,
      readsPerSecond,
      creditMs,
      aheadMs,
      unused?.from ?? null,
      unused?.until ?? null,
    ],
  });
  const row = rows[0] as (typeof rows)[number];
  if (row.wait_ms === null) return undefined;
  return { waitMs: row.wait_ms, from: row.granted, until: row.until, decidedAt: row.decided_at };
}
