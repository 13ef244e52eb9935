import type { PlaceModel } from '../../contracts/emulation.js';
import type { Place } from '../../contracts/places.js';
import { dayKind } from '../calendar/dayKind.js';
import { drawAt, STREAM } from '../chance/random.js';
import { QUARTER_HOUR_MS, QUARTER_HOURS_PER_DAY, zoneOffsetMs } from '../customers/localTime.js';
import { airAt } from '../weather/indoors.js';
import { daylight } from '../weather/sun.js';
import { solarDay, weatherOn } from '../weather/weather.js';

/** What all customers of a tenant have in common in the quarter hours of one batch; by `slot − firstSlot`. */
export interface PlaceScene {
  model: PlaceModel;
  place: Place;
  firstSlot: number;
  slots: number;
  /** Quarter hour of the local day, 0–95, and the day it belongs to, in days since 1970, with its kind (`dayKind`). */
  clock: Int32Array;
  day: Int32Array;
  kind: Int32Array;
  /** Day of the year, from 0. */
  dayOfYear: Int32Array;
  /** The same of the day as homes live it, from four in the morning: what is done after midnight is of the day before. */
  homeQuarter: Int32Array;
  homeDay: Int32Array;
  homeKind: Int32Array;
  /** Temperature as a building feels it, which is slow, °C. */
  air: Float64Array;
  /** How much light is switched on by those who are awake, 0–1: by the sun's height and the clouds. */
  dark: Float64Array;
  /** Factor on what people do when a programme ends, and at breaks: kettles of a whole street, 1 otherwise. */
  breaks: Float64Array;
}

/** Quarter hours from midnight to where a home's day begins. */
export const HOME_DAY_START = 16;

/**
 * @param timeZone by whose clock the customers live.
 * @param weatherKey of the tenant, `STREAM.weather`.
 * @throws RangeError when `timeZone` is no zone of the IANA database.
 */
export function sceneOfPlace(
  model: PlaceModel,
  place: Place,
  timeZone: string,
  firstSlot: number,
  slots: number,
  weatherKey: number,
): PlaceScene {
  const scene: PlaceScene = {
    model,
    place,
    firstSlot,
    slots,
    clock: new Int32Array(slots),
    day: new Int32Array(slots),
    kind: new Int32Array(slots),
    dayOfYear: new Int32Array(slots),
    homeQuarter: new Int32Array(slots),
    homeDay: new Int32Array(slots),
    homeKind: new Int32Array(slots),
    air: new Float64Array(slots),
    dark: new Float64Array(slots),
    breaks: new Float64Array(slots),
  };
  for (let index = 0; index < slots; index += 1) {
    const slot = firstSlot + index;
    const local = Math.floor(slot + zoneOffsetMs(timeZone, slot) / QUARTER_HOUR_MS);
    const day = Math.floor(local / QUARTER_HOURS_PER_DAY);
    const clock = local - day * QUARTER_HOURS_PER_DAY;
    const homeDay = Math.floor((local - HOME_DAY_START) / QUARTER_HOURS_PER_DAY);
    scene.clock[index] = clock;
    scene.day[index] = day;
    scene.kind[index] = dayKind(place, day);
    scene.dayOfYear[index] = dayOfYear(day);
    scene.homeQuarter[index] = local - HOME_DAY_START - homeDay * QUARTER_HOURS_PER_DAY;
    scene.homeDay[index] = homeDay;
    scene.homeKind[index] = dayKind(place, homeDay);
    scene.air[index] = airAt(place, weatherKey, slot);
    const { cloud } = weatherOn(place, weatherKey, solarDay(place, slot));
    scene.dark[index] = 1 - daylight(place, slot) * (1 - 0.35 * cloud);
    scene.breaks[index] = breakFactor(weatherKey, homeDay, clock);
  }
  return scene;
}

function dayOfYear(day: number): number {
  const year = new Date(day * MS_PER_DAY).getUTCFullYear();
  return day - Date.UTC(year, 0, 1) / MS_PER_DAY;
}

const MS_PER_DAY = 86_400_000;

/** Local quarter hours in which television goes to its breaks: the full and half hours of an evening. */
const EVENING = { from: 76, to: 91 };
/** One evening in eight has something that everybody watches, until a quarter hour of its own. */
const EVENT = 1 / 8;

function breakFactor(weatherKey: number, day: number, clock: number): number {
  if (clock < EVENING.from || clock > EVENING.to) return 1;
  const draw = drawAt(weatherKey, STREAM.evening, day);
  const ends = EVENING.from + 4 + ((draw >>> 4) % 10);
  if ((draw >>> 16) / 2 ** 16 < EVENT && clock === ends) return 4;
  return clock % 4 === 0 ? 1.7 : clock % 4 === 2 ? 1.3 : 0.75;
}
