import type { MappedColumn, RegistryMapping } from '../../schema/mapping.js';
import { type Fit, type FleetColumn, type FleetRules, shown } from './fleetValues.js';
import { feederNameColumn } from './writeRows.js';

/** What a fleet file may say to this registry. */
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

/** Whether a value can be in all of the columns, and how it is then written: a value must have one spelling only. */
function fitOf(...columns: (MappedColumn | null)[]): (value: string) => Fit {
  const fits = columns.filter((column) => column !== null).map(fitOfColumn);
  return (value) => {
    let fit: Fit = { value };
    for (const next of fits) if ('value' in fit) fit = next(fit.value);
    return fit;
  };
}

function fitOfColumn({ kind, type, baseType }: MappedColumn): (value: string) => Fit {
  if (kind === 'integer') return integerFit(baseType);
  if (kind === 'numeric') return wholeFit;
  if (kind === 'uuid') return uuidFit;
  const length = Number(/\((\d+)\)$/.exec(type)?.[1] ?? Number.POSITIVE_INFINITY);
  return (value) => {
    const fits = value.length <= length || [...value].length <= length;
    return fits ? { value } : { problem: `is longer than the registry's column holds (${type})` };
  };
}

/** Bits of the integer types; the catalog knows no others. */
const INTEGER_BITS: Record<string, bigint> = { smallint: 16n, integer: 32n, bigint: 64n };

function integerFit(type: string): (value: string) => Fit {
  const limit = 1n << ((INTEGER_BITS[type] ?? 64n) - 1n);
  return (value) => {
    const fit = wholeFit(value);
    if ('problem' in fit) return fit;
    const number = BigInt(fit.value);
    if (number >= -limit && number < limit) return fit;
    return { problem: `is out of the range of the registry's column (${type}): ${shown(value)}` };
  };
}

/** `007`, as spreadsheets may pad it, is 7. */
function wholeFit(value: string): Fit {
  if (/^-?\d+(\.0+)?$/.test(value)) return { value: String(BigInt(value.replace(/\..*/, ''))) };
  return { problem: `must be a whole number, as it is in the registry, not ${shown(value)}` };
}

function uuidFit(value: string): Fit {
  if (/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value)) return { value: value.toLowerCase() };
  return { problem: `must be a UUID, as it is in the registry, not ${shown(value)}` };
}
