import { drawAt, STREAM } from '../chance/random.js';
import type { Home } from './home.js';
import type { HomeDay } from './presence.js';

/** Hot water by electricity. */

/** A shower heater draws all its energy in minutes: after getting up, some before bed. */
export function showerEnergy(
  home: Home,
  today: HomeDay,
  slot: number,
  quarter: number,
  drive: number,
): number {
  if (today.away) return 0;
  const morning = quarter >= today.wake && quarter < today.wake + 5;
  const evening = quarter >= today.bed - 10 && quarter < today.bed - 2;
  if (!morning && !evening) return 0;
  const people = home.persons * drive;
  const draw = drawAt(home.key, STREAM.hotWater, slot);
  const chance = morning ? 0.11 * people : 0.03 * people;
  return draw / 2 ** 32 < chance ? home.heater * (0.6 + ((draw & 255) / 255) * 0.8) : 0;
}

/** A tank that heats when its water is used or has cooled down. */
export function tankEnergy(home: Home, active: number, slot: number, drive: number): number {
  const perHour = home.waterQuarters / 40;
  const draw = drawAt(home.key, STREAM.hotWater, slot);
  return draw / 2 ** 32 < perHour * (active * drive * 1.7 + 0.1)
    ? home.heater * (0.4 + ((draw & 255) / 255) * 0.6)
    : 0;
}

/** A tank that may heat by night or at an hour of its clock only, for as long as the day's use asks. */
export function timedTankEnergy(
  home: Home,
  today: HomeDay,
  quarter: number,
  day: number,
  mood: number,
  drive: number,
): number {
  const since = (quarter - home.waterAt + 96) % 96;
  if (home.waterSpread > 0)
    return usedTankEnergy(home, today, since, quarter, quarter < since ? day - 1 : day, day, drive);
  const wanted = today.away ? 1 : home.waterQuarters * drive * (0.8 + ((mood & 255) / 255) * 0.4);
  if (since >= wanted) return 0;
  return home.heater * Math.min(1, wanted - since);
}

/**
 * A tank whose thermostat ends the heating when what was used is hot again: a bath one day, next to nothing on another. Where the water
 * has run out somebody boosts it in the evening.
 *
 * @param started the day in which its clock has switched it on.
 */
function usedTankEnergy(
  home: Home,
  today: HomeDay,
  since: number,
  quarter: number,
  started: number,
  day: number,
  drive: number,
): number {
  const used = drawAt(home.key, STREAM.hotWater, started);
  const part = 1 + ((2 * (used & 255)) / 255 - 1) * (home.waterSpread / 256);
  const left = (today.away ? STANDING : Math.max(STANDING, home.waterQuarters * drive * part)) - since;
  let heating = left > 0 ? Math.min(1, left) : 0;
  if (!today.away && home.boosts > 0) {
    const boost = started === day ? used : drawAt(home.key, STREAM.hotWater, day);
    const from = FIRST_BOOST + ((boost >>> 16) & 15);
    if (boost >>> 24 < home.boosts && quarter >= from && quarter < from + 2 + ((boost >>> 20) & 3))
      heating = 1;
  }
  return home.heater * heating;
}

/** Quarter hours of heating that a tank asks for which nobody has used. */
const STANDING = 1;
/** Boosts begin between 16:00 and 20:00: quarter hours since four in the morning. */
const FIRST_BOOST = 48;
