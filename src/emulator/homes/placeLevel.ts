import type { Place } from '../../contracts/places.js';
import { MEAN_KWH_PER_DAY } from '../customers/customers.js';

/**
 * Mean consumption of a home, kWh per day, rounded. Northeast of the US: 602 kWh a month in New York and 625 in New England
 * (EIA-861, 2020). US South: some 1,130 a month in Texas, by the same source as generally cited. Germany: 128 TWh in 41.5 million
 * households (BDEW, 2020). UK: 96 TWh of homes in 2022, 2,906 kWh a year in the North East of England to 3,720 in the East (DESNZ).
 * New South Wales: 5,817 kWh a year, of Australia (ACIL Allen for the AER, 2015).
 */
export const HOME_KWH_PER_DAY: Readonly<Record<Place, number>> = {
  'us-south': 37.2,
  'us-northeast': 20.2,
  germany: 8.5,
  uk: 9.2,
  'australia-nsw': 15.9,
};

/**
 * How large customers of a place are against the mean of the US, which the classes' means are. Trade goes with homes, so that their
 * totals stand to each other as in the US: this project's assumption.
 */
export const placeLevel = (place: Place): number => HOME_KWH_PER_DAY[place] / MEAN_KWH_PER_DAY.residential;
