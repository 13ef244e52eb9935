import type pg from 'pg';
import { StartupError } from '../../contracts/errors.js';
import { type Database, withTransaction } from '../../db/db.js';
import { shownRelation } from '../../schema/identifiers.js';
import type { RegistryMapping } from '../../schema/mapping.js';
import type { TenantFleet } from './fleetRows.js';
import { shown } from './fleetValues.js';
import { refusedAsSentence } from './refusals.js';
import { ambiguousFeeders, lockRegistry, repeatedMeters } from './registryChecks.js';
import { type Retire, unnamedMeters } from './unnamedMeters.js';
import { type MeterColumns, type Written, writeFeeders, writeMeters } from './writeRows.js';

/** What a load has changed, or on a dry run would have changed. */
export interface FleetCounts {
  /** `unnamed`: in service before and not among these; `retired`: how many of them are so no more. */
  meters: Written & { unchanged: number; withoutFeeder: number; unnamed: number; retired: number };
  feeders: Written;
}

export interface WriteOptions {
  /** Does everything and then rolls it back, so that a refusal by a customer's tables shows too. */
  dryRun?: boolean;
  /** What becomes of meters that the fleets do not name. */
  retire?: Retire;
  /** An additional check of each slice of a tenant's meters; throws to refuse it. */
  check?: (client: pg.PoolClient, tenantId: string, slice: MeterColumns) => Promise<void>;
}

/** Meters per statement: some MB of parameters, and few scans of a customer's table that has no index. */
const SLICE = 50_000;

/**
 * Inserts and updates meters and feeders, all or nothing. What the fleets do not name stays as it is, or is retired.
 *
 * @throws StartupError one sentence about what the tables refuse.
 */
export async function writeFleets(
  database: Database,
  registry: RegistryMapping,
  fleets: readonly TenantFleet[],
  { dryRun = false, retire = 'no', check }: WriteOptions = {},
): Promise<FleetCounts> {
  const counts: FleetCounts = {
    meters: { added: 0, updated: 0, unchanged: 0, withoutFeeder: 0, unnamed: 0, retired: 0 },
    feeders: { added: 0, updated: 0 },
  };
  await withTransaction(database, async (client) => {
    await lockRegistry(client);
    if (dryRun) await client.query('SAVEPOINT dry_run');
    for (const fleet of fleets) {
      await refusedAsSentence(registry.feeders?.table ?? registry.meters.table, () =>
        writeFeedersOf(client, registry, fleet, counts),
      );
      for (let from = 0; from < fleet.meterIds.length; from += SLICE) {
        const slice = sliceOf(fleet, from, from + SLICE);
        await refusedAsSentence(registry.meters.table, async () => {
          await check?.(client, fleet.tenantId, slice);
          await writeSlice(client, registry, fleet.tenantId, slice, counts);
        });
      }
      await refusedAsSentence(registry.meters.table, async () => {
        const unnamed = await unnamedMeters(client, registry, fleet.tenantId, fleet.meterIds, retire);
        counts.meters.unnamed += unnamed;
        if (retire !== 'no') counts.meters.retired += unnamed;
      });
    }
    if (dryRun) await client.query('ROLLBACK TO SAVEPOINT dry_run');
  });
  return counts;
}

async function writeFeedersOf(
  client: pg.PoolClient,
  registry: RegistryMapping,
  { tenantId, feederIds, feederNames }: TenantFleet,
  counts: FleetCounts,
): Promise<void> {
  const { feeders } = registry;
  if (feeders === null) return;
  const written = await writeFeeders(client, registry, tenantId, { feederIds, names: feederNames });
  const [first] = await ambiguousFeeders(client, registry, tenantId, feederIds);
  if (first) {
    const found = first.count === 0 ? 'does not keep it as it is written' : `has it ${first.count} times`;
    throw new StartupError(
      `No meter can be put on feeder ${shown(first.id)}: the table ${shownRelation(feeders.table)} ${found}.`,
    );
  }
  counts.feeders.added += written.added;
  counts.feeders.updated += written.updated;
}

async function writeSlice(
  client: pg.PoolClient,
  registry: RegistryMapping,
  tenantId: string,
  slice: MeterColumns,
  { meters }: FleetCounts,
): Promise<void> {
  const { table } = registry.meters;
  const repeated = await repeatedMeters(client, registry, tenantId, slice.meterIds);
  if (repeated.length > 0) {
    const some = repeated.slice(0, 3).map(shown).join(', ');
    throw new StartupError(
      `The table ${shownRelation(table)} has ${repeated.length === 1 ? 'a meter' : `${repeated.length} meters`} of the file more than once (${some}${repeated.length > 3 ? ', …' : ''}): leave one row of each, then load again.`,
    );
  }
  const written = await writeMeters(client, registry, tenantId, slice);
  meters.added += written.added;
  meters.updated += written.updated;
  meters.unchanged += slice.meterIds.length - written.added - written.updated;
  meters.withoutFeeder += slice.feederIds.filter((id) => id === null).length;
}

function sliceOf(fleet: TenantFleet, from: number, to: number): MeterColumns {
  return {
    meterIds: fleet.meterIds.slice(from, to),
    feederIds: fleet.feederOf.slice(from, to).map((index) => fleet.feederIds[index] ?? null),
    isActive: fleet.isActive.slice(from, to),
  };
}
