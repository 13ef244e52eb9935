import type { Battery, Roof } from './equipment.js';
import { pvKwh } from './pv.js';
import type { Sky } from './sky.js';

/**
 * A battery that takes what the roof makes beyond the home's load, and gives it back later. How full it is depends on all loads
 * since the morning, of which each costs a read. So a plan is made from the home's usual load, and says how much the battery
 * may take or give in a quarter hour; within that it follows the actual load. It neither draws from the grid nor feeds it, and
 * what goes in and comes out agrees on average over homes and days. Its day begins empty at six by the sun, after the night,
 * so that any quarter hour needs one day alone.
 */

export const HOURS = 24;
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

/** Most into a battery, kWh, of a quarter hour, by hours from the morning on, one plan after the other; negative: most out of it. */
export type BatteryPlan = Float64Array;

export const noPlans = (count: number): BatteryPlan => new Float64Array(count * HOURS);

/** The moment of a battery's day in which a quarter hour lies. */
export interface BatteryMoment {
  /** The day of the sun that began with its morning. */
  day: number;
  /** Hours since that morning, 0–23. */
  hour: number;
}

/**
 * @param day of the site's sun.
 * @param quarter of it, 0–95.
 */
export function batteryMoment(day: number, quarter: number): BatteryMoment {
  const hour = quarter >> 2;
  return { day: hour < MORNING ? day - 1 : day, hour: (hour - MORNING + HOURS) % HOURS };
}

/**
 * What goes through the meter of a home with a battery in a quarter hour, kWh.
 *
 * @param net what would without it.
 * @param limit of the plan for that quarter hour.
 */
export function withBattery(net: number, limit: number): number {
  return limit >= 0 ? net + Math.min(limit, Math.max(0, -net)) : net - Math.min(-limit, Math.max(0, net));
}

/** What is left over of the roof in each hour of the day that is being planned, kWh: written over by the next. */
const surplus = new Float64Array(HOURS);

/**
 * Fills in the most of each hour. Plain loops: a read at a single instant makes a plan for itself alone.
 *
 * @param from place of the plan's first hour.
 * @param meanKwh of the home in a quarter hour.
 * @param sky of the day of the sun by its hours.
 */
export function fillPlan(
  into: BatteryPlan,
  from: number,
  meanKwh: number,
  battery: Battery,
  roof: Roof,
  sky: readonly Sky[],
): void {
  const rate = 4 * battery.quarterKwh;
  // On a sunny day it takes no more than the night before has taken out of it, which is what it gives until the morning.
  let night = 0;
  for (let index = 0; index < HOURS; index += 1) {
    const hour = (index + MORNING) % HOURS;
    const sun = index < HOURS - MORNING ? pvKwh(roof, sky[hour] as Sky) : 0;
    const each = 4 * (sun - meanKwh * (USUAL[hour] as number));
    surplus[index] = each;
    if (each <= 0) night += Math.min(-each * MET_OF_LOAD, rate);
  }
  const room = Math.min(battery.capacityKwh, night);
  let held = 0;
  for (let index = 0; index < HOURS; index += 1) {
    const each = surplus[index] as number;
    if (each > 0) {
      const most = Math.min(rate, (room - held) / EFFICIENCY);
      held += Math.min(each, most) * EFFICIENCY;
      into[from + index] = most / 4;
    } else {
      const most = Math.min(rate, held);
      held -= Math.min(-each * MET_OF_LOAD, most);
      into[from + index] = -most / 4;
    }
  }
}
