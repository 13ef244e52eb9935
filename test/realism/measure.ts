import { CUSTOMER_CLASSES, type CustomerClass } from '../../src/emulator/customers/customers.js';
import { median } from '../support/quantiles.js';
import { dailySteps } from './aggregate.js';
import { BAND, type Figure } from './bands.js';
import { extremes, SUMMER_DAYS, shapes, WINTER_DAYS } from './dayShape.js';
import { dailyKwh, type FleetYear, fleetYear, seasonLevel, weekend } from './fleetYear.js';
import { lossFigures, voltageFigures } from './gridFigures.js';
import { type HomeYear, homeYears } from './oneHome.js';
import { places, type Sample } from './sample.js';
import { deviation, mean, middleRange } from './statistics.js';

/** How much is generated for a measurement. */
export interface Effort {
  /** Meters of the fleet whose year is sampled. */
  yearMeters: number;
  /** Hours between the quarter hours sampled of that year. */
  hoursApart: 1 | 3;
  /** Meters of the fleet whose day shapes are taken. */
  shapeMeters: number;
  /** Days each of winter and of summer for the day shapes, at most four. */
  shapeDays: number;
  /** Homes followed through every quarter hour of a year. */
  homes: number;
  /** Months (from 0) with a week of a thousand homes. */
  stepMonths: readonly number[];
}

/** About 27 million reads. */
export const THOROUGH: Effort = {
  yearMeters: 5_000,
  hoursApart: 1,
  shapeMeters: 12_500,
  shapeDays: 4,
  homes: 120,
  stepMonths: [0, 3, 6, 9],
};
/** A seventh or less of that, for the test suite: the bands hold for it too. */
export const BRIEF: Effort = {
  yearMeters: 2_000,
  hoursApart: 3,
  shapeMeters: 3_000,
  shapeDays: 2,
  homes: 20,
  stepMonths: [1],
};

/** Every figure of realism.md, each from reads that `generateReads` made for this sample. */
export function measure(sample: Sample, effort: Effort): Figure[] {
  const year = fleetYear(sample, effort.yearMeters, effort.hoursApart);
  return [
    ...customerFigures(sample, year),
    ...shapeFigures(sample, effort),
    ...calendarFigures(sample, year),
    ...homeFigures(homeYears(sample, effort.homes)),
    stepFigure(dailySteps(sample, effort.stepMonths)),
    ...lossFigures(year),
    ...voltageFigures(year),
  ];
}

const WHOLE_FLEET = { meterCount: 25_000, feederCount: 25 };

export function customerFigures(
  sample: Sample,
  year: FleetYear,
  homeKwhPerDay: Figure['band'] = BAND.homeKwhPerDay,
): Figure[] {
  const fleet = places(sample, WHOLE_FLEET);
  const share = (itsClass: CustomerClass) =>
    fleet.filter((place) => place.customerClass === itsClass).length / fleet.length;
  const homes = dailyKwh(year, 'residential');
  return [
    ...CUSTOMER_CLASSES.map((itsClass) => ({
      what: `${itsClass} customers, share of 25,000`,
      band: BAND[`${itsClass}Share`],
      measured: share(itsClass),
    })),
    { what: 'home, kWh a day', band: homeKwhPerDay, measured: mean(homes) },
    {
      what: 'spread of a year’s kWh over homes, sdlog',
      band: BAND.homeSdlog,
      measured: deviation(homes.map(Math.log)),
    },
  ];
}

function shapeFigures(sample: Sample, { shapeMeters, shapeDays }: Effort): Figure[] {
  const winter = shapes(sample, shapeMeters, WINTER_DAYS.slice(0, shapeDays));
  const summer = shapes(sample, shapeMeters, SUMMER_DAYS.slice(0, shapeDays));
  const homesInWinter = extremes(winter.residential);
  const homesInSummer = extremes(summer.residential);
  const trade = extremes(
    winter.commercial.map((value, at) => (value + (summer.commercial[at] as number)) / 2),
  );
  return [
    { what: 'homes, winter weekday: lowest', band: BAND.homeWinterMin, measured: homesInWinter.min },
    { what: '  at, h', band: BAND.at03, measured: homesInWinter.minAt },
    { what: 'homes, winter weekday: highest', band: BAND.homeWinterMax, measured: homesInWinter.max },
    { what: '  at, h', band: BAND.at18, measured: homesInWinter.maxAt },
    { what: 'homes, summer weekday: lowest', band: BAND.homeSummerMin, measured: homesInSummer.min },
    { what: '  at, h', band: BAND.at03, measured: homesInSummer.minAt },
    { what: 'homes, summer weekday: highest', band: BAND.homeSummerMax, measured: homesInSummer.max },
    { what: '  at, h', band: BAND.at19, measured: homesInSummer.maxAt },
    { what: 'commercial, weekday: lowest', band: BAND.commercialMin, measured: trade.min },
    { what: '  at, h', band: BAND.at02, measured: trade.minAt },
    { what: 'commercial, weekday: highest', band: BAND.commercialMax, measured: trade.max },
    { what: '  at, h', band: BAND.at10, measured: trade.maxAt },
  ];
}

function calendarFigures(sample: Sample, { energy }: FleetYear): Figure[] {
  const homes = weekend(energy.residential);
  const trade = weekend(energy.commercial);
  const summer = seasonLevel(energy.residential, [6, 7]);
  const winter = seasonLevel(energy.residential, [11, 0, 1]);
  const us = sample.climate === 'us';
  const other = seasonLevel(energy.residential, [3, 4, 9, 10]);
  return [
    { what: 'homes, Saturday against weekday', band: BAND.homeSaturday, measured: homes.saturday },
    { what: 'homes, Sunday against weekday', band: BAND.homeSunday, measured: homes.sunday },
    { what: 'commercial, Saturday against weekday', band: BAND.commercialSaturday, measured: trade.saturday },
    { what: 'commercial, Sunday against weekday', band: BAND.commercialSunday, measured: trade.sunday },
    {
      what: us
        ? 'homes, summer against winter (climate us)'
        : 'homes, winter against summer (climate germany)',
      band: BAND.peakSeason,
      measured: us ? summer / winter : winter / summer,
    },
    ...(us
      ? [{ what: 'homes, winter against spring and autumn', band: BAND.secondPeak, measured: winter / other }]
      : []),
  ];
}

function homeFigures(years: readonly HomeYear[]): Figure[] {
  const middle = (what: string, band: Figure['band'], of: keyof HomeYear): Figure => {
    const values = years.map((year) => year[of]);
    return {
      what: `one home, ${what}`,
      band,
      measured: median(values),
      spread: middleRange(values, 'homes'),
    };
  };
  const peaks = years.map((year) => year.peakKw);
  return [
    middle('variation of quarter hours', BAND.variation, 'variation'),
    middle('autocorrelation over 15 min', BAND.lagOne, 'lagOne'),
    middle('autocorrelation over a day', BAND.lagDay, 'lagDay'),
    middle('load factor of the year', BAND.loadFactor, 'loadFactor'),
    middle('p99 against mean', BAND.p99, 'p99'),
    {
      what: 'largest peak of any of these homes, kW',
      band: BAND.peakKw,
      measured: Math.max(...peaks),
      spread: middleRange(peaks, 'homes'),
    },
  ];
}

function stepFigure(steps: readonly number[]): Figure {
  return {
    what: 'a thousand homes: largest 15-min step of a day',
    band: BAND.step,
    measured: median(steps),
    spread: middleRange(steps, 'days'),
  };
}
