import { describe, expect, it } from 'vitest';
import { PLACE_NAMES, type Place } from '../../../src/contracts/places.js';
import { PLACES } from '../../../src/emulator/weather/places.js';
import { solarDay, temperatureAt, weatherOn } from '../../../src/emulator/weather/weather.js';

const KEY = 0x5eed;
const FIRST_DAY = Date.UTC(2026, 0, 1) / 86_400_000;
const YEARS = 12;
const DAYS = Array.from({ length: Math.round(365.25 * YEARS) }, (_, index) => FIRST_DAY + index);

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const monthOf = (day: number) => new Date(day * 86_400_000).getUTCMonth();

function departures(place: Place, key = KEY): number[] {
  return DAYS.map((day) => weatherOn(place, key, day).meanC - (PLACES[place].meanC[monthOf(day)] as number));
}

describe.each(PLACE_NAMES)('the weather of %s', (place) => {
  it('has the normals of the place over the years', () => {
    for (let month = 0; month < 12; month += 1) {
      const days = DAYS.filter((day) => monthOf(day) === month).map((day) => weatherOn(place, KEY, day));
      expect(
        Math.abs(mean(days.map((day) => day.meanC)) - (PLACES[place].meanC[month] as number)),
      ).toBeLessThan(2);
      expect(
        Math.abs(mean(days.map((day) => day.cloud)) - (PLACES[place].cloud[month] as number)),
      ).toBeLessThan(0.12);
      expect(mean(days.map((day) => day.swingC)) / (PLACES[place].swingC[month] as number)).toBeGreaterThan(
        0.85,
      );
      expect(mean(days.map((day) => day.swingC)) / (PLACES[place].swingC[month] as number)).toBeLessThan(
        1.15,
      );
    }
  });

  it('remembers the day before, and forgets within weeks', () => {
    const values = departures(place);
    const centre = mean(values);
    const lag = (days: number) =>
      mean(
        values.slice(days).map((value, index) => (value - centre) * ((values[index] as number) - centre)),
      ) / mean(values.map((value) => (value - centre) ** 2));
    expect(lag(1)).toBeGreaterThan(0.65);
    expect(lag(1)).toBeLessThan(0.88);
    expect(lag(20)).toBeLessThan(0.35);
  });

  it('has hot and cold spells of days on end', () => {
    const values = departures(place);
    const spread = Math.sqrt(mean(values.map((value) => value ** 2)));
    const longest = (belongs: (value: number) => boolean) => {
      let run = 0;
      return values.reduce((most, value) => {
        run = belongs(value) ? run + 1 : 0;
        return Math.max(most, run);
      }, 0);
    };
    expect(longest((value) => value > 1.2 * spread)).toBeGreaterThanOrEqual(4);
    expect(longest((value) => value < -1.2 * spread)).toBeGreaterThanOrEqual(4);
  });

  it('is warmest in the afternoon and coldest before sunrise, around the mean of the day', () => {
    const hours = Array.from({ length: 24 }, () => 0);
    for (const day of DAYS.slice(0, 365)) {
      for (let hour = 0; hour < 24; hour += 1) {
        // Midnight by the mean sun.
        const slot = Math.round(day * 96 - (PLACES[place].longitude * 4) / 15) + hour * 4;
        hours[hour] = (hours[hour] as number) + temperatureAt(place, KEY, slot) / 365;
      }
    }
    const yearly = mean(DAYS.slice(0, 365).map((day) => weatherOn(place, KEY, day).meanC));
    expect(hours.indexOf(Math.max(...hours))).toBeGreaterThanOrEqual(13);
    expect(hours.indexOf(Math.max(...hours))).toBeLessThanOrEqual(16);
    expect(hours.indexOf(Math.min(...hours))).toBeGreaterThanOrEqual(3);
    expect(hours.indexOf(Math.min(...hours))).toBeLessThanOrEqual(6);
    expect(Math.abs(mean(hours) - yearly)).toBeLessThan(0.3);
    const swing = mean(DAYS.slice(0, 365).map((day) => weatherOn(place, KEY, day).swingC));
    expect((Math.max(...hours) - Math.min(...hours)) / swing).toBeGreaterThan(0.85);
    expect((Math.max(...hours) - Math.min(...hours)) / swing).toBeLessThan(1.1);
  });

  it('keeps every figure within what there is', () => {
    const days = DAYS.map((day) => weatherOn(place, KEY, day));
    expect(days.filter(({ meanC }) => !(meanC > -30 && meanC < 42))).toEqual([]);
    expect(days.filter(({ swingC }) => !(swingC > 1 && swingC < 22))).toEqual([]);
    expect(days.filter(({ cloud }) => !(cloud >= 0 && cloud <= 1))).toEqual([]);
  });
});

describe('weather', () => {
  it('is the same whatever was asked before, also beyond what is kept', () => {
    const first = weatherOn('uk', 7, 20_500);
    for (let day = 0; day < 2_500; day += 1) weatherOn('uk', 7, day);
    for (let key = 0; key < 100; key += 1) weatherOn('germany', key, 20_500);
    expect(weatherOn('uk', 7, 20_500)).toEqual(first);
  });

  it('differs between tenants and has summer in January south of the equator', () => {
    expect(departures('uk', 1).slice(0, 5)).not.toEqual(departures('uk', 2).slice(0, 5));
    const january = mean(DAYS.slice(0, 31).map((day) => weatherOn('australia-nsw', KEY, day).meanC));
    expect(january).toBeGreaterThan(20);
  });

  it('begins a day at midnight by the sun, not at midnight UTC', () => {
    expect(solarDay('australia-nsw', 0)).toBe(0);
    expect(solarDay('australia-nsw', 96 - 40)).toBe(1);
    expect(solarDay('us-south', 0)).toBe(-1);
  });

  it('has no jump at midnight', () => {
    const slots = Array.from({ length: 96 * 60 }, (_, index) => 2_000_000 + index);
    const steps = slots.map((slot) =>
      Math.abs(temperatureAt('us-south', KEY, slot + 1) - temperatureAt('us-south', KEY, slot)),
    );
    expect(Math.max(...steps)).toBeLessThan(1.5);
  });
});
