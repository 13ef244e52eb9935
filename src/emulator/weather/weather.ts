import type { Place } from '../../contracts/places.js';
import { drawAt, STREAM } from '../chance/random.js';
import { PLACES, type PlaceFacts } from './places.js';

/**
 * The weather of a place: the same for all meters of a tenant, day after day with a memory, so that heat waves and cold
 * spells come and last, and yet with random access. A day's departure from its month is a sum over the days before it
 * of independent draws, each weighing less: what an autoregressive process is, cut off where it no longer matters.
 */

/** A day's weather. */
export interface DayWeather {
  /** Mean temperature, °C. */
  meanC: number;
  /** Highest less lowest temperature, °C. */
  swingC: number;
  /** Share of the sky under cloud, 0–1. */
  cloud: number;
}

const MS_PER_DAY = 86_400_000;
const QUARTER_HOURS_PER_DAY = 96;

/** Correlation of a day's departure with the next day's; daily temperatures of the stations have 0.65 to 0.8. */
const FRONTS = 0.72;
/** Weather of weeks, as a warm month has it, and its part of the variance. */
const SPELLS = 0.96;
const SPELL_PART = 0.25;
/** Clouds change faster. */
const CLOUDS = 0.45;

/** Warmest at 15 h by the sun, coldest about 5 h. */
const WARMEST_QUARTER = 60;

/**
 * @param weatherKey of the tenant, `STREAM.weather`.
 * @param day days since 1970-01-01 by the mean sun of the place: `solarDay`.
 */
export function weatherOn(place: Place, weatherKey: number, day: number): DayWeather {
  const name = `${place} ${weatherKey}`;
  let days = kept.get(name);
  if (days === undefined) {
    if (kept.size >= MAX_TENANTS) kept.clear();
    days = new Map();
    kept.set(name, days);
  }
  let weather = days.get(day);
  if (weather === undefined) {
    if (days.size >= MAX_DAYS) days.clear();
    weather = makeDay(PLACES[place], weatherKey, day);
    days.set(day, weather);
  }
  return weather;
}

/** Days kept, since all of a batch ask for the same; a full store starts afresh. */
const MAX_TENANTS = 64;
const MAX_DAYS = 1_000;
const kept = new Map<string, Map<number, DayWeather>>();

/** The day, since 1970-01-01 by the mean sun of the place, in which the UTC quarter hour `slot` begins. */
export function solarDay(place: Place, slot: number): number {
  return Math.floor(solarQuarters(place, slot) / QUARTER_HOURS_PER_DAY);
}

/** Temperature of the outside air in the middle of the UTC quarter hour `slot`, °C. */
export function temperatureAt(place: Place, weatherKey: number, slot: number): number {
  const quarters = solarQuarters(place, slot) + 0.5;
  const noons = quarters / QUARTER_HOURS_PER_DAY - 0.5;
  const before = Math.floor(noons);
  const [here, next] = [weatherOn(place, weatherKey, before), weatherOn(place, weatherKey, before + 1)];
  const way = noons - before;
  const mean = here.meanC + (next.meanC - here.meanC) * way;
  const swing = here.swingC + (next.swingC - here.swingC) * way;
  return mean + (swing / 2) * dailyCourse(quarters);
}

/** Quarter hours since 1970 by the mean sun of the place: four minutes for a degree. */
function solarQuarters(place: Place, slot: number): number {
  return slot + (PLACES[place].longitude * 4) / 15;
}

/** Between −1 and 1; a second wave has the morning rise faster than the evening falls. */
function dailyCourse(quarters: number): number {
  const angle = ((quarters - WARMEST_QUARTER) / QUARTER_HOURS_PER_DAY) * 2 * Math.PI;
  return 0.94 * Math.cos(angle) + 0.16 * Math.cos(2 * angle);
}

function makeDay(facts: PlaceFacts, key: number, day: number): DayWeather {
  const { month, next, way } = monthsAround(day);
  const between = (values: readonly number[]) =>
    (values[month] as number) + ((values[next] as number) - (values[month] as number)) * way;
  const fronts = remembered(key, STREAM.weatherFronts, day, FRONTS);
  const spells = remembered(key, STREAM.weatherSpells, day, SPELLS);
  const departure = Math.sqrt(1 - SPELL_PART) * fronts + Math.sqrt(SPELL_PART) * spells;
  // +1 in January, −1 in July.
  const january = Math.cos(((month + way) / 12) * 2 * Math.PI);
  const [inJanuary, inJuly] = facts.deviationC;
  const deviation = (inJanuary + inJuly) / 2 + ((inJanuary - inJuly) / 2) * january;
  const winter = facts.latitude > 0 ? january : -january;
  // A clouded day is mild in winter and cool in summer.
  const clouds = 0.88 * remembered(key, STREAM.weatherClouds, day, CLOUDS) + 0.47 * winter * fronts;
  const cloud = cloudOf(between(facts.cloud), clouds);
  return {
    meanC: between(facts.meanC) + deviation * departure,
    swingC: (between(facts.swingC) * (1.6 - cloud)) / (1.6 - between(facts.cloud)),
    cloud,
  };
}

/** Many days are clear or overcast, fewer between: a steep curve through the mean. */
function cloudOf(mean: number, deviate: number): number {
  const middle = Math.log(mean / (1 - mean)) * 1.6;
  return 1 / (1 + Math.exp(-(middle + 1.9 * deviate)));
}

/** The months whose middles lie before and after a day, 0–11, and the way between them. */
function monthsAround(day: number): { month: number; next: number; way: number } {
  const date = new Date(day * MS_PER_DAY);
  const month = date.getUTCMonth();
  const days = new Date(Date.UTC(date.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const since = (date.getUTCDate() - 0.5) / days - 0.5;
  const before = since < 0 ? (month + 11) % 12 : month;
  return { month: before, next: (before + 1) % 12, way: since < 0 ? since + 1 : since };
}

/** A normal deviate whose correlation with that of `n` days before is `memory ** n`, within a hundredth. */
function remembered(key: number, stream: number, day: number, memory: number): number {
  const days = Math.ceil(Math.log(0.01) / Math.log(memory));
  let sum = 0;
  let weight = 1;
  for (let ago = 0; ago <= days; ago += 1) {
    sum += weight * deviate(drawAt(key, stream, day - ago));
    weight *= memory;
  }
  return sum * Math.sqrt(1 - memory ** 2);
}

/** A deviate of mean 0 and variance 1 from the four bytes of a draw: a sum of four is nearly normal, up to 3.4. */
export function deviate(draw: number): number {
  const bytes = (draw & 255) + ((draw >>> 8) & 255) + ((draw >>> 16) & 255) + (draw >>> 24);
  return (bytes - 510) / 147.8;
}
