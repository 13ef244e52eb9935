import { LRUCache } from 'lru-cache';
import type { Place } from '../../contracts/places.js';
import { PLACES } from '../weather/places.js';
import { type BatteryPlan, fillPlan, HOURS, noPlans } from './battery.js';
import type { DerParameters } from './derParameters.js';
import { type Battery, batteryOfSize, type Roof, upright } from './equipment.js';
import type { Site } from './site.js';
import { hoursOfSky, type Sky } from './sky.js';

/**
 * Plans of batteries for a day. By kind a plan is made once for all homes whose roof and battery are alike over their mean load, and kept for
 * the day: a read then costs a look-up, where a plan of its own costs twice as much as the rest of the read.
 */
export interface DayPlans {
  place: Place;
  sky: readonly Sky[];
  /** Plans one after the other, each of 24 hours: of each kind, or of one home alone. */
  most: BatteryPlan;
  /** 1 of each kind that has been planned; null home by home. */
  planned: Uint8Array | null;
  /** The home that was planned last, where it is home by home. */
  of: BatteryHome | null;
}

/** A home with a battery. */
export interface BatteryHome {
  meanKwh: number;
  battery: Battery;
  roof: Roof;
  /** Of its place. */
  kind: number;
}

/** Days of plans by kind, 100 kB each. */
const kept = new LRUCache<string, DayPlans>({ max: 32 });

export function plansOn(
  { sky, batteries }: DerParameters,
  site: Site,
  weatherKey: number,
  day: number,
): DayPlans {
  if (batteries === 'home by home') return emptyPlans(site.place, hoursOfSky(sky, site, weatherKey, day), 0);
  const name = `${site.place} ${site.shift} ${weatherKey} ${day}`;
  let plans = kept.get(name);
  if (plans === undefined) {
    plans = emptyPlans(site.place, hoursOfSky(sky, site, weatherKey, day), KINDS);
    kept.set(name, plans);
  }
  return plans;
}

const emptyPlans = (place: Place, sky: readonly Sky[], kinds: number): DayPlans => ({
  place,
  sky,
  most: noPlans(Math.max(1, kinds)),
  planned: kinds === 0 ? null : new Uint8Array(kinds),
  of: null,
});

/**
 * The most that a home's battery may take in a quarter hour, kWh; negative: the most that it may give.
 *
 * @param hour since the morning, 0–23.
 */
export function limitOf(plans: DayPlans, home: BatteryHome, hour: number): number {
  const { planned, most } = plans;
  if (planned === null) {
    if (plans.of !== home) {
      fillPlan(most, 0, home.meanKwh, home.battery, home.roof, plans.sky);
      plans.of = home;
    }
    return most[hour] as number;
  }
  const { kind } = home;
  if (planned[kind] === 0) {
    planKind(plans, kind);
    planned[kind] = 1;
  }
  return home.meanKwh * (most[kind * HOURS + hour] as number);
}

/** Kinds by where a roof faces, its peak power and the battery's capacity, both over the load of a mean quarter hour. */
const FACING = [-0.6, -0.2, 0.2, 0.6] as const;
const PEAKS = { from: 3, ratio: 1.3, count: 10 } as const;
const CAPACITIES = { from: 2, ratio: 1.35, count: 14 } as const;
const KINDS = FACING.length * PEAKS.count * CAPACITIES.count;
/** A pitch of 30 degrees, the middle. */
const PITCH = 0.5;

/** The kind of a home. Steps are rounded down: a battery gives nothing that a smaller roof would not have made. */
export function batteryKind(
  meanKwh: number,
  { capacityKwh }: Battery,
  { peakKw, east, north }: Roof,
): number {
  // From −1 to 1, as it is drawn.
  const turn = (2 / Math.PI) * Math.atan2(east, Math.abs(north));
  const facing = Math.min(FACING.length - 1, Math.floor(((turn + 0.8) / 1.6) * FACING.length));
  return (
    (Math.max(0, facing) * PEAKS.count + step(PEAKS, peakKw / meanKwh)) * CAPACITIES.count +
    step(CAPACITIES, capacityKwh / meanKwh)
  );
}

function step({ from, ratio, count }: typeof PEAKS | typeof CAPACITIES, value: number): number {
  return Math.max(0, Math.min(count - 1, Math.floor(Math.log(value / from) / Math.log(ratio))));
}

function planKind({ place, sky, most }: DayPlans, kind: number): void {
  const capacityKwh = CAPACITIES.from * CAPACITIES.ratio ** (kind % CAPACITIES.count);
  const peak = Math.floor(kind / CAPACITIES.count) % PEAKS.count;
  const facing = FACING[Math.floor(kind / CAPACITIES.count / PEAKS.count)] as number;
  const { east, north, up } = upright(PITCH, facing, PLACES[place].latitude);
  const roof = { peakKw: PEAKS.from * PEAKS.ratio ** peak, east, north, up };
  fillPlan(most, kind * HOURS, 1, batteryOfSize(capacityKwh), roof, sky);
}
