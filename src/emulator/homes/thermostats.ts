import { drawAt, STREAM } from '../chance/random.js';
import type { Home2 } from './home.js';
import type { HomeDay } from './presence.js';

/** What is driven by the weather: heating and cooling by thermostat, storage heating by night. */

/**
 * The share of a quarter hour that a thermostat's machine runs wanders about the need: it cycles. Frugal homes use it
 * when they are there, and not on each day.
 */
function used(home: Home2, active: number, slot: number, day: number): number {
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

export function heatingEnergy(home: Home2, active: number, slot: number, day: number, air: number): number {
  return Math.min(home.heatLimit, home.heat * (home.heatBelow - air) * used(home, active, slot, day));
}

export function coolingEnergy(home: Home2, active: number, slot: number, day: number, air: number): number {
  return Math.min(home.coolLimit, home.cool * (air - home.coolAbove) * used(home, active, slot, day));
}

/** Quarter hours of the night tariff. */
const NIGHT = 28;
/** Kelvin below which storage heaters are charged, and at which they take the whole night. */
const CHARGE_BELOW = 15;
const CHARGE_SPAN = 14;

/** Storage heaters charge from the tariff's first minute until they hold what the cold asks for. */
export function storageEnergy(
  home: Home2,
  today: HomeDay,
  quarter: number,
  day: number,
  air: number,
): number {
  const since = (quarter - home.storageAt + 96) % 96;
  if (since >= NIGHT || air >= CHARGE_BELOW) return 0;
  // Somebody turns the input up or down, by the forecast or by yesterday's evening.
  const turned = 0.7 + 0.6 * (drawAt(home.key, STREAM.thermostat, -1 - day) / 2 ** 32);
  const wanted = NIGHT * Math.min(1, ((CHARGE_BELOW - air) / CHARGE_SPAN) * turned) * (today.away ? 0.5 : 1);
  return since < wanted ? home.storage * Math.min(1, wanted - since) : 0;
}
