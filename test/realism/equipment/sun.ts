import { sunHeight } from '../../../src/emulator/weather/sun.js';
import { quantile } from '../../support/quantiles.js';
import type { Figure } from '../bands.js';
import { mean } from '../statistics.js';
import { SUN_BANDS, YIELD_BANDS } from './equipmentBands.js';
import { type Flows, highest, sumOf } from './flows.js';

/** What roofs make. The same functions measure real roofs, whose peak power is not known: the best hour stands for it. */

const DAY = 24;
/** Sine of six degrees below the horizon: the clock of the height's formula is up to a quarter of an hour off the sun's. */
const TWILIGHT = -0.105;

/** Of one roof, kWh an hour from a midnight on. */
export interface RoofYear {
  /** Share of days that make at least 85 % of the best day of the fortnight before and after. */
  clearDays: number;
  /** Step from one hour to the next by day that is exceeded in one of a hundred, share of the best hour. */
  ramp: number;
  /** Of daily kWh. */
  dayVariation: number;
}

export function roofYear(hours: Float64Array): RoofYear {
  const best = highest(hours);
  const days = sumOf([hours], DAY);
  const clear = days.filter((kwh, day) => kwh >= 0.85 * highest(days.slice(Math.max(0, day - 15), day + 16)));
  const steps: number[] = [];
  for (let at = 1; at < hours.length; at += 1) {
    const [before, here] = [hours[at - 1] as number, hours[at] as number];
    if (before > 0 || here > 0) steps.push(Math.abs(here - before) / best);
  }
  const level = mean(days);
  return {
    clearDays: clear.length / days.length,
    ramp: quantile(steps, 0.99),
    dayVariation: Math.sqrt(mean(days.map((kwh) => (kwh - level) ** 2))) / level,
  };
}

export function sunFigures({ place, firstSlot, into, consumed, roofs }: Flows): Figure[] {
  const made = into.map((flow) => flow.map((kwh) => Math.max(0, -kwh)));
  const hourly = made.map((kwh) => sumOf([kwh], 4));
  const years = hourly.map(roofYear);
  const middle = (of: keyof RoofYear) =>
    quantile(
      years.map((year) => year[of]),
      0.5,
    );
  const perKw = made.map((kwh, home) => sumKwh(kwh) / (roofs[home]?.peakKw as number));
  const bestQuarter = made.map((kwh, home) => (4 * highest(kwh)) / (roofs[home]?.peakKw as number));
  const overLoad = made.map((kwh, home) => sumKwh(kwh) / sumKwh(consumed[home] as Float64Array));
  const figure = (what: keyof typeof SUN_BANDS, measured: number): Figure => ({
    ...SUN_BANDS[what],
    measured,
  });
  const everywhere: Figure[] = [
    { ...YIELD_BANDS[place], measured: mean(perKw) },
    figure('best', quantile(bestQuarter, 0.5)),
    figure(
      'night',
      atNight(made, (slot) => sunHeight(place, firstSlot + slot)),
    ),
    figure('ramp', middle('ramp')),
  ];
  // Measured roofs are of California and Sydney, whose skies are no more like those of Europe than their homes.
  if (place !== 'us-south') return everywhere;
  return [
    ...everywhere,
    figure('clearDays', middle('clearDays')),
    figure('dayVariation', middle('dayVariation')),
    figure('overLoad', quantile(overLoad, 0.5)),
    figure('fedIn', quantile(fedInShares(consumed, made), 0.5)),
  ];
}

const sumKwh = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

/** The most that any roof makes in a quarter hour of night, kWh. */
function atNight(made: readonly Float64Array[], height: (slot: number) => number): number {
  const slots = (made[0] as Float64Array).length;
  let most = 0;
  for (let slot = 0; slot < slots; slot += 1) {
    if (height(slot) > TWILIGHT) continue;
    for (const kwh of made) most = Math.max(most, kwh[slot] as number);
  }
  return most;
}

/** The share of what a roof makes that is not used at home, quarter hour by quarter hour. */
function fedInShares(consumed: readonly Float64Array[], made: readonly Float64Array[]): number[] {
  return made.map((kwh, home) => {
    const used = consumed[home] as Float64Array;
    let out = 0;
    kwh.forEach((value, slot) => {
      out += Math.max(0, value - (used[slot] as number));
    });
    return out / sumKwh(kwh);
  });
}
