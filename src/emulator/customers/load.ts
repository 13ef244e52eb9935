import type { Climate } from '../../contracts/place.js';
import { season } from './climate.js';
import { type CustomerClass, MEAN_KWH_PER_DAY } from './customers.js';
import { dayShape } from './dayShapes.js';
import { type DayType, type LocalQuarter, QUARTER_HOURS_PER_DAY } from './localTime.js';

/** What a mean customer of each class is expected to draw; how customers depart from it is elsewhere. */

/**
 * Baseline energy of a quarter hour, kWh, by the hour of the day.
 *
 * @param hourOfDay local hour with fraction, [0, 24): 18.25 is a quarter past six in the evening.
 * @param quarterHours energy of the day's 96 quarter hours, kWh; those of a mean US home on a weekday in
 *   January by default.
 */
export function baselineKwh(hourOfDay: number, quarterHours: readonly number[] = HOME_IN_JANUARY): number {
  return quarterHours[Math.floor(hourOfDay * 4)] as number;
}

/** Mean energy of a customer of this class in a quarter hour of the year, kWh. */
export function meanQuarterKwh(customerClass: CustomerClass): number {
  return MEAN_KWH_PER_DAY[customerClass] / QUARTER_HOURS_PER_DAY;
}

/** Expected energy of the mean customer of a class in a quarter hour by the local clock, kWh. */
export function expectedKwh(climate: Climate, customerClass: CustomerClass, local: LocalQuarter): number {
  const months = QUARTER_HOURS[climate][customerClass][local.dayType];
  const before = baselineKwh(local.quarterOfDay / 4, months[local.monthBefore]);
  const after = baselineKwh(local.quarterOfDay / 4, months[local.monthAfter]);
  return before + (after - before) * local.towardsAfter;
}

type MonthlyKwh = Readonly<Record<DayType, readonly (readonly number[])[]>>;

function monthlyKwh(climate: Climate, customerClass: CustomerClass): MonthlyKwh {
  const months = (dayType: DayType) =>
    Array.from({ length: 12 }, (_, month) => {
      const mean = meanQuarterKwh(customerClass) * season(climate, customerClass, month);
      return dayShape(customerClass, month, dayType).map((relative) => relative * mean);
    });
  return { weekday: months('weekday'), saturday: months('saturday'), sunday: months('sunday') };
}

const everyClass = (climate: Climate): Readonly<Record<CustomerClass, MonthlyKwh>> => ({
  residential: monthlyKwh(climate, 'residential'),
  commercial: monthlyKwh(climate, 'commercial'),
  industrial: monthlyKwh(climate, 'industrial'),
});

const QUARTER_HOURS: Readonly<Record<Climate, Readonly<Record<CustomerClass, MonthlyKwh>>>> = {
  us: everyClass('us'),
  germany: everyClass('germany'),
};

const HOME_IN_JANUARY = QUARTER_HOURS.us.residential.weekday[0] as readonly number[];
