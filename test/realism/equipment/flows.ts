import type { Der, PlaceModel } from '../../../src/contracts/emulation.js';
import type { Place } from '../../../src/contracts/places.js';
import { localQuarter } from '../../../src/emulator/customers/localTime.js';
import { type Roof, roofOf } from '../../../src/emulator/der/equipment.js';
import { meteredFeeder, placeCustomerAt } from '../../../src/emulator/fleet/meters.js';
import { feederRuns, type SyntheticFleet } from '../../../src/emulator/fleet/syntheticFleet.js';
import { PLACES } from '../../../src/emulator/weather/places.js';
import { ENERGY, generateWholeDay, type WholeDay } from '../../../src/emulator/wholeDays/wholeDay.js';
import { standardMidnight } from '../homes/emulatedHomes.js';
import { QUARTER_HOUR_MS, SLOTS_PER_DAY } from '../sample.js';

/** What stands behind the meters of homes, found from reads alone: those with it less those without it. */

export interface FlowScene {
  model: PlaceModel;
  place: Place;
  seed: string;
  year: number;
  meters: number;
  /** So many days from this day of the year on (0 is 1 January), from midnight by standard time. */
  days: number;
  fromDay?: number;
}

export interface Flows {
  place: Place;
  firstSlot: number;
  slots: number;
  /** What each home draws without it, kWh a quarter hour. */
  consumed: Float64Array[];
  /** What flows into it, kWh a quarter hour: negative out of a roof. */
  into: Float64Array[];
  /** The roof that each home has or could have. */
  roofs: Roof[];
  /** By the local clock, by quarter hour: 0–95, and whether it is of a Saturday or Sunday. */
  clock: Int32Array;
  weekend: Uint8Array;
}

const TENANT = 'HOMES';
const FEEDERS = 5;

/** @param der shares of homes; 1 of a kind that is to be measured at all of them. */
export function flowsOf(scene: FlowScene, der: Der): Flows {
  const { model, place, seed, meters, days, fromDay = 0 } = scene;
  const fleet = { meterCount: meters, feederCount: FEEDERS };
  const homes = homesOf(scene, fleet);
  const slots = days * SLOTS_PER_DAY;
  const columns = () => homes.map(() => new Float64Array(slots));
  const [consumed, into] = [columns(), columns()];
  const midnight = standardMidnight(place, scene.year) + fromDay * SLOTS_PER_DAY * QUARTER_HOUR_MS;
  const { timeZone } = PLACES[place];
  for (let day = 0; day < days; day += 1) {
    const of = {
      tenantId: TENANT,
      seed,
      place,
      timeZone,
      model,
      intervalMinutes: 15,
      intervals: 96,
    } as const;
    const dayScene = { ...of, readAt: new Date(midnight + day * SLOTS_PER_DAY * QUARTER_HOUR_MS) };
    const plain = generateWholeDay(dayScene, fleet, 0, meters);
    const fitted = generateWholeDay({ ...dayScene, der }, fleet, 0, meters);
    homes.forEach(({ at }, home) => {
      for (let quarter = 0; quarter < SLOTS_PER_DAY; quarter += 1) {
        const without = netOf(plain, at, quarter);
        const slot = day * SLOTS_PER_DAY + quarter;
        (consumed[home] as Float64Array)[slot] = without / ENERGY;
        (into[home] as Float64Array)[slot] = (netOf(fitted, at, quarter) - without) / ENERGY;
      }
    });
  }
  const firstSlot = midnight / QUARTER_HOUR_MS;
  const local = Array.from({ length: slots }, (_, slot) => localQuarter(timeZone, firstSlot + slot));
  return {
    ...{ place, firstSlot, slots, consumed, into },
    roofs: homes.map(({ roof }) => roof),
    clock: Int32Array.from(local, ({ quarterOfDay }) => quarterOfDay),
    weekend: Uint8Array.from(local, ({ dayType }) => (dayType === 'weekday' ? 0 : 1)),
  };
}

/** In 0.1 Wh, positive into the home. */
function netOf({ kwh, received }: WholeDay, meter: number, quarter: number): number {
  const at = meter * SLOTS_PER_DAY + quarter;
  return (kwh[at] as number) - (received?.kwh[at] ?? 0);
}

/** The homes of a fleet by their place on its roster. */
function homesOf({ model, place, seed }: FlowScene, fleet: SyntheticFleet): { at: number; roof: Roof }[] {
  return feederRuns(fleet, 0, fleet.meterCount)
    .flatMap((run) => {
      const feeder = meteredFeeder(seed, TENANT, run.feeder, fleet.feederCount);
      return Array.from({ length: run.count }, (_, index) => feeder.meter(run.firstOrdinal + index));
    })
    .flatMap((meter, at) =>
      meter.customer.customerClass === 'residential'
        ? [{ at, roof: roofOf(placeCustomerAt(meter, model, place), place) }]
        : [],
    );
}

/** All of these together, some quarter hours at a time as one. */
export function sumOf(series: readonly Float64Array[], together = 1): Float64Array {
  const total = new Float64Array(Math.floor((series[0] as Float64Array).length / together));
  for (const values of series)
    for (let at = 0; at < total.length * together; at += 1) {
      const into = Math.floor(at / together);
      total[into] = (total[into] as number) + (values[at] as number);
    }
  return total;
}

export const highest = (values: Float64Array): number =>
  values.reduce((most, value) => Math.max(most, value), 0);

/** The highest of the sum of so many against the sum of their highest: the median over groups of them. */
export function coincidenceOf(series: readonly Float64Array[], count: number): number {
  const groups = Array.from({ length: Math.floor(series.length / count) }, (_, group) => {
    const members = series.slice(group * count, (group + 1) * count);
    return highest(sumOf(members)) / members.reduce((sum, values) => sum + highest(values), 0);
  }).toSorted((one, other) => one - other);
  return groups[Math.floor(groups.length / 2)] as number;
}
