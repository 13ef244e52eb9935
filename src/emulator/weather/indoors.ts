import type { Place } from '../../contracts/places.js';
import { temperatureAt } from './weather.js';

/** Quarter hours ago, and how much the air of then still counts in a building of ordinary mass. */
const AGES = [0, 8, 20, 44, 92];
const WEIGHTS = [0.36, 0.22, 0.16, 0.14, 0.12];

/** Temperature that a building's heating and cooling answer to in the UTC quarter hour `slot`, °C. */
export function airAt(place: Place, weatherKey: number, slot: number): number {
  return AGES.reduce(
    (sum, age, index) => sum + (WEIGHTS[index] as number) * temperatureAt(place, weatherKey, slot - age),
    0,
  );
}
