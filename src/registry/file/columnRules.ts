import { columnFit } from '../../schema/columnFit.js';
import type { MappedColumn, RegistryMapping } from '../../schema/mapping.js';
import { type Fit, type FleetColumn, type FleetRules, shown } from './fleetValues.js';
import { feederNameColumn } from './writeRows.js';

/** Which columns and values of a fleet file this registry takes. */
export function fleetRules(registry: RegistryMapping): FleetRules {
  const { meters, feeders } = registry;
  const name = feederNameColumn(registry);
  const withoutPlace: FleetColumn[] = [];
  if (name === null) withoutPlace.push('feeder_name');
  if (meters.isActive === null) withoutPlace.push('is_active');
  return {
    fits: {
      tenant_id: fitOf(meters.tenantId, feeders?.tenantId ?? null),
      meter_id: fitOf(meters.meterId),
      feeder_id: fitOf(feeders?.feederId ?? meters.feeder),
      feeder_name: fitOf(name),
    },
    withoutPlace,
    hasTenants: meters.tenantId !== null,
  };
}

/** Whether all of the columns can hold a value, and how they write it: a value must have one spelling only. */
function fitOf(...columns: (MappedColumn | null)[]): (value: string) => Fit {
  const fits = columns.filter((column) => column !== null).map(fitOfColumn);
  return (value) => {
    let fit: Fit = { value };
    for (const next of fits) if ('value' in fit) fit = next(fit.value);
    return fit;
  };
}

function fitOfColumn(column: MappedColumn): (value: string) => Fit {
  return (value) => {
    const fit = columnFit(column, value);
    if ('value' in fit) return fit;
    switch (fit.misfit) {
      case 'not a whole number':
        return { problem: `must be a whole number, as it is in the registry, not ${shown(value)}` };
      case 'not a UUID':
        return { problem: `must be a UUID, as it is in the registry, not ${shown(value)}` };
      case 'out of range':
        return {
          problem: `is out of the range of the registry's column (${column.baseType}): ${shown(value)}`,
        };
      case 'too long':
        return { problem: `is longer than the registry's column holds (${column.type})` };
    }
  };
}
