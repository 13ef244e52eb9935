import pg from 'pg';
import { type Database, type Queryable, withTransaction } from '../db/db.js';
import { boundWaits, takeLock } from '../db/locks.js';
import { type RegistryBatch, syntheticFeederCount } from '../emulator/fleet/registryMeters.js';
import {
  type FeederSpan,
  feederSpans,
  meterIdPrefix,
  type SyntheticFleet,
} from '../emulator/fleet/syntheticFleet.js';
import type { RegistryMapping } from '../schema/mapping.js';
import { type RegistrySurvey, registryRoster, SURVEY_COLUMNS } from './survey.js';

/** A registry as it is, with its snapshot; null when there is nothing to publish. */
export interface StoredSnapshot {
  survey: RegistrySurvey;
  snapshotId: string | null;
}

/**
 * The snapshot of a surveyed registry. It is taken now unless there is one like it. Processes take snapshots of one
 * tenant in turn, so that a registry has one snapshot: whoever comes second only looks it up.
 */
export async function storedSnapshot(
  database: Database,
  registry: RegistryMapping,
  tenantId: string,
  survey: RegistrySurvey,
): Promise<StoredSnapshot> {
  if (survey.fingerprint === null) return { survey, snapshotId: null };
  const found = await findSnapshot(database, tenantId, survey.fingerprint);
  if (found !== undefined) return { survey, snapshotId: found };
  return withTransaction(database, async (client) => {
    await takeLock(client, 'fleet', tenantId);
    const meanwhile = await findSnapshot(client, tenantId, survey.fingerprint);
    if (meanwhile !== undefined) return { survey, snapshotId: meanwhile };
    return takeSnapshot(client, registry, tenantId);
  });
}

async function findSnapshot(
  client: Queryable,
  tenantId: string,
  fingerprint: string | null,
): Promise<string | undefined> {
  const { rows } = await client.query<{ snapshotId: string }>(
    `SELECT fleet_id AS "snapshotId" FROM ami_fleets WHERE tenant_id = $1 AND fingerprint = $2`,
    [tenantId, fingerprint],
  );
  return rows[0]?.snapshotId;
}

/**
 * Surveys the registry again in the statement that stores the snapshot, since the registry may have changed meanwhile.
 */
async function takeSnapshot(
  client: Queryable,
  registry: RegistryMapping,
  tenantId: string,
): Promise<StoredSnapshot> {
  const { rows } = await client.query<RegistrySurvey & { snapshotId: string | null }>(
    `WITH ${registryRoster(registry)}, fleet AS (
       INSERT INTO ami_fleets (tenant_id, fingerprint, meter_count, feeder_count)
       SELECT $1, fingerprint, roster_meters, json_array_length(spans) FROM survey WHERE roster_meters > 0
       ON CONFLICT ON CONSTRAINT ami_fleets_once DO NOTHING RETURNING fleet_id
     ), stored_meters AS (
       INSERT INTO ami_fleet_meters (fleet_id, position, feeder_id, meter_id)
       SELECT fleet_id, position, feeder_id, meter_id FROM fleet CROSS JOIN roster ORDER BY position
     ), stored_feeders AS (
       INSERT INTO ami_fleet_feeders (fleet_id, feeder_id, range_from, range_to)
       SELECT fleet_id, feeder_id, range_from, range_to FROM fleet CROSS JOIN span
     )
     SELECT ${SURVEY_COLUMNS}, fleet_id AS "snapshotId" FROM survey LEFT JOIN fleet ON true`,
    [tenantId],
  );
  const { snapshotId, ...survey } = rows[0] as (typeof rows)[number];
  if (snapshotId !== null) await countSyntheticFeeders(client, tenantId, snapshotId);
  const known = snapshotId ?? (await findSnapshot(client, tenantId, survey.fingerprint));
  // The snapshot that stood in the way was deleted between the two statements.
  if (known === undefined && survey.fingerprint !== null) return takeSnapshot(client, registry, tenantId);
  return { survey, snapshotId: known ?? null };
}

/** How long a snapshot stays that no publish names: a publish may have looked it up and be about to name it. */
const KEPT_UNNAMED = '1 hour';

/**
 * At most `limit` snapshots that no publish names, older than an hour and not the latest of their tenant. A registry
 * that changes twice between two publishes leaves one, and so does a publish that is refused.
 */
export async function unnamedSnapshots(client: Queryable, limit: number): Promise<string[]> {
  const { rows } = await client.query<{ snapshotId: string }>(
    `SELECT fleet_id AS "snapshotId" FROM ami_fleets fleet
     WHERE created_at < now() - $2::interval
       AND EXISTS (SELECT FROM ami_fleets later
                   WHERE later.tenant_id = fleet.tenant_id AND later.fleet_id > fleet.fleet_id)
       AND NOT EXISTS (SELECT FROM ami_publishes publish WHERE publish.fleet_id = fleet.fleet_id)
     ORDER BY fleet_id LIMIT $1`,
    [limit, KEPT_UNNAMED],
  );
  return rows.map(({ snapshotId }) => snapshotId);
}

/**
 * Deletes a snapshot with its meters, unless a publish names it or is about to. The lock makes a later publish wait,
 * which then finds no such snapshot.
 *
 * @returns whether it was deleted.
 */
export function deleteUnnamedSnapshot(database: Database, snapshotId: string): Promise<boolean> {
  return withTransaction(database, async (client) => {
    // A process that freezes before its commit would keep that publish waiting.
    await boundWaits(client, { frozenMs: 5_000 });
    const { rowCount: locked } = await client.query(
      'SELECT FROM ami_fleets WHERE fleet_id = $1 FOR UPDATE SKIP LOCKED',
      [snapshotId],
    );
    if (locked === 0) return false;
    // A separate statement, which sees what was committed before the lock was taken.
    const { rowCount: deleted } = await client.query(
      `DELETE FROM ami_fleets WHERE fleet_id = $1
         AND NOT EXISTS (SELECT FROM ami_publishes publish WHERE publish.fleet_id = $1)`,
      [snapshotId],
    );
    if (deleted === 0) return false;
    await client.query('DELETE FROM ami_fleet_meters WHERE fleet_id = $1', [snapshotId]);
    return true;
  });
}

async function countSyntheticFeeders(client: Queryable, tenantId: string, snapshotId: string): Promise<void> {
  const { rows } = await client.query<{ meterId: string; feederId: string }>(
    `SELECT meter_id AS "meterId", feeder_id AS "feederId" FROM ami_fleet_meters
     WHERE fleet_id = $1 AND starts_with(meter_id, $2)`,
    [snapshotId, meterIdPrefix(tenantId)],
  );
  const count = syntheticFeederCount(tenantId, rows);
  if (count !== null)
    await client.query('UPDATE ami_fleets SET synthetic_feeder_count = $2 WHERE fleet_id = $1', [
      snapshotId,
      count,
    ]);
}

/**
 * The meters at positions `[from, to)` of a snapshot's roster.
 *
 * @throws Error when they are not all there.
 */
export async function snapshotBatch(
  client: Queryable,
  snapshotId: string,
  from: number,
  to: number,
): Promise<RegistryBatch> {
  const { rows } = await client.query<{
    feederId: string;
    meterIds: string[];
    syntheticFeederCount: number | null;
  }>({
    name: 'fleet-batch',
    text: `SELECT feeder_id AS "feederId", json_agg(meter_id ORDER BY position) AS "meterIds",
             (SELECT synthetic_feeder_count FROM ami_fleets WHERE fleet_id = $1) AS "syntheticFeederCount"
           FROM ami_fleet_meters WHERE fleet_id = $1 AND position >= $2 AND position < $3
           GROUP BY feeder_id ORDER BY min(position)`,
    values: [snapshotId, from, to],
  });
  const found = rows.reduce((sum, { meterIds }) => sum + meterIds.length, 0);
  if (found !== to - from)
    throw new Error(
      `fleet ${snapshotId} has ${found} of the ${to - from} meters at positions ${from} to ${to}`,
    );
  return {
    syntheticFeederCount: rows[0]?.syntheticFeederCount ?? null,
    runs: rows.map(({ feederId, meterIds }) => ({ feederId, meterIds })),
  };
}

/** The meters at positions `[from, to)` of a snapshot's roster, in its order. */
export async function snapshotMeters(
  client: Queryable,
  snapshotId: string,
  { from, to }: { from: number; to: number },
): Promise<string[]> {
  const { runs } = await snapshotBatch(client, snapshotId, from, to);
  return runs.flatMap(({ meterIds }) => meterIds);
}

/**
 * A fleet as a publish has it: the first `meterCount` meters of a registry's snapshot, or a synthetic fleet. A snapshot
 * knows its feeders, so `feederCount` says nothing about it.
 */
export interface PublishedRoster extends SyntheticFleet {
  snapshotId: string | null;
}

/** Whether a publish was refused because its snapshot was deleted between looking it up and naming it. */
export function isSnapshotGone(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.constraint === 'ami_publishes_fleet_id_fkey';
}

/** Where each feeder of a published fleet stands on its roster. */
export async function publishedSpans(client: Queryable, roster: PublishedRoster): Promise<FeederSpan[]> {
  if (roster.snapshotId === null) return feederSpans(roster);
  const { rows } = await client.query<FeederSpan>({
    name: 'published-spans',
    text: `SELECT feeder_id AS "feederId", range_from AS "from", least(range_to, $2::integer) AS "to"
           FROM ami_fleet_feeders WHERE fleet_id = $1 AND range_from < $2 ORDER BY range_from`,
    values: [roster.snapshotId, roster.meterCount],
  });
  return rows;
}
