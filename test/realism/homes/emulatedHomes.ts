import type { PlaceModel } from '../../../src/contracts/emulation.js';
import type { Place } from '../../../src/contracts/places.js';
import { PLACES } from '../../../src/emulator/weather/places.js';
import { ENERGY, generateWholeDay } from '../../../src/emulator/wholeDays/wholeDay.js';
import { type Place as MeterPlace, places, type Sample, SLOTS_PER_DAY } from '../sample.js';
import type { HomeSeries } from './homeStatistics.js';

/** A year of a place's homes, as `generateWholeDay` makes it, by the clock of their place. */
export interface EmulatedYear {
  homes: HomeSeries[];
  trade: HomeSeries[];
}

export interface Scene {
  model: PlaceModel;
  place: Place;
  seed: string;
  year: number;
  meters: number;
}

const FEEDERS = 5;
const MS_PER_DAY = 86_400_000;
const DAYS = 365;

/** The instant at which a year begins by the standard time of a place, ms. */
export function standardMidnight(place: Place, year: number): number {
  return Date.UTC(year, 0, 1) - Math.round(PLACES[place].longitude / 15) * 3_600_000;
}

/** Years by local standard time: real sets are by such a clock too. `perDay` is 96, 48 or 24. */
export function emulatedYear(
  { model, place, seed, year, meters }: Scene,
  perDay: 96 | 48 | 24,
): EmulatedYear {
  const fleet = { meterCount: meters, feederCount: FEEDERS };
  const sample: Sample = { tenantId: 'HOMES', seed, climate: 'us', timeZone: PLACES[place].timeZone };
  const where = places(sample, fleet);
  const midnight = standardMidnight(place, year);
  const series = where.map(() => new Float64Array(DAYS * perDay));
  const together = SLOTS_PER_DAY / perDay;
  for (let day = 0; day < DAYS; day += 1) {
    const readAt = new Date(midnight + day * MS_PER_DAY);
    const scene = { ...sample, model, place, readAt, intervalMinutes: 15, intervals: 96 } as const;
    const { kwh } = generateWholeDay(scene, fleet, 0, meters);
    for (let at = 0; at < kwh.length; at += 1) {
      const values = series[Math.floor(at / SLOTS_PER_DAY)] as Float64Array;
      const into = day * perDay + Math.floor((at % SLOTS_PER_DAY) / together);
      values[into] = (values[into] as number) + (kwh[at] as number) / ENERGY;
    }
  }
  // 1970-01-01 was a Thursday; 0 is Monday.
  const firstWeekday = (Date.UTC(year, 0, 1) / MS_PER_DAY + 3) % 7;
  const of = (isHome: boolean) =>
    series
      .filter((_, meter) => ((where[meter] as MeterPlace).customerClass === 'residential') === isHome)
      .map((kwh) => ({ kwh, perDay, firstWeekday }));
  return { homes: of(true), trade: of(false) };
}

/** The same reads, some intervals at a time as one. */
export function coarser({ kwh, perDay, firstWeekday }: HomeSeries, times: number): HomeSeries {
  return {
    kwh: Float64Array.from({ length: kwh.length / times }, (_, at) => {
      let sum = 0;
      for (let part = 0; part < times; part += 1) sum += kwh[at * times + part] as number;
      return sum;
    }),
    perDay: perDay / times,
    firstWeekday,
  };
}
