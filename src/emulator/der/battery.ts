import type { Battery, MeteredCustomer, Roof } from './equipment.js';
import { pvKwh } from './pv.js';
import type { Site } from './site.js';
import { hoursOfSky, type Sky } from './sky.js';

/**
 * A battery that takes what the roof makes beyond the home's load, and gives it back later. How full it is depends on all loads
 * since the morning, of which each costs a read. So a plan is made from the home's usual load, and says how much the battery
 * may take or give in a quarter hour; within that it follows the actual load. It neither draws from the grid nor feeds it, and
 * what goes in and comes out agrees on average over homes and days. Its day begins empty at six by the sun, after the night,
 * so that any quarter hour needs one day alone.
 */

const HOURS = 24;
/** Hour of the sun's day at which a battery's day begins. */
const MORNING = 6;
/** What comes out of what went in. */
const EFFICIENCY = 0.9;
/**
 * A load wanders about the usual one, and only so much of it can be met as the battery may give at once: of a usual load this
 * part is met.
 */
const MET_OF_LOAD = 0.7;

/** A home's usual load by the hour of the sun's day, over its mean. */
const USUAL = [
  0.68, 0.6, 0.56, 0.55, 0.57, 0.65, 0.85, 1, 1.02, 0.98, 0.96, 0.97, 1.0, 0.98, 0.96, 1.0, 1.1, 1.3, 1.5,
  1.55, 1.48, 1.33, 1.1, 0.85,
];

interface Plan {
  day: number;
  weatherKey: number;
  site: Site;
  /** Most into the battery, kWh, of a quarter hour, by hours from the morning on; negative: most out of it. */
  most: Float64Array;
}

/** The last plan of each home: whoever writes intervals in order asks for one day again and again. */
const plans = new WeakMap<MeteredCustomer, Plan>();

/**
 * What goes through the meter of a home with a battery in a quarter hour, kWh.
 *
 * @param net what would without it.
 * @param day of the site's sun, and `quarter` of it, 0–95.
 */
export function withBattery(
  net: number,
  home: MeteredCustomer,
  battery: Battery,
  roof: Roof,
  site: Site,
  weatherKey: number,
  day: number,
  quarter: number,
): number {
  const hour = quarter >> 2;
  const begun = hour < MORNING ? day - 1 : day;
  let plan = plans.get(home);
  if (plan?.day !== begun || plan.weatherKey !== weatherKey || plan.site !== site) {
    const most = planOf(home, battery, roof, hoursOfSky(site, weatherKey, begun));
    plan = { day: begun, weatherKey, site, most };
    plans.set(home, plan);
  }
  const limit = plan.most[(hour - MORNING + HOURS) % HOURS] as number;
  return limit >= 0 ? net + Math.min(limit, Math.max(0, -net)) : net - Math.min(-limit, Math.max(0, net));
}

function planOf(
  { meanKwh }: MeteredCustomer,
  battery: Battery,
  roof: Roof,
  sky: readonly Sky[],
): Float64Array {
  const rate = 4 * battery.quarterKwh;
  const surplus = Array.from({ length: HOURS }, (_, index) => {
    const hour = (index + MORNING) % HOURS;
    const sun = index < HOURS - MORNING ? pvKwh(roof, sky[hour] as Sky) : 0;
    return 4 * (sun - meanKwh * (USUAL[hour] as number));
  });
  // On a sunny day it takes no more than the night before has taken out of it, which is what it gives until the morning.
  const given = (missing: number): number => Math.min(-missing * MET_OF_LOAD, rate);
  const night = surplus.reduce((sum, each) => (each > 0 ? sum : sum + given(each)), 0);
  const room = Math.min(battery.capacityKwh, night);
  const plan = new Float64Array(HOURS);
  let held = 0;
  for (const [index, each] of surplus.entries()) {
    if (each > 0) {
      const most = Math.min(rate, (room - held) / EFFICIENCY);
      held += Math.min(each, most) * EFFICIENCY;
      plan[index] = most / 4;
    } else {
      const most = Math.min(rate, held);
      held -= Math.min(-each * MET_OF_LOAD, most);
      plan[index] = -most / 4;
    }
  }
  return plan;
}
