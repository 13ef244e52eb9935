import { waitFor } from '../../support/waitFor.js';
import type { Scene } from '../scene.js';
import type { ModelState, Slot } from './modelState.js';
import { listEvents } from './realTenant.js';

/** Reads of a quarter hour of the database, by feeder. */
interface Found {
  readAt: string;
  feeder: string;
  reads: number;
  lowest: number;
  highest: number;
}

/** A sag of severity 1 is at 90 V, give or take 0.5; usual voltages are far above. */
const SAGGED_BELOW = 95;
/** A tenant may take so long until nothing is owed to it, ms. */
export const SETTLE_MS = 120_000;

/** Waits until nothing is owed to the tenant, and takes over what its backfills have become. */
export async function untilSettled(state: ModelState, scene: Scene): Promise<void> {
  const certain = (): string[] =>
    [...state.slots].filter(([, slot]) => slot.isCertain).map(([readAt]) => readAt);
  await waitFor(
    `tenant ${state.tenantId} to be owed nothing`,
    async () => {
      const { rows } = await scene.pool().query<{ owed: number; open: number; there: number }>(
        `SELECT (SELECT count(*)::integer FROM ami_publish_batches WHERE tenant_id = $1 AND state = 'pending') AS owed,
           (SELECT count(*)::integer FROM ami_backfills WHERE tenant_id = $1 AND is_open) AS open,
           (SELECT count(DISTINCT read_at)::integer FROM meter_reads_electric
            WHERE tenant_id = $1 AND read_at = ANY ($2::timestamptz[])) AS there`,
        [state.tenantId, certain()],
      );
      const [found] = rows;
      return found?.owed === 0 && found.open === 0 && found.there === certain().length;
    },
    SETTLE_MS,
  );
  for (const { readAts, isCancelled } of state.backfills)
    if (!isCancelled) for (const readAt of readAts) (state.slots.get(readAt) as Slot).isCertain = true;
}

/** @throws where the tenant does not hold what the model says. */
export async function expectAsPredicted(state: ModelState, scene: Scene): Promise<void> {
  const { tenantId, meters } = state;
  const { rows: reads } = await scene.pool().query<Found>(
    `SELECT to_char(read_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS".000Z"') AS "readAt", feeder_id AS feeder,
       count(*)::integer AS reads, min(voltage)::float8 AS lowest, max(voltage)::float8 AS highest
     FROM meter_reads_electric WHERE tenant_id = $1 GROUP BY read_at, feeder_id`,
    [tenantId],
  );
  const troubles: string[] = [];
  for (const [readAt, slot] of state.slots) {
    const own = reads.filter((found) => found.readAt === readAt);
    const count = own.reduce((sum, found) => sum + found.reads, 0);
    if (count > meters || (slot.isCertain && count !== meters))
      troubles.push(`${readAt} has ${count} reads, ${slot.isCertain ? '' : 'up to '}${meters} are right`);
    for (const found of own) {
      const wanted = slot.voltages.get(found.feeder) ?? 'usual';
      const isWrong =
        (wanted === 'usual' && found.lowest < SAGGED_BELOW) ||
        (wanted === 'sagged' && found.highest > SAGGED_BELOW);
      if (isWrong)
        troubles.push(
          `${found.feeder} at ${readAt}: ${found.lowest} to ${found.highest} V are not ${wanted}`,
        );
    }
  }
  const unasked = reads.filter(({ readAt }) => !state.slots.has(readAt));
  // The clock may have gone over boundaries while the automatic mode ran.
  for (const { readAt } of unasked)
    if (Date.now() - new Date(readAt).getTime() > 3_600_000 || state.slots.size === 0)
      troubles.push(`nobody asked for ${readAt}`);
  troubles.push(...(await ledgerTroubles(state, scene)), ...(await eventTroubles(state, scene)));
  if (troubles.length > 0) throw new Error(`${tenantId}: ${troubles.slice(0, 5).join('; ')}`);
}

async function ledgerTroubles({ tenantId, accepted, sent }: ModelState, scene: Scene): Promise<string[]> {
  const { rows } = await scene
    .pool()
    .query<{ publishes: number; failed: number; inserted: number; reads: number }>(
      `SELECT (SELECT count(*)::integer FROM ami_publishes WHERE tenant_id = $1 AND origin = 'manual') AS publishes,
       (SELECT count(*)::integer FROM meter_reads_electric WHERE tenant_id = $1) AS reads,
       count(*) FILTER (WHERE state = 'failed')::integer AS failed, coalesce(sum(inserted), 0)::integer AS inserted
     FROM ami_publish_batches WHERE tenant_id = $1`,
      [tenantId],
    );
  const [ledger] = rows;
  if (ledger === undefined) throw new Error('a count is always answered');
  return [
    ...(ledger.publishes < accepted || ledger.publishes > sent
      ? [`${ledger.publishes} publishes in the ledger, ${accepted} accepted of ${sent} sent`]
      : []),
    ...(ledger.failed > 0 ? [`${ledger.failed} batches were given up`] : []),
    ...(ledger.inserted === ledger.reads
      ? []
      : [`${ledger.inserted} reads counted as new, ${ledger.reads} are there`]),
  ];
}

async function eventTroubles({ tenantId, events }: ModelState, scene: Scene): Promise<string[]> {
  const listed = await listEvents(scene, tenantId);
  const shown = (all: { id: string; feeder: string; type: string }[]): string =>
    all
      .map(({ id, feeder, type }) => `${id} ${type} ${feeder}`)
      .toSorted()
      .join();
  const found = shown(
    listed.map(({ id, feederId, eventType }) => ({ id, feeder: feederId, type: eventType })),
  );
  return found === shown(events) ? [] : [`events ${found} instead of ${shown(events)}`];
}
