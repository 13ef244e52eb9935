import { exponentialQuantiles, lognormalQuantiles, pick } from '../chance/quantiles.js';
import { drawAt, STREAM } from '../chance/random.js';
import type { Expectation } from './expectation.js';
import { HOME_HABITS, habit } from './habits.js';

/**
 * Appliance runs make a home's load spiky. A run starts at random in a quarter hour, more likely when the home is busy,
 * and lasts a few quarter hours at one power. Each of those finds the run by looking back as far as the longest run
 * lasts. There are two kinds: many light runs (cooking, washing, screens) and few heavy ones (dryer, range, water
 * heater, car).
 */
const LIGHT = {
  /** Share of the home's energy. */
  share: 0.22,
  /** Shortest and longest run, quarter hours, all lengths between as likely. */
  min: 1,
  max: 5,
  /** Mean power, in mean loads of a mean home (1.22 kW). */
  power: 0.5,
  spread: exponentialQuantiles(),
} as const;
const HEAVY = { share: 0.11, min: 2, max: 6, power: 3.1, spread: lognormalQuantiles(0.25) } as const;

/** Quarter hours to look back for the start of a run that still lasts. */
export const LOOK_BACK = Math.max(LIGHT.max, HEAVY.max) - 1;

/** Share of a home's energy that appliance runs take; the rest flows all the time. */
export const APPLIANCE_SHARE = LIGHT.share + HEAVY.share;

const meanLength = (kind: { min: number; max: number }): number => (kind.min + kind.max) / 2;
const LIGHT_STARTS = LIGHT.share / (LIGHT.power * meanLength(LIGHT));
const HEAVY_STARTS = HEAVY.share / (HEAVY.power * meanLength(HEAVY));

/** Starts per quarter hour in a mean home at mean load. */
export const STARTS_PER_QUARTER = LIGHT_STARTS + HEAVY_STARTS;
const HEAVY_PROBABILITY = HEAVY_STARTS / STARTS_PER_QUARTER;

/** The highest habit there is. */
export const BUSIEST = pick(HOME_HABITS, 0xffffffff);

/**
 * Power of the runs that go on in a quarter hour, in mean loads of a mean home.
 *
 * @param index the quarter hour's place in the expectation, shifted as the home is.
 * @param starts this home's starts per quarter hour at mean load.
 */
export function appliancePower(
  key: number,
  slot: number,
  index: number,
  starts: number,
  expectation: Expectation,
): number {
  const { clock } = expectation;
  const level = expectation.level.residential;
  let power = 0;
  for (let age = 0; age <= LOOK_BACK; age += 1) {
    const chance = drawAt(key, STREAM.applianceStart, slot - age) / 2 ** 32;
    const start = index - age;
    // A run is half over one to two quarter hours after its start: the load to come decides.
    const load = ((level[start + 1] as number) + (level[start + 2] as number)) / 2;
    const expected = starts * load;
    // In most quarter hours no habit would start a run, so the home's own is not looked at.
    if (chance >= expected * BUSIEST) continue;
    if (chance >= expected * habit(key, clock[start] as number, HOME_HABITS)) continue;
    power += runPower(drawAt(key, STREAM.applianceRun, slot - age), age);
  }
  return power;
}

/** Power of a run `age` quarter hours after its start, 0 when it has ended. */
function runPower(draw: number, age: number): number {
  return age < runLength(draw) ? runStrength(draw) : 0;
}

// Kind, length and power of a run are different bits of one draw: 12, 10 and 10.

function kindOf(draw: number): typeof HEAVY | typeof LIGHT {
  return (draw & 0xfff) / 0x1000 < HEAVY_PROBABILITY ? HEAVY : LIGHT;
}

/** How long a run lasts, quarter hours. */
export function runLength(draw: number): number {
  const { min, max } = kindOf(draw);
  return min + ((((draw >>> 12) & 0x3ff) * (max - min + 1)) >>> 10);
}

/** Power of a run while it lasts. */
export function runStrength(draw: number): number {
  const { power, spread } = kindOf(draw);
  return power * pick(spread, draw);
}
