import { LRUCache } from 'lru-cache';
import { drawAt } from '../chance/random.js';
import { deviate, weatherOn } from '../weather/weather.js';
import type { BrokenClouds, SkyParameters } from './derParameters.js';
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

/** Where the sun stands over a site at a moment, and the air: what all roofs there have in common, whatever the clouds do. */
export interface Sun {
  east: number;
  north: number;
  /** Sine of its elevation; night where it is not above `NIGHT`. */
  up: number;
  /** Radiation above the air by the day of the year, over its mean. */
  distance: number;
  air: number;
}

const NIGHT = 0.01;

/** The sky over a tenant's site in a UTC quarter hour, as far as all of its roofs have it in common. */
export interface SkyOver {
  slot: number;
  sun: Sun;
  parameters: SkyParameters;
  /** Share of the sky under cloud, or with broken clouds its logit. */
  cloud: number;
  /** What a closed sky keeps back. */
  darkness: number;
}

export function skyOver(parameters: SkyParameters, site: Site, weatherKey: number, slot: number): SkyOver {
  const { day } = sunClock(site, slot);
  const { cloud } = weatherOn(site.place, weatherKey, day);
  const middle = slot + 0.5 + site.shift - day * QUARTERS;
  const { clouds } = parameters;
  return {
    slot,
    parameters,
    sun: sunOver(site, day, middle / QUARTERS, airAt(site, weatherKey, slot)),
    cloud:
      clouds.kind === 'gentle'
        ? cover(weatherKey, slot, cloud)
        : ofDayAndHour(clouds, cloud, weatherKey, slot + 0.5),
    darkness: darknessOf(parameters, weatherKey, day),
  };
}

/** The same over the roofs of one feeder. */
export function skyOverFeeder(over: SkyOver, feederKey: number): Sky {
  const { slot, sun, cloud, darkness, parameters } = over;
  const { clouds } = parameters;
  if (clouds.kind === 'gentle') return skyOf(sun, cloud, darkness, parameters.power);
  const passing = clouds.ofQuarter * deviate(drawAt(feederKey, DER_STREAM.cloudsOfQuarter, slot));
  return skyOf(sun, share(cloud + passing), darkness, parameters.power);
}

/** Days of skies kept, a few kB each: all batteries of a batch ask for the same. */
const kept = new LRUCache<string, readonly Sky[]>({ max: 256 });

/**
 * The sky of a day of the site's sun by its 24 hours, each as in its middle, as far as it can be foreseen: without clouds that pass within
 * an hour.
 */
export function hoursOfSky(
  parameters: SkyParameters,
  site: Site,
  weatherKey: number,
  day: number,
): readonly Sky[] {
  const { power, clouds } = parameters;
  const name = `${clouds.kind} ${site.place} ${site.shift} ${weatherKey} ${day}`;
  let hours = kept.get(name);
  if (hours === undefined) {
    const { cloud } = weatherOn(site.place, weatherKey, day);
    const darkness = darknessOf(parameters, weatherKey, day);
    const first = firstSlot(site.shift, day);
    hours = Array.from({ length: HOURS }, (_, hour) => {
      const middle = first + hour * 4 + 2;
      const sun = sunOver(site, day, (hour + 0.5) / HOURS, airAt(site, weatherKey, middle));
      const foreseen =
        clouds.kind === 'gentle' ? cloud : share(ofDayAndHour(clouds, cloud, weatherKey, middle));
      return skyOf(sun, foreseen, darkness, power);
    });
    kept.set(name, hours);
  }
  return hours;
}

function sunOver(site: Site, day: number, ofDay: number, air: number): Sun {
  const year = yearAngle(day);
  const { east, north, up } = sunAt(site.latitude * RADIANS, year, ofDay);
  return { east, north, up, distance: 1 + 0.033 * Math.cos(year), air };
}

function skyOf({ east, north, up, distance, air }: Sun, cloud: number, darkness: number, power: number): Sky {
  if (up <= NIGHT) return { east: 0, north: 0, up: 0, diffuse: 0, air };
  const { beam, diffuse } = radiation(up, 1 - darkness * cloud ** power, distance);
  return { east: beam * east, north: beam * north, up: beam * up, diffuse, air };
}

/** A dark day is dark from its morning on. */
function darknessOf({ darkness: [least, most] }: SkyParameters, weatherKey: number, day: number): number {
  return least + ((most - least) * drawAt(weatherKey, DER_STREAM.darkness, day)) / 2 ** 32;
}

const logit = (of: number): number => Math.log(of / (1 - of));
const share = (logit: number): number => 1 / (1 + Math.exp(-logit));

/** Logit of the sky's share under cloud: the day's, and a deviate with a memory of an hour. */
function ofDayAndHour(clouds: BrokenClouds, cloud: number, weatherKey: number, moment: number): number {
  const node = Math.floor(moment / 4);
  const at = (step: number) => deviate(drawAt(weatherKey, DER_STREAM.cloudsOfHour, step));
  const ofHour = at(node) + (at(node + 1) - at(node)) * (moment / 4 - node);
  return clouds.ofDay * logit(cloud) + clouds.ofHour * ofHour;
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
 * @param through share of a clear sky's radiation that the clouds let through.
 */
function radiation(up: number, through: number, distance: number): { beam: number; diffuse: number } {
  const clear = 1_098 * up * Math.exp(-0.057 / up);
  const global = clear * through;
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
