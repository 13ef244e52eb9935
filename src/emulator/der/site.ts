import type { Climate } from '../../contracts/place.js';
import type { Place } from '../../contracts/places.js';
import { PLACES } from '../weather/places.js';
import { temperatureAt } from '../weather/weather.js';

/** Where the sun shines on a fleet, and when it is noon there. */
export interface Site {
  place: Place;
  latitude: number;
  /** Quarter hours, with fractions, from UTC to the mean sun. */
  shift: number;
}

const QUARTERS_PER_DAY = 96;
const PLACE_OF_CLIMATE: Readonly<Record<Climate, Place>> = { us: 'us-south', germany: 'germany' };

/**
 * The site of a fleet. With model 1 the customers live by any clock, in UTC by default: the sun is then highest at noon by that
 * clock without daylight saving, or it would shine at their midnight.
 *
 * @throws RangeError when `timeZone` is no zone of the IANA database.
 */
export function siteOf(place: Place | undefined, climate: Climate, timeZone: string): Site {
  const name = place ?? `${climate} ${timeZone}`;
  let site = sites.get(name);
  if (site === undefined) {
    const stands = place ?? PLACE_OF_CLIMATE[climate];
    const { latitude, longitude } = PLACES[stands];
    const shift = place === undefined ? standardOffset(timeZone) : (longitude * 4) / 15;
    site = { place: stands, latitude, shift };
    if (sites.size >= 64) sites.clear();
    sites.set(name, site);
  }
  return site;
}

/** The same object for the same site, so that what is kept for one can tell it. */
const sites = new Map<string, Site>();

/** The day by the site's mean sun, since 1970-01-01, and the quarter hour of it, 0–95, in which the UTC quarter hour begins. */
export function sunClock({ shift }: Site, slot: number): { day: number; quarter: number } {
  const day = Math.floor((slot + shift) / QUARTERS_PER_DAY);
  return { day, quarter: slot - firstSlot(shift, day) };
}

/** The first UTC quarter hour that begins on a day of the mean sun. */
export function firstSlot(shift: number, day: number): number {
  return Math.ceil(day * QUARTERS_PER_DAY - shift);
}

/** Temperature of the air at the site in the middle of a UTC quarter hour, °C. */
export function airAt({ place, shift }: Site, weatherKey: number, slot: number): number {
  return temperatureAt(place, weatherKey, slot + shift - (PLACES[place].longitude * 4) / 15);
}

const offsets = new Map<string, number>();

/** Quarter hours by which a zone's clock is ahead of UTC without daylight saving, by the rules of 2026. */
export function standardOffset(timeZone: string): number {
  let offset = offsets.get(timeZone);
  if (offset === undefined) {
    const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
    offset = Math.min(...[0, 6].map((month) => quartersAhead(format, new Date(Date.UTC(2026, month, 15)))));
    if (offsets.size >= 64) offsets.clear();
    offsets.set(timeZone, offset);
  }
  return offset;
}

function quartersAhead(format: Intl.DateTimeFormat, at: Date): number {
  const name = format.formatToParts(at).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? ['', '+', '0', '0'];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 4 + Number(minutes) / 15);
}
