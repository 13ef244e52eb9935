import { drawAt, STREAM } from '../chance/random.js';
import type { Home } from './home.js';
import type { HomeDay } from './presence.js';

/** What is driven by the weather: heating and cooling by thermostat, storage heating by night. */

/**
 * The share of a quarter hour that a thermostat's machine runs wanders about the need: it cycles. Frugal homes use it
 * when they are there, and not on each day.
 */
function used(home: Home, active: number, slot: number, day: number): number {
  // Doors, cooking and the machine's own cycle: an hour's need by a draw, the quarter hours in it by its other bits.
  const hour = (slot + (home.key & 3)) >> 2;
  const draw = drawAt(home.key, STREAM.thermostat, hour);
  const quarter = (draw >>> (8 + 6 * ((slot + home.key) & 3))) & 63;
  const cycle = 0.47 + (draw & 255) / 240 + (quarter - 32) / 70;
  if (home.frugal < 38) return cycle;
  const setback = 1 - (home.frugal / 256) * (active > 0 ? 0.15 : 0.85);
  const off = drawAt(home.key, STREAM.thermostat, -1 - day) >>> 24 < (home.frugal - 102) * 0.9;
  return off ? 0 : cycle * setback;
}

export function heatingEnergy(home: Home, active: number, slot: number, day: number, air: number): number {
  return Math.min(home.heatLimit, home.heat * (home.heatBelow - air) * used(home, active, slot, day));
}

export function coolingEnergy(home: Home, active: number, slot: number, day: number, air: number): number {
  return Math.min(home.coolLimit, home.cool * (air - home.coolAbove) * used(home, active, slot, day));
}

/** Quarter hours of the night tariff. */
const NIGHT = 28;
/** Kelvin below which storage heaters are charged, and at which they take the whole night. */
const CHARGE_BELOW = 15;
const CHARGE_SPAN = 14;

/** Storage heaters charge from the tariff's first minute until they hold what the cold asks for. */
export function storageEnergy(home: Home, today: HomeDay, quarter: number, day: number, air: number): number {
  const since = (quarter - home.storageAt + 96) % 96;
  if (since >= NIGHT || air >= CHARGE_BELOW) return 0;
  if (home.heaters > 0) return heatersEnergy(home, today, since, quarter < since ? day - 1 : day, air);
  // Somebody turns the input up or down, by the forecast or by yesterday's evening.
  const turned = 0.7 + 0.6 * (drawAt(home.key, STREAM.thermostat, -1 - day) / 2 ** 32);
  const wanted = NIGHT * Math.min(1, ((CHARGE_BELOW - air) / CHARGE_SPAN) * turned) * (today.away ? 0.5 : 1);
  return since < wanted ? home.storage * Math.min(1, wanted - since) : 0;
}

/**
 * Each heater has an input control that somebody turns, and a thermostat that ends its charge: by the cold, and by what was left in it. On
 * some nights one is switched off.
 *
 * @param since quarter hours from the night tariff's first minute on.
 * @param night the day in which the night began.
 */
function heatersEnergy(home: Home, today: HomeDay, since: number, night: number, air: number): number {
  const cold = Math.min(1, (CHARGE_BELOW - air) / CHARGE_SPAN) * (today.away ? 0.5 : 1);
  const draw = drawAt(home.key, STREAM.storageHeaters, night);
  let charging = 0;
  for (let heater = 0; heater < home.heaters; heater += 1) {
    const control = (draw >>> (8 * heater)) & 255;
    if (control < home.heaterOff) continue;
    const left = NIGHT * Math.min(1, cold * (LEAST_CHARGE + (control / 255) * CHARGE_SPREAD)) - since;
    if (left > 0) charging += Math.min(1, left);
  }
  return (home.storage * charging) / home.heaters;
}

/** How much of what the cold asks for a heater takes in one night: a control is turned, and yesterday's heat may be left. */
const LEAST_CHARGE = 0.3;
const CHARGE_SPREAD = 1.2;
