import { LRUCache } from 'lru-cache';
import { drawAt } from '../chance/random.js';
import { weatherOn } from '../weather/weather.js';
import { DER_STREAM } from './derStreams.js';
import { airAt, firstSlot, type Site, sunClock } from './site.js';

/**
 * What the sky sends down in a quarter hour: the beam as a vector, so that a roof's share of it is a product of three pairs, and
 * what comes from all sides. W/m².
 */
export interface Sky {
  east: number;
  north: number;
  up: number;
  /** 0 while the sun is down. */
  diffuse: number;
  /** Temperature of the air, °C. */
  air: number;
}

const QUARTERS = 96;
const HOURS = 24;
const SOLAR_CONSTANT = 1_361;
const RADIANS = Math.PI / 180;
/** Quarter hours between two nodes of passing clouds. */
const CLOUD_STEPS = 2;

/** The sky over a tenant's site in a UTC quarter hour. */
export function skyAt(site: Site, weatherKey: number, slot: number): Sky {
  const { day } = sunClock(site, slot);
  const { cloud } = weatherOn(site.place, weatherKey, day);
  const air = airAt(site, weatherKey, slot);
  const middle = slot + 0.5 + site.shift - day * QUARTERS;
  return skyOf(site, day, middle / QUARTERS, cover(weatherKey, slot, cloud), air);
}

/** Days of skies kept, a few kB each: all batteries of a batch ask for the same. */
const kept = new LRUCache<string, readonly Sky[]>({ max: 256 });

/** The sky of a day of the site's sun by its 24 hours, each as in its middle, without passing clouds: what can be foreseen. */
export function hoursOfSky(site: Site, weatherKey: number, day: number): readonly Sky[] {
  const name = `${site.place} ${site.shift} ${weatherKey} ${day}`;
  let hours = kept.get(name);
  if (hours === undefined) {
    const { cloud } = weatherOn(site.place, weatherKey, day);
    const first = firstSlot(site.shift, day);
    hours = Array.from({ length: HOURS }, (_, hour) =>
      skyOf(site, day, (hour + 0.5) / HOURS, cloud, airAt(site, weatherKey, first + hour * 4 + 2)),
    );
    kept.set(name, hours);
  }
  return hours;
}

function skyOf(site: Site, day: number, ofDay: number, cloud: number, air: number): Sky {
  const year = yearAngle(day);
  const sun = sunAt(site.latitude * RADIANS, year, ofDay);
  if (sun.up <= 0.01) return { east: 0, north: 0, up: 0, diffuse: 0, air };
  const { beam, diffuse } = radiation(sun.up, cloud, 1 + 0.033 * Math.cos(year));
  return { east: beam * sun.east, north: beam * sun.north, up: beam * sun.up, diffuse, air };
}

/** The day's place in its year as an angle, radians from 1 January. */
function yearAngle(day: number): number {
  const date = new Date(day * 86_400_000);
  const start = Date.UTC(date.getUTCFullYear(), 0, 1);
  return (2 * Math.PI * (day - start / 86_400_000)) / 365;
}

/**
 * Where the sun stands, as a vector of length 1: declination and equation of time by Spencer (Fourier series representation of
 * the position of the sun, Search 2(5), 1971), to a quarter of a degree and half a minute.
 *
 * @param latitude radians, north positive.
 * @param ofDay part of the day by the mean sun, 0.5 at its noon.
 */
export function sunAt(
  latitude: number,
  year: number,
  ofDay: number,
): { east: number; north: number; up: number } {
  const declination =
    0.006918 -
    0.399912 * Math.cos(year) +
    0.070257 * Math.sin(year) -
    0.006758 * Math.cos(2 * year) +
    0.000907 * Math.sin(2 * year) -
    0.002697 * Math.cos(3 * year) +
    0.00148 * Math.sin(3 * year);
  const equation =
    0.000075 +
    0.001868 * Math.cos(year) -
    0.032077 * Math.sin(year) -
    0.014615 * Math.cos(2 * year) -
    0.040849 * Math.sin(2 * year);
  const hour = 2 * Math.PI * (ofDay - 0.5) + equation;
  const [sin, cos] = [Math.sin(declination), Math.cos(declination)];
  return {
    east: -cos * Math.sin(hour),
    north: sin * Math.cos(latitude) - cos * Math.cos(hour) * Math.sin(latitude),
    up: sin * Math.sin(latitude) + cos * Math.cos(hour) * Math.cos(latitude),
  };
}

/**
 * Beam and diffuse radiation: of a clear sky by Haurwitz (J. Meteorology 2, 1945), under clouds by Kasten and Czeplak (Solar
 * Energy 24, 1980), parted by Erbs, Klein and Duffie (Solar Energy 28, 1982). W/m².
 *
 * @param up sine of the sun's elevation.
 * @param cloud share of the sky, 0–1.
 */
function radiation(up: number, cloud: number, distance: number): { beam: number; diffuse: number } {
  const clear = 1_098 * up * Math.exp(-0.057 / up);
  const global = clear * (1 - 0.75 * cloud ** 3.4);
  const clearness = Math.min(0.82, global / (SOLAR_CONSTANT * distance * up));
  const share =
    clearness <= 0.22
      ? 1 - 0.09 * clearness
      : clearness <= 0.8
        ? 0.9511 -
          0.1604 * clearness +
          4.388 * clearness ** 2 -
          16.638 * clearness ** 3 +
          12.336 * clearness ** 4
        : 0.165;
  const diffuse = global * share;
  // Near the horizon the quotient would grow without bound.
  return { beam: Math.min(1_000, (global - diffuse) / Math.max(up, 0.05)), diffuse };
}

/** Clouds pass where the sky is neither clear nor overcast: the cover of a quarter hour about that of its day. */
function cover(weatherKey: number, slot: number, cloud: number): number {
  const node = Math.floor(slot / CLOUD_STEPS);
  const at = (step: number) => drawAt(weatherKey, DER_STREAM.passingClouds, step) / 2 ** 31 - 1;
  const way = slot / CLOUD_STEPS - node;
  const wander = at(node) + (at(node + 1) - at(node)) * way;
  return Math.min(1, Math.max(0, cloud + 1.6 * cloud * (1 - cloud) * wander));
}
