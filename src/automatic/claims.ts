import type { Queryable } from '../db/db.js';
import type { TenantWindow, WaitingInterval } from './owedIntervals.js';

/** Notes that intervals are owed, so that none is forgotten while it waits. */
export async function noteOwed(
  client: Queryable,
  intervals: readonly { tenantId: string; readAt: Date }[],
): Promise<void> {
  if (intervals.length === 0) return;
  await client.query({
    name: 'note-owed',
    text: `INSERT INTO ami_ticks (tenant_id, read_at)
           SELECT * FROM unnest($1::text[], $2::timestamptz[]) AS owed (tenant_id, read_at)
           WHERE tenant_id IN (SELECT tenant_id FROM ami_auto WHERE enabled FOR SHARE)
           ON CONFLICT (tenant_id, read_at) DO NOTHING`,
    values: [intervals.map(({ tenantId }) => tenantId), intervals.map(({ readAt }) => readAt)],
  });
}

/** How an interval has been taken on. */
export interface Claim extends Pick<WaitingInterval, 'claimedAt' | 'attempts' | 'nextTryAt' | 'failure'> {
  /** Null while it waits. */
  publishId: string | null;
}

/** Whether and how an interval has been taken on; undefined when nobody has asked for it yet. */
export async function findClaim(
  client: Queryable,
  tenantId: string,
  readAt: Date,
): Promise<Claim | undefined> {
  const { rows } = await client.query<Claim>({
    name: 'find-claim',
    text: `SELECT publish_id AS "publishId", claimed_at AS "claimedAt", attempts, next_try_at AS "nextTryAt", failure
           FROM ami_ticks WHERE tenant_id = $1 AND read_at = $2`,
    values: [tenantId, readAt],
  });
  return rows[0];
}

/** Notes that a tick came for an interval of an enabled tenant. Of several ticks the first counts. */
export async function claimInterval(client: Queryable, tenantId: string, readAt: Date): Promise<void> {
  await client.query(
    `INSERT INTO ami_ticks AS tick (tenant_id, read_at, claimed_at)
     SELECT tenant_id, $2, clock_timestamp() FROM ami_auto WHERE tenant_id = $1 AND enabled FOR SHARE
     ON CONFLICT (tenant_id, read_at) DO UPDATE SET claimed_at = excluded.claimed_at WHERE tick.claimed_at IS NULL`,
    [tenantId, readAt],
  );
}

/**
 * Takes an interval: notes the publish that takes it on, unless another than `before` has done so. Of several processes
 * at once one gets true. To be called in the transaction that accepts the publish.
 */
export async function takeInterval(
  client: Queryable,
  tenantId: string,
  readAt: Date,
  before: string | null,
  publishId: string,
): Promise<boolean> {
  const { rowCount } = await client.query({
    name: 'take-interval',
    text: `INSERT INTO ami_ticks AS tick (tenant_id, read_at, publish_id) VALUES ($1, $2, $4)
           ON CONFLICT (tenant_id, read_at) DO UPDATE
             SET publish_id = excluded.publish_id, attempts = 0, next_try_at = NULL, failure = NULL
             WHERE tick.publish_id IS NOT DISTINCT FROM $3::uuid`,
    values: [tenantId, readAt, before, publishId],
  });
  return rowCount === 1;
}

/** Puts off an interval that could not be published. */
export async function putOffInterval(
  client: Queryable,
  tenantId: string,
  readAt: Date,
  until: Date | null,
  failure: string | null,
): Promise<void> {
  await client.query(
    `INSERT INTO ami_ticks AS tick (tenant_id, read_at, attempts, next_try_at, failure) VALUES ($1, $2, 1, $3, $4)
     ON CONFLICT (tenant_id, read_at) DO UPDATE
       SET attempts = tick.attempts + 1, next_try_at = excluded.next_try_at, failure = excluded.failure`,
    [tenantId, readAt, until, failure?.slice(0, 500) ?? null],
  );
}

/** Releases the intervals of a window, to be looked at again: what is wanted of them has changed. */
export async function releaseIntervals(client: Queryable, { tenantId, first }: TenantWindow): Promise<void> {
  await client.query(
    `UPDATE ami_ticks SET publish_id = NULL, attempts = 0, next_try_at = NULL, failure = NULL
     WHERE tenant_id = $1 AND read_at >= $2`,
    [tenantId, first],
  );
}

/** Forgets the claims of a stopped tenant that never became a publish. */
export async function dropWaiting(client: Queryable, tenantId: string): Promise<void> {
  await client.query('DELETE FROM ami_ticks WHERE tenant_id = $1 AND publish_id IS NULL', [tenantId]);
}
