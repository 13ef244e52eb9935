import { quantile } from '../support/quantiles.js';
import { daySlot, places, readsAt, type Sample, SLOTS_PER_DAY } from './sample.js';
import { autocorrelation, deviation, mean } from './statistics.js';

/** What a year of quarter hours of one home says. */
export interface HomeYear {
  kwhPerDay: number;
  variation: number;
  lagOne: number;
  lagDay: number;
  loadFactor: number;
  p99: number;
  peakKw: number;
}

/** Homes spread over the fleet's feeders, through 2026, every quarter hour. */
export function homeYears(sample: Sample, homes: number): HomeYear[] {
  const series = homeSeries(sample, homes, daySlot(2026, 0, 1), 365 * SLOTS_PER_DAY);
  return series.map((kwh) => {
    const level = mean(kwh);
    const peak = kwh.reduce((most, value) => Math.max(most, value), 0);
    return {
      kwhPerDay: level * SLOTS_PER_DAY,
      variation: deviation(kwh) / level,
      lagOne: autocorrelation(kwh, 1),
      lagDay: autocorrelation(kwh, SLOTS_PER_DAY),
      loadFactor: level / peak,
      p99: quantile(kwh, 0.99) / level,
      peakKw: peak * 4,
    };
  });
}

/** Quarter hours of that many homes, kWh; homes that stand empty are left out (under 4 kWh a day). */
export function homeSeries(sample: Sample, homes: number, firstSlot: number, slots: number): Float64Array[] {
  const fleet = { meterCount: Math.ceil(homes * 1.2), feederCount: 25 };
  const series = places(sample, fleet).map(() => new Float64Array(slots));
  for (let index = 0; index < slots; index += 1) {
    const { kwh } = readsAt(sample, fleet, firstSlot + index);
    for (let meter = 0; meter < kwh.length; meter += 1) {
      (series[meter] as Float64Array)[index] = kwh[meter] as number;
    }
  }
  const residential = places(sample, fleet).map((place) => place.customerClass === 'residential');
  return series.filter((kwh, meter) => residential[meter] && mean(kwh) * SLOTS_PER_DAY >= 4).slice(0, homes);
}
