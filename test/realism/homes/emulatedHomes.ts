import type { Place } from '../../../src/contracts/places.js';
import { generateReads } from '../../../src/emulator/reads.js';
import { PLACES } from '../../../src/emulator/weather/places.js';
import { type Place as MeterPlace, places, QUARTER_HOUR_MS, type Sample, SLOTS_PER_DAY } from '../sample.js';
import type { HomeSeries } from './homeStatistics.js';

/** A year of the second model's homes, as `generateReads` makes it, by the clock of their place. */
export interface EmulatedYear {
  homes: HomeSeries[];
  trade: HomeSeries[];
}

export interface Scene {
  place: Place;
  seed: string;
  year: number;
  meters: number;
}

const FEEDERS = 5;
const MS_PER_DAY = 86_400_000;

/** Years by local standard time: real sets are by such a clock too. `perDay` is 96, 48 or 24. */
export function emulatedYear({ place, seed, year, meters }: Scene, perDay: 96 | 48 | 24): EmulatedYear {
  const fleet = { meterCount: meters, feederCount: FEEDERS };
  const sample: Sample = { tenantId: 'HOMES', seed, climate: 'us', timeZone: PLACES[place].timeZone };
  const where = places(sample, fleet);
  const days = 365;
  const midnight = Date.UTC(year, 0, 1) - Math.round(PLACES[place].longitude / 15) * 3_600_000;
  const series = where.map(() => new Float64Array(days * perDay));
  const together = SLOTS_PER_DAY / perDay;
  for (let slot = 0; slot < days * SLOTS_PER_DAY; slot += 1) {
    const { kwh } = generateReads({
      ...sample,
      model: 2,
      place,
      fleet,
      from: 0,
      to: meters,
      readAt: new Date(midnight + slot * QUARTER_HOUR_MS),
      intervalMinutes: 15,
    });
    const at = Math.floor(slot / together);
    for (let meter = 0; meter < meters; meter += 1) {
      const values = series[meter] as Float64Array;
      values[at] = (values[at] as number) + (kwh[meter] as number);
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
