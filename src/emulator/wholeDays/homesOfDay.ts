import { pick } from '../chance/quantiles.js';
import { drawAt, STREAM } from '../chance/random.js';
import { CLOCK_TANK, type Home, SHOWER, TANK, UNITS_PER_KWH } from '../homes/home.js';
import {
  BY_KIND,
  bent,
  DAYS,
  flickered,
  HOUR_PHASES,
  HOURS,
  MONTH,
  MONTH_PHASES,
  QUARTERS,
  SHORT,
  SPREADS,
  timedEnergy,
} from '../homes/homeLoad.js';
import type { PlaceScene } from '../homes/placeScene.js';
import { activity, fillDay, type HomeDay, NO_DAY } from '../homes/presence.js';
import { energyOfRuns, fillRuns, noRuns } from '../homes/runs.js';
import { coolingEnergy, heatingEnergy, storageEnergy } from '../homes/thermostats.js';
import { showerEnergy, tankEnergy, timedTankEnergy } from '../homes/water.js';
import { type NoiseSteps, noiseSteps } from './noiseSteps.js';

/** What all homes of a scene have in common, besides the scene. */
export interface HomesDay {
  scene: PlaceScene;
  hours: NoiseSteps;
  months: NoiseSteps;
}

export function homesDay(scene: PlaceScene): HomesDay {
  const { firstSlot, slots } = scene;
  return {
    scene,
    hours: noiseSteps(firstSlot, slots, HOUR_PHASES, HOURS),
    months: noiseSteps(firstSlot, slots, MONTH_PHASES, MONTH),
  };
}

const today: HomeDay = { ...NO_DAY };
const runs = noRuns();

/**
 * Fills in what a home of a place draws in each quarter hour, kWh, as `homeKwh` has it to the last bit: the same
 * terms in the same order, and those of a day found once a day.
 */
export function fillHome(into: Float64Array, home: Home, { scene, hours, months }: HomesDay): void {
  const { firstSlot, slots, homeQuarter, homeDay, homeKind, dark, breaks, air } = scene;
  const { key, steady, living, light, shortRuns, short, water, fridge, fridgeCycle, fridgeOn, bend } = home;
  const { homeQuarter: quarterStream, homeMonths, homeHours, shortRun } = STREAM;
  const [quarters, exponential] = [QUARTERS, SHORT];
  const ofDays = DAYS[home.daySpread] as Float64Array;
  const ofMonths = SPREADS[home.monthSpread] as Float64Array;
  const ofHours = SPREADS[home.hourSpread] as Float64Array;
  const [hourPhase, monthPhase] = [key & HOUR_PHASES, key & MONTH_PHASES];
  let [day, monthNode, hourNode] = [Number.NaN, -1, -1];
  let [month, toMonth, hour, toHour] = [0, 0, 0, 0];
  let mood = 0;
  let spread = 0;
  let ofKind = 1;
  let sinceFridge = (firstSlot + (key >>> 8)) % fridgeCycle;
  for (let at = 0; at < slots; at += 1) {
    const slot = firstSlot + at;
    const quarter = homeQuarter[at] as number;
    const kind = homeKind[at] as number;
    if (homeDay[at] !== day) {
      day = homeDay[at] as number;
      fillDay(today, key, home, scene.place, day, kind);
      fillRuns(runs, home, today, day, kind);
      mood = drawAt(key, STREAM.homeMood, day);
      spread = pick(ofDays, mood);
      ofKind = BY_KIND[kind] as number;
    }
    const active = activity(today, quarter, home.byDay, home.morning, home.night) / 256;
    if (months.node[at + monthPhase] !== monthNode) {
      monthNode = months.node[at + monthPhase] as number;
      month = pick(ofMonths, drawAt(key, homeMonths, monthNode));
      toMonth = pick(ofMonths, drawAt(key, homeMonths, monthNode + 1)) - month;
    }
    const drive = spread * (month + toMonth * (months.way[at + monthPhase] as number)) * ofKind;

    const ofQuarter = drawAt(key, quarterStream, slot);
    let energy = steady * pick(quarters, ofQuarter);
    if (sinceFridge < fridgeOn) energy += fridge;
    sinceFridge = sinceFridge + 1 === fridgeCycle ? 0 : sinceFridge + 1;
    if (active > 0) {
      if (hours.node[at + hourPhase] !== hourNode) {
        hourNode = hours.node[at + hourPhase] as number;
        hour = pick(ofHours, drawAt(key, homeHours, hourNode));
        toHour = pick(ofHours, drawAt(key, homeHours, hourNode + 1)) - hour;
      }
      const ofHour = hour + toHour * (hours.way[at + hourPhase] as number);
      energy +=
        active * drive * ofHour * (living + light * (dark[at] as number)) * flickered(home, ofQuarter);
      const draw = drawAt(key, shortRun, slot);
      if (draw >>> 16 < shortRuns * active * drive * (breaks[at] as number))
        energy += short * pick(exponential, Math.imul(draw, 0x9e3779b1) >>> 0);
    }
    if (!today.away) energy += energyOfRuns(home, runs, quarter, kind, drive);
    if (water === SHOWER) energy += showerEnergy(home, today, slot, quarter, drive);
    else if (water === TANK) energy += tankEnergy(home, active, slot, drive);
    else if (water === CLOCK_TANK) energy += timedTankEnergy(home, today, quarter, day, mood, drive);
    const outside = air[at] as number;
    if (home.heat > 0 && outside < home.heatBelow) energy += heatingEnergy(home, active, slot, day, outside);
    if (home.storage > 0) energy += storageEnergy(home, today, quarter, day, outside);
    if (home.cool > 0 && outside > home.coolAbove) energy += coolingEnergy(home, active, slot, day, outside);
    if (home.timed > 0) energy += timedEnergy(home, quarter, day);
    into[at] = bent(energy, bend) / UNITS_PER_KWH;
  }
}
