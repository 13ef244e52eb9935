import { valueNoise } from '../chance/noise.js';
import { exponentialQuantiles, lognormalQuantiles, pick } from '../chance/quantiles.js';
import { drawAt, STREAM } from '../chance/random.js';
import { CLOCK_TANK, type Home, SHOWER, TANK, UNITS_PER_KWH } from './home.js';
import type { PlaceScene } from './placeScene.js';
import { activity, fillDay, type HomeDay, NO_DAY } from './presence.js';
import { runsEnergy } from './runs.js';
import { coolingEnergy, heatingEnergy, storageEnergy } from './thermostats.js';
import { showerEnergy, tankEnergy, timedTankEnergy } from './water.js';

/** Spread of months and of hours, from the steadiest homes to the most changeable: sdlog. */
export const SPREADS = [0.07, 0.15, 0.28, 0.48, 0.75].map(lognormalQuantiles);
/** The same of days, whose runs of machines and whose absences come on top. */
export const DAYS = [0.03, 0.07, 0.14].map(lognormalQuantiles);
export const QUARTERS = lognormalQuantiles(0.12);
export const SHORT = exponentialQuantiles();
/** Quarter hours between the nodes of what changes over months, and over hours. */
export const MONTH = 2_300;
export const HOURS = 9;
/** Bits of a key that are the phase of its home's noise, in quarter hours. */
export const MONTH_PHASES = 0xfff;
export const HOUR_PHASES = 7;

/** More is done on days off, by `dayKind`: guests, cleaning, whole days in. */
export const BY_KIND = [1, 1.03, 1.09, 1.09];

const today: HomeDay = { ...NO_DAY };

/** Energy of a home in a quarter hour, kWh. */
export function homeKwh(home: Home, slot: number, scene: PlaceScene): number {
  const index = slot - scene.firstSlot;
  const { key } = home;
  const quarter = scene.homeQuarter[index] as number;
  const day = scene.homeDay[index] as number;
  const kind = scene.homeKind[index] as number;
  fillDay(today, key, home, scene.place, day, kind);
  const active = activity(today, quarter, home.byDay, home.morning, home.night) / 256;
  const mood = drawAt(key, STREAM.homeMood, day);
  const months = valueNoise(
    key,
    STREAM.homeMonths,
    slot + (key & MONTH_PHASES),
    MONTH,
    SPREADS[home.monthSpread] as Float64Array,
  );
  const drive = pick(DAYS[home.daySpread] as Float64Array, mood) * months * (BY_KIND[kind] as number);

  const ofQuarter = drawAt(key, STREAM.homeQuarter, slot);
  let energy = home.steady * pick(QUARTERS, ofQuarter);
  if ((slot + (key >>> 8)) % home.fridgeCycle < home.fridgeOn) energy += home.fridge;
  if (active > 0) {
    const hours = valueNoise(
      key,
      STREAM.homeHours,
      slot + (key & HOUR_PHASES),
      HOURS,
      SPREADS[home.hourSpread] as Float64Array,
    );
    energy +=
      active *
      drive *
      hours *
      (home.living + home.light * (scene.dark[index] as number)) *
      flickered(home, ofQuarter);
    const short = drawAt(key, STREAM.shortRun, slot);
    if (short >>> 16 < home.shortRuns * active * drive * (scene.breaks[index] as number))
      energy += home.short * pick(SHORT, Math.imul(short, 0x9e3779b1) >>> 0);
  }
  if (!today.away) energy += runsEnergy(home, today, day, quarter, kind, drive);
  if (home.water === SHOWER) energy += showerEnergy(home, today, slot, quarter, drive);
  else if (home.water === TANK) energy += tankEnergy(home, active, slot, drive);
  else if (home.water === CLOCK_TANK) energy += timedTankEnergy(home, today, quarter, day, mood, drive);
  const air = scene.air[index] as number;
  if (home.heat > 0 && air < home.heatBelow) energy += heatingEnergy(home, active, slot, day, air);
  if (home.storage > 0) energy += storageEnergy(home, today, quarter, day, air);
  if (home.cool > 0 && air > home.coolAbove) energy += coolingEnergy(home, active, slot, day, air);
  if (home.timed > 0) energy += timedEnergy(home, quarter, day);
  return bent(energy, home.bend) / UNITS_PER_KWH;
}

/** What people have switched on in a quarter hour against its mean, by the lower bits of a draw whose upper ones are taken. */
export function flickered({ flicker }: Home, draw: number): number {
  return 1 + flicker * (((draw & 0xffff) - 0x7fff) / (256 * 0x7fff));
}

/** A pump or lamp on a clock. A lamp's may be off for a day, and be set early or late. */
export function timedEnergy(home: Home, quarter: number, day: number): number {
  if (home.timedDrift === 0) return (quarter - home.timedAt + 96) % 96 < home.timedQuarters ? home.timed : 0;
  const draw = drawAt(home.key, STREAM.timedLoad, day);
  if (draw >>> 24 < home.timedOff) return 0;
  const since = quarter - home.timedAt - ((draw & 255) % (2 * home.timedDrift + 1)) + home.timedDrift;
  return since >= 0 && since < home.timedQuarters ? home.timed : 0;
}

/** A service carries no more than so much: what would be more bends towards one and three quarters of `bend`. */
export function bent(energy: number, bend: number): number {
  return energy <= bend ? energy : bend * (1.75 - 0.75 * Math.exp((bend - energy) / (0.75 * bend)));
}
