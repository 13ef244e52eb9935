import { withBattery } from './battery.js';
import { type BatteryHome, type DayPlans, limitOf } from './batteryPlans.js';
import type { Car, HeatPump, Roof } from './equipment.js';
import { chargedKwh } from './ev.js';
import { type Fitted, placeFrom } from './fittedFeeder.js';
import { heatPumpKwh } from './heatPump.js';
import { pvKwh } from './pv.js';
import type { Quarter } from './quarters.js';
import type { Sky } from './sky.js';

/**
 * One kind of equipment after the other over what flows through neighbouring meters: only homes that have it are gone through. They
 * are four plain loops, since a loop that is told what to do calls a function it does not know, at the price of the work itself.
 */

/** Meters with the ordinals from `first` to `first + count - 1`. */
export interface Span {
  first: number;
  count: number;
}

/** @param net kWh, meter after meter, each by its quarter hours. */
export function passCars(
  net: Float64Array,
  { first, count }: Span,
  cars: Fitted<Car>,
  quarters: readonly Quarter[],
): void {
  const end = placeFrom(cars, first + count);
  for (let place = placeFrom(cars, first); place < end; place += 1) {
    const car = cars.kinds[place] as Car;
    let at = ((cars.ordinals[place] as number) - first) * quarters.length;
    for (const { slot, charging } of quarters) {
      net[at] = (net[at] as number) + chargedKwh(car, slot, charging);
      at += 1;
    }
  }
}

export function passHeatPumps(
  net: Float64Array,
  { first, count }: Span,
  pumps: Fitted<HeatPump>,
  quarters: readonly Quarter[],
): void {
  const end = placeFrom(pumps, first + count);
  for (let place = placeFrom(pumps, first); place < end; place += 1) {
    const pump = pumps.kinds[place] as HeatPump;
    let at = ((pumps.ordinals[place] as number) - first) * quarters.length;
    for (const { slot, heat } of quarters) {
      net[at] = (net[at] as number) + heatPumpKwh(pump, slot, heat);
      at += 1;
    }
  }
}

/** @param skies over these roofs, by quarter hour. */
export function passRoofs(
  net: Float64Array,
  { first, count }: Span,
  roofs: Fitted<Roof>,
  skies: readonly Sky[],
): void {
  const end = placeFrom(roofs, first + count);
  for (let place = placeFrom(roofs, first); place < end; place += 1) {
    const roof = roofs.kinds[place] as Roof;
    let at = ((roofs.ordinals[place] as number) - first) * skies.length;
    for (const sky of skies) {
      net[at] = (net[at] as number) - pvKwh(roof, sky);
      at += 1;
    }
  }
}

/** @param plans of the day of each quarter hour. */
export function passBatteries(
  net: Float64Array,
  { first, count }: Span,
  batteries: Fitted<BatteryHome>,
  quarters: readonly Quarter[],
  plans: readonly DayPlans[],
): void {
  const end = placeFrom(batteries, first + count);
  for (let place = placeFrom(batteries, first); place < end; place += 1) {
    const home = batteries.kinds[place] as BatteryHome;
    let at = ((batteries.ordinals[place] as number) - first) * quarters.length;
    for (let quarter = 0; quarter < quarters.length; quarter += 1) {
      const { hour } = (quarters[quarter] as Quarter).battery;
      const limit = limitOf(plans[quarter] as DayPlans, home, hour);
      net[at] = withBattery(net[at] as number, limit);
      at += 1;
    }
  }
}
