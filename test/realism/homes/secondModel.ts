import type { Place } from '../../../src/contracts/places.js';
import { placeLevel } from '../../../src/emulator/homes/placeLevel.js';
import { PLACES } from '../../../src/emulator/weather/places.js';
import { median } from '../../support/quantiles.js';
import { BAND, type Figure, holds } from '../bands.js';
import { fleetYear } from '../fleetYear.js';
import { lossFigures, voltageFigures } from '../gridFigures.js';
import { customerFigures } from '../measure.js';
import { short } from '../statistics.js';
import { measureHomes } from './measureHomes.js';

/** What the second model is measured for: places with real homes to compare with, and seeds nobody picked. */
export const SEEDS = ['1', '2', '3', '4', '5'];
export const COMPARED_PLACES: readonly Place[] = ['uk', 'germany', 'us-south'];
/** Where few real homes are to be compared with, as 9 of California, the emulated ones should not be few as well. */
const METERS: Readonly<Record<Place, number>> = {
  uk: 90,
  germany: 150,
  'us-south': 250,
  'us-northeast': 90,
  'australia-nsw': 90,
};

/**
 * Each figure over the seeds: the middle is held to the band, since a percentile over 78 homes is good to a tenth; of
 * what tells homes apart the worst is.
 */
export function measureSeeds(place: Place, seeds: readonly string[], meters = METERS[place]): Figure[] {
  const runs = seeds.map((seed) => measureHomes(place, seed, meters));
  return (runs[0] as Figure[]).map((figure, index) => {
    const values = runs.map((run) => (run[index] as Figure).measured);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return {
      ...figure,
      measured: figure.what.startsWith('told apart') ? most : median(values),
      spread: `seeds: ${short(least)} – ${short(most)}`,
    };
  });
}

/** Level, loss and voltage of a fleet of the second model, by the bands of the first; the level of homes by their place's mean. */
export function measureLevel(place: Place, seed: string, meters: number, hoursApart: 1 | 3): Figure[] {
  const sample = {
    tenantId: 'HOMES',
    seed,
    climate: 'us',
    timeZone: PLACES[place].timeZone,
    model: 2,
    place,
  } as const;
  const year = fleetYear(sample, meters, hoursApart);
  const level = placeLevel(place);
  const [least, most] = BAND.homeKwhPerDay;
  return [
    ...customerFigures(sample, year, [least * level, most * level]),
    ...lossFigures(year),
    ...voltageFigures(year),
  ];
}

export const outside = (figures: readonly Figure[]): Figure[] => figures.filter((figure) => !holds(figure));
