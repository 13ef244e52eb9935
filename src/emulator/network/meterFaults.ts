import { drawAt } from '../chance/random.js';
import { localQuarter } from '../customers/localTime.js';
import { NETWORK_STREAM } from './networkStreams.js';

/**
 * What goes wrong with a meter, as half-hour data of British homes has it (SERL): an exchange after which a multiplier is wrong by a
 * thousand, zeros from the spring's clock change to the autumn's, a register that stands still. How often is chosen.
 */

const DAY = 96;
const YEAR = 365 * DAY;
/** Exchanged meters a year, and how many of them count watt-hours as kilowatt-hours, or the other way round, until it is seen. */
const EXCHANGES = 0.03;
const WRONG_UNIT = 0.1;
const UNTIL_SEEN = 60 * DAY;
const UNIT = 1_000;
/** Meters a year whose register stands still, for 2 to 20 days. */
const STUCK = 0.004;
/** Meters that register nothing in summer time. */
const ZEROED = 0.002;
/** Meters whose clock drifts: by up to five minutes until it is set right, every 10 to 40 days. */
const DRIFTING = 0.01;
const MOST_DRIFT_MINUTES = 5;

const share = (draw: number): number => draw / 2 ** 32;

/** The year-long period that an exchange may fall into, and where in it; undefined in most. */
function exchangeIn(key: number, year: number): number | undefined {
  if (share(drawAt(key, NETWORK_STREAM.exchange, 2 * year)) >= EXCHANGES) return undefined;
  const day = Math.floor(365 * share(drawAt(key, NETWORK_STREAM.exchange, 2 * year + 1)));
  // At ten in the morning by UTC: exchanges are working hours.
  return year * YEAR + day * DAY + 40;
}

/** Whether a meter is being exchanged: no read for half an hour. */
export function isExchanged(key: number, slot: number): boolean {
  const at = exchangeIn(key, Math.floor(slot / YEAR));
  return at !== undefined && slot >= at && slot < at + 2;
}

/** What a wrong multiplier makes of the energy: 1, 1,000 or a thousandth, from an exchange on. */
export function unitFactor(key: number, slot: number): number {
  const running = Math.floor(slot / YEAR);
  for (let year = running; year >= running - 1; year -= 1) {
    const at = exchangeIn(key, year);
    if (at === undefined || slot < at || slot >= at + UNTIL_SEEN) continue;
    const draw = share(drawAt(key, NETWORK_STREAM.unitError, year));
    if (draw < WRONG_UNIT / 2) return UNIT;
    if (draw < WRONG_UNIT) return 1 / UNIT;
  }
  return 1;
}

/** The energy that a register repeats while it stands still, kWh a quarter hour; undefined while it moves. */
export function stuckAt(key: number, slot: number): number | undefined {
  const year = Math.floor(slot / YEAR);
  if (share(drawAt(key, NETWORK_STREAM.stuck, 4 * year)) >= STUCK) return undefined;
  const from = year * YEAR + Math.floor(345 * DAY * share(drawAt(key, NETWORK_STREAM.stuck, 4 * year + 1)));
  const length = DAY * (2 + Math.floor(19 * share(drawAt(key, NETWORK_STREAM.stuck, 4 * year + 2))));
  if (slot < from || slot >= from + length) return undefined;
  return Math.round(2_000 * share(drawAt(key, NETWORK_STREAM.stuck, 4 * year + 3))) / 10_000;
}

/** Whether a meter registers nothing since clocks were put forward. */
export function isZeroed(key: number, slot: number, timeZone: string): boolean {
  if (share(drawAt(key, NETWORK_STREAM.zeroed, 0)) >= ZEROED) return false;
  const shown = localQuarter(timeZone, slot).quarterOfDay;
  const winter = standardQuarter(timeZone, slot);
  return shown !== winter;
}

/** What the clock would show without daylight saving: as in January or July, whichever is behind. */
function standardQuarter(timeZone: string, slot: number): number {
  const ahead = (at: number) => (((localQuarter(timeZone, at).quarterOfDay - at) % DAY) + DAY) % DAY;
  const day = new Date(slot * 900_000);
  const midsummer = Date.UTC(day.getUTCFullYear(), 6, 1) / 900_000;
  const newYear = Date.UTC(day.getUTCFullYear(), 0, 1) / 900_000;
  const [july, january] = [ahead(midsummer), ahead(newYear)];
  // An hour ahead in July is summer time in the north, an hour ahead in January in the south.
  const standard = (july - january + DAY) % DAY <= DAY / 2 ? january : july;
  return (slot + standard) % DAY;
}

/** The part of a quarter hour by which a meter's clock is behind: 0 for nearly all. */
export function behindShare(key: number, slot: number): number {
  if (share(drawAt(key, NETWORK_STREAM.drift, 0)) >= DRIFTING) return 0;
  const period = DAY * (10 + Math.floor(31 * share(drawAt(key, NETWORK_STREAM.drift, 1))));
  const since = (slot % period) / period;
  return (since * MOST_DRIFT_MINUTES) / 15;
}
