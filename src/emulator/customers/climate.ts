import type { Climate } from '../../contracts/place.js';
import type { CustomerClass } from './customers.js';
import { publishedMonthMean } from './dayShapes.js';

/**
 * US sales by month, January first, mean of 2022 and 2023, million kWh (EIA Electric Power Monthly, table 5.1,
 * release of August 2024).
 */
const US_SALES: Readonly<Record<CustomerClass, readonly number[]>> = {
  residential: [
    136_282, 118_943, 111_116, 96_987, 105_275, 128_939, 162_181, 161_151, 131_281, 101_780, 102_790, 125_227,
  ],
  commercial: [
    112_049, 102_249, 109_337, 103_061, 111_706, 119_647, 133_557, 135_372, 123_929, 113_615, 106_955,
    111_424,
  ],
  industrial: [
    81_474, 76_474, 84_053, 82_094, 86_242, 88_363, 91_493, 93_685, 87_523, 86_591, 82_581, 82_140,
  ],
};
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DAYS_IN_YEAR = 365;

/** Mean load in a month (0–11) relative to the mean of the year. */
export function season(climate: Climate, customerClass: CustomerClass, month: number): number {
  return SEASONS[climate][customerClass][month] as number;
}

/**
 * The factor that gives H25 its year: the published profile is a household's without seasons, to be multiplied by this
 * polynomial of the day of the year (VDEW 1999, kept by BDEW for H25).
 */
function dynamisation(dayOfYear: number): number {
  return (
    -3.92e-10 * dayOfYear ** 4 +
    3.2e-7 * dayOfYear ** 3 -
    7.02e-5 * dayOfYear ** 2 +
    2.1e-3 * dayOfYear +
    1.24
  );
}

function middleOfMonth(month: number): number {
  const before = DAYS_IN_MONTH.slice(0, month).reduce((sum, days) => sum + days, 0);
  return before + (DAYS_IN_MONTH[month] as number) / 2;
}

function relative(daily: readonly number[]): readonly number[] {
  const total = daily.reduce((sum, value, month) => sum + value * (DAYS_IN_MONTH[month] as number), 0);
  return daily.map((value) => (value * DAYS_IN_YEAR) / total);
}

const usMonths = (customerClass: CustomerClass): readonly number[] =>
  relative(US_SALES[customerClass].map((sales, month) => sales / (DAYS_IN_MONTH[month] as number)));

const months = (level: (month: number) => number): readonly number[] =>
  relative(DAYS_IN_MONTH.map((_, month) => level(month)));

const SEASONS: Readonly<Record<Climate, Readonly<Record<CustomerClass, readonly number[]>>>> = {
  us: {
    residential: usMonths('residential'),
    commercial: usMonths('commercial'),
    industrial: usMonths('industrial'),
  },
  germany: {
    residential: months(
      (month) => dynamisation(middleOfMonth(month)) * publishedMonthMean('residential', month),
    ),
    commercial: months((month) => publishedMonthMean('commercial', month)),
    industrial: months(() => 1),
  },
};
