import { LRUCache } from 'lru-cache';
import { localQuarter } from '../customers/localTime.js';
import { weatherOn } from '../weather/weather.js';
import { type BatteryMoment, batteryMoment } from './battery.js';
import type { DerParameters } from './derParameters.js';
import type { ChargingDay } from './ev.js';
import { type HeatDemand, heatDemand } from './heatPump.js';
import { type Site, standardOffset, sunClock } from './site.js';
import { type SkyOver, skyOver } from './sky.js';

/** What all homes of a tenant have in common in a quarter hour, for what may stand behind their meters. */
export interface Quarter {
  slot: number;
  charging: readonly ChargingDay[];
  heat: HeatDemand;
  sky: SkyOver;
  battery: BatteryMoment;
}

export interface QuartersScene {
  site: Site;
  timeZone: string;
  weatherKey: number;
  firstSlot: number;
  slots: number;
}

/** A publish of 25,000 meters asks some fifty times for the same. */
const kept = new LRUCache<string, readonly Quarter[]>({ max: 32 });

/** @throws RangeError when the scene's zone is no zone of the IANA database. */
export function quartersOf(parameters: DerParameters, scene: QuartersScene): readonly Quarter[] {
  const { site, timeZone, weatherKey, firstSlot, slots } = scene;
  const name = `${parameters.name} ${site.place} ${site.shift} ${timeZone} ${weatherKey} ${firstSlot} ${slots}`;
  let quarters = kept.get(name);
  if (quarters === undefined) {
    quarters = Array.from({ length: slots }, (_, index) => quarterAt(parameters, scene, firstSlot + index));
    kept.set(name, quarters);
  }
  return quarters;
}

function quarterAt(
  { sky: ofSky, heatPump }: DerParameters,
  { site, timeZone, weatherKey }: QuartersScene,
  slot: number,
): Quarter {
  const { day, quarter } = sunClock(site, slot);
  const sky = skyOver(ofSky, site, weatherKey, slot);
  const mean = weatherOn(site.place, weatherKey, day).meanC;
  // Walls keep half of a day's swing out.
  const outside = (sky.sun.air + mean) / 2;
  return {
    slot,
    charging: chargingDays(timeZone, slot),
    heat: heatDemand(heatPump, outside, localQuarter(timeZone, slot).quarterOfDay),
    sky,
    battery: batteryMoment(day, quarter),
  };
}

/** The local day of a slot and the one before it. A day begins where its first slot is, whatever daylight saving does to it. */
function chargingDays(timeZone: string, slot: number): ChargingDay[] {
  const today = startOfDay(timeZone, slot);
  return [today, startOfDay(timeZone, today - 1)].map((start) => {
    // Noon is on the day itself by any clock.
    const { dayType } = localQuarter(timeZone, start + 48);
    return {
      day: Math.floor((start + 48 + standardOffset(timeZone)) / 96),
      start,
      isWeekend: dayType !== 'weekday',
    };
  });
}

function startOfDay(timeZone: string, slot: number): number {
  let start = slot - localQuarter(timeZone, slot).quarterOfDay;
  // A change of clocks in between has moved it.
  const shown = localQuarter(timeZone, start).quarterOfDay;
  if (shown !== 0) start += shown > 48 ? 96 - shown : -shown;
  return start;
}
