import type { Model } from '../../src/contracts/emulation.js';
import type { Climate } from '../../src/contracts/place.js';
import type { Place as CustomersPlace } from '../../src/contracts/places.js';
import type { CustomerClass } from '../../src/emulator/customers/customers.js';
import { meteredFeeder } from '../../src/emulator/fleet/meters.js';
import { feederRuns, type SyntheticFleet } from '../../src/emulator/fleet/syntheticFleet.js';
import { generateReads, type ReadColumns } from '../../src/emulator/reads.js';

/** What is measured: reads of one tenant's fleet, as `generateReads` makes them, and whose they are. */
export interface Sample {
  tenantId: string;
  seed: string;
  climate: Climate;
  timeZone: string;
  /** The first model where it is not said. */
  model?: Model;
  place?: CustomersPlace;
}

export const QUARTER_HOUR_MS = 900_000;
export const SLOTS_PER_DAY = 96;

/** Reads of the fleet's positions `[from, to)` in the UTC quarter hour `slot`. */
export function readsAt(
  sample: Sample,
  fleet: SyntheticFleet,
  slot: number,
  from = 0,
  to = Infinity,
): ReadColumns {
  return generateReads({
    ...sample,
    fleet,
    from,
    to: Math.min(to, fleet.meterCount),
    readAt: new Date(slot * QUARTER_HOUR_MS),
    intervalMinutes: 15,
  });
}

/** The class and the feeder (1-based) of each meter, in the order of the fleet's line. */
export interface Place {
  customerClass: CustomerClass;
  feeder: number;
  distance: number;
}

export function places(sample: Sample, fleet: SyntheticFleet): Place[] {
  return feederRuns(fleet, 0, fleet.meterCount).flatMap((run) => {
    const feeder = meteredFeeder(sample.seed, sample.tenantId, run.feeder, fleet.feederCount);
    return Array.from({ length: run.count }, (_, index) => {
      const meter = feeder.meter(run.firstOrdinal + index);
      return {
        customerClass: meter.customer.customerClass,
        feeder: run.feeder,
        distance: meter.distance,
      };
    });
  });
}

/** The UTC quarter hour in which a day begins in UTC. Samples are taken in UTC, the clock of their tenants. */
export function daySlot(year: number, month: number, day: number): number {
  return Date.UTC(year, month, day) / QUARTER_HOUR_MS;
}
