import type { Customer } from '../customers/consumption.js';
import type { Battery, Roof } from './equipment.js';
import { pvKwh } from './pv.js';
import type { Site } from './site.js';
import { type Sky, skyOn } from './sky.js';

/**
 * A battery that follows the sun by a plan: it takes what the roof makes beyond the home's usual load, and gives it back where
 * the usual load is beyond the roof. Its day begins empty at six by the sun, after the night, so that any quarter hour needs one
 * day alone. What the home draws less than usual stays in the battery and is left out of the next day.
 */

const QUARTERS = 96;
/** Quarter hour of the sun's day at which a battery's day begins. */
const MORNING = 24;
/** What comes out of what went in. */
const EFFICIENCY = 0.9;

/** A home's usual load by the hour of the sun's day, over its mean. */
const USUAL = [
  0.68, 0.6, 0.56, 0.55, 0.57, 0.65, 0.85, 1, 1.02, 0.98, 0.96, 0.97, 1.0, 0.98, 0.96, 1.0, 1.1, 1.3, 1.5,
  1.55, 1.48, 1.33, 1.1, 0.85,
];

interface Plan {
  name: string;
  /** kWh into the battery by quarter hours from the morning on; negative out of it. */
  flow: Float64Array;
}

/** The last plan of each home: whoever writes intervals in order asks for one day again and again. */
const plans = new WeakMap<Customer, Plan>();

/**
 * Energy that goes into the battery in a quarter hour by its plan, kWh; negative where it comes out.
 *
 * @param day of the site's sun, and `quarter` of it, 0–95.
 */
export function plannedFlow(
  home: Customer,
  battery: Battery,
  roof: Roof,
  site: Site,
  weatherKey: number,
  day: number,
  quarter: number,
): number {
  const begun = quarter < MORNING ? day - 1 : day;
  const name = `${site.place} ${site.shift} ${weatherKey} ${begun}`;
  let plan = plans.get(home);
  if (plan?.name !== name) {
    plan = { name, flow: planOf(home, battery, roof, skyOn(site, weatherKey, begun)) };
    plans.set(home, plan);
  }
  return plan.flow[(quarter - MORNING + QUARTERS) % QUARTERS] as number;
}

function planOf({ meanKwh }: Customer, battery: Battery, roof: Roof, sky: Sky): Float64Array {
  let held = 0;
  return Float64Array.from({ length: QUARTERS }, (_, index) => {
    const quarter = (index + MORNING) % QUARTERS;
    const sun = index < QUARTERS - MORNING ? pvKwh(roof, sky, quarter) : 0;
    const surplus = sun - meanKwh * (USUAL[quarter >> 2] as number);
    if (surplus > 0) {
      const taken = Math.min(surplus, battery.quarterKwh, (battery.capacityKwh - held) / EFFICIENCY);
      held += taken * EFFICIENCY;
      return taken;
    }
    const given = Math.min(-surplus, battery.quarterKwh, held);
    held -= given;
    return -given;
  });
}
