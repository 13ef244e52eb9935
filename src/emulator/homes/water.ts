import { drawAt, STREAM } from '../chance/random.js';
import type { Home2 } from './home.js';
import type { HomeDay } from './presence.js';

/** Hot water by electricity. */

/** A shower heater draws all its energy in minutes: after getting up, some before bed. */
export function showerEnergy(
  home: Home2,
  today: HomeDay,
  slot: number,
  quarter: number,
  drive: number,
): number {
  if (today.away) return 0;
  const morning = quarter >= today.wake && quarter < today.wake + 5;
  const evening = quarter >= today.bed - 10 && quarter < today.bed - 2;
  if (!morning && !evening) return 0;
  const people = home.household.persons * drive;
  const draw = drawAt(home.key, STREAM.hotWater, slot);
  const chance = morning ? 0.11 * people : 0.03 * people;
  return draw / 2 ** 32 < chance ? home.heater * (0.6 + ((draw & 255) / 255) * 0.8) : 0;
}

/** A tank that heats when its water is used or has cooled down. */
export function tankEnergy(home: Home2, active: number, slot: number, drive: number): number {
  const perHour = home.waterQuarters / 40;
  const draw = drawAt(home.key, STREAM.hotWater, slot);
  return draw / 2 ** 32 < perHour * (active * drive * 1.7 + 0.1)
    ? home.heater * (0.4 + ((draw & 255) / 255) * 0.6)
    : 0;
}

/** A tank that may heat by night or at an hour of its clock only, for as long as the day's use asks. */
export function timedTankEnergy(
  home: Home2,
  today: HomeDay,
  quarter: number,
  mood: number,
  drive: number,
): number {
  const since = (quarter - home.waterAt + 96) % 96;
  const wanted = today.away ? 1 : home.waterQuarters * drive * (0.8 + ((mood & 255) / 255) * 0.4);
  if (since >= wanted) return 0;
  return home.heater * Math.min(1, wanted - since);
}
