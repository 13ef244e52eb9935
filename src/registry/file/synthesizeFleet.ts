import { StartupError } from '../../contracts/errors.js';
import { MAX_FEEDER_COUNT, MAX_METER_COUNT, MIN_FEEDER_COUNT } from '../../contracts/limits.js';
import type { Database } from '../../db/db.js';
import { feederId, meterId, type SyntheticFleet } from '../../emulator/fleet/syntheticFleet.js';
import { shownRelation } from '../../schema/identifiers.js';
import type { RegistryMapping } from '../../schema/mapping.js';
import { fleetRules } from './columnRules.js';
import type { TenantFleet } from './fleetRows.js';
import { countMoved } from './registryChecks.js';
import { type FleetCounts, writeFleets } from './writeFleets.js';

/**
 * Fills the registry with the meters of the synthetic fleet of the same size, so that both have the same meters.
 *
 * @throws StartupError when the size is out of range, the tables cannot hold such ids, or meters would change feeders.
 */
export async function synthesizeFleet(
  database: Database,
  registry: RegistryMapping,
  tenantId: string,
  fleet: SyntheticFleet,
): Promise<FleetCounts> {
  requireRange('--meters', fleet.meterCount, 1, MAX_METER_COUNT);
  requireRange('--feeders', fleet.feederCount, MIN_FEEDER_COUNT, MAX_FEEDER_COUNT);
  requireFitting(registry, tenantId, fleet);
  return writeFleets(database, registry, [syntheticRows(tenantId, fleet)], {
    check: async (client, tenant, slice) => {
      const moved = await countMoved(client, registry, tenant, slice);
      if (moved === 0) return;
      throw new StartupError(
        `${moved === 1 ? 'One meter' : `${moved.toLocaleString('en-US')} meters`} of tenant ${tenantId} would move to another feeder: use the same --feeders as before.`,
      );
    },
  });
}

function syntheticRows(tenantId: string, { meterCount, feederCount }: SyntheticFleet): TenantFleet {
  const numbers = Array.from({ length: meterCount }, (_, index) => index + 1);
  // With fewer meters than feeders, the last feeders have none.
  const feederIds = numbers.slice(0, feederCount).map(feederId);
  return {
    tenantId,
    feederIds,
    feederNames: feederIds.map(() => null),
    meterIds: numbers.map((meter) => meterId(tenantId, meter)),
    feederOf: numbers.map((meter) => (meter - 1) % feederCount),
    isActive: numbers.map(() => null),
  };
}

function requireRange(option: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new StartupError(
    `${option} must be a whole number from ${min} to ${max.toLocaleString('en-US')}, as for the synthetic fleet.`,
  );
}

/** Only the largest ids are checked, since they are the longest. */
function requireFitting(registry: RegistryMapping, tenantId: string, fleet: SyntheticFleet): void {
  const { fits } = fleetRules(registry);
  const ids = [
    ['tenant_id', tenantId],
    ['meter_id', meterId(tenantId, fleet.meterCount)],
    ['feeder_id', feederId(fleet.feederCount)],
  ] as const;
  for (const [column, id] of ids) {
    const fit = fits[column](id);
    if ('value' in fit) continue;
    const table = shownRelation(registry.meters.table);
    throw new StartupError(
      `The registry of ${table} cannot hold the synthetic fleet: its ${column} ${fit.problem}.`,
    );
  }
}
