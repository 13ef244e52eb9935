import { describe, expect, it } from 'vitest';
import type { PlaceModel } from '../../../src/contracts/emulation.js';
import { CLOCK_TANK, createHome, type Home } from '../../../src/emulator/homes/home.js';
import { homeKwh } from '../../../src/emulator/homes/homeLoad.js';
import { sceneOfPlace } from '../../../src/emulator/homes/placeScene.js';
import { lagged } from '../../realism/homes/homeStatistics.js';
import { median } from '../../support/quantiles.js';

const DAYS = 59;
const FIRST = Date.UTC(2026, 0, 1) / 900_000;

const keyOf = (home: number): number => Math.imul(home + 1, 0x9e3779b1) | 0;

/** So many homes with something; the models differ in none of what is asked for. */
function homesWith(count: number, has: (home: Home) => boolean): number[] {
  const keys: number[] = [];
  for (let home = 0; keys.length < count; home += 1)
    if (has(createHome(keyOf(home), 3, 'uk'))) keys.push(keyOf(home));
  return keys;
}

/** Two months of winter, kWh a quarter hour. */
function winterOf(key: number, model: PlaceModel): Float64Array {
  const scene = sceneOfPlace(model, 'uk', 'UTC', FIRST, DAYS * 96, 77);
  const home = createHome(key, model, 'uk');
  return Float64Array.from({ length: DAYS * 96 }, (_, at) => homeKwh(home, FIRST + at, scene));
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
const between = (kwh: Float64Array, from: number, to: number): number =>
  sum(kwh.filter((_, at) => at % 96 >= from && at % 96 < to)) / sum(kwh);

/** In the second model and in the third. */
const inBoth = (
  keys: readonly number[],
  of: (kwh: Float64Array) => number,
): [second: number, third: number] => [
  median(keys.map((key) => of(winterOf(key, 2)))),
  median(keys.map((key) => of(winterOf(key, 3)))),
];
const dayAfterDay = (kwh: Float64Array): number => lagged(kwh, 96);

describe('homes of the third model', () => {
  it('repeat their days less where heat is stored by night, as London’s steadiest do, whose autocorrelation is 0.7 at most', () => {
    const keys = homesWith(25, ({ storage, water }) => storage > 0 && water === 0);
    const [second, third] = inBoth(keys, dayAfterDay);
    expect(second).toBeGreaterThan(0.75);
    expect(third).toBeLessThan(0.7);
  });

  it('heat the water that a day has used, not the same each night', () => {
    const keys = homesWith(25, ({ storage, water }) => storage === 0 && water === CLOCK_TANK);
    const [second, third] = inBoth(keys, dayAfterDay);
    expect(second).toBeGreaterThan(0.55);
    expect(third).toBeLessThan(0.5);
  });

  it('draw half of what they draw in winter by day, where heat is stored by night', () => {
    const keys = homesWith(25, ({ storage }) => storage > 0);
    const [second, third] = inBoth(keys, (kwh) => between(kwh, 0, 32));
    expect(second).toBeGreaterThan(0.65);
    expect(third).toBeLessThan(0.55);
  });
});
