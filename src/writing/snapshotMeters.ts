import { LRUCache } from 'lru-cache';
import type { BatchJob } from '../contracts/batchJob.js';
import type { Queryable } from '../db/db.js';
import type { FeederEvent } from '../emulator/events/feederEvent.js';
import type { RegistryBatch } from '../emulator/fleet/registryMeters.js';
import { publishedSpans, snapshotBatch, snapshotMeters } from '../registry/snapshots.js';
import type { RegistryMeters } from './amiEmulator.js';

/**
 * Meters kept per process: four whole fleets, 27 MB with what the emulator keeps for each meter. The batches of the
 * next interval then look none up again; without this cache the write path reached 0.84 of its rate.
 */
const MAX_METERS_KEPT = 100_000;

/** Looks up the meters of jobs whose fleet is a registry's; the synthetic fleet's are worked out. */
export interface SnapshotMeters {
  /** The meters at a job's positions. */
  of(client: Queryable, job: BatchJob): Promise<RegistryBatch | undefined>;
}

/** A snapshot never changes, so what was read once stays true. */
export function createSnapshotMeters(maxMeters = MAX_METERS_KEPT): SnapshotMeters {
  const kept = new LRUCache<string, RegistryBatch>({ maxSize: maxMeters });
  return {
    async of(client, { fleetId, from, to }) {
      if (fleetId === undefined) return undefined;
      const key = `${fleetId} ${from} ${to}`;
      const found = kept.get(key);
      if (found !== undefined) return found;
      const batch = await snapshotBatch(client, fleetId, from, to);
      kept.set(key, batch, { size: to - from });
      return batch;
    },
  };
}

/** A registry batch with all that these events need to know of its feeders. */
export async function registryMeters(
  client: Queryable,
  { fleetId, meterCount }: BatchJob,
  batch: RegistryBatch | undefined,
  events: readonly FeederEvent[],
): Promise<RegistryMeters | undefined> {
  if (batch === undefined || fleetId === undefined) return undefined;
  const feeders = new Set(
    events.filter(({ meterFraction }) => meterFraction !== null).map((event) => event.feederId),
  );
  const metersOf = new Map<string, string[]>();
  if (feeders.size > 0) {
    for (const span of await publishedSpans(client, { snapshotId: fleetId, meterCount, feederCount: 0 })) {
      if (feeders.has(span.feederId))
        metersOf.set(span.feederId, await snapshotMeters(client, fleetId, span));
    }
  }
  return { batch, metersOfFeeder: (id) => metersOf.get(id) ?? [] };
}
