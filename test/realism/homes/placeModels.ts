import type { PlaceModel } from '../../../src/contracts/emulation.js';
import type { Place } from '../../../src/contracts/places.js';
import { placeLevel } from '../../../src/emulator/homes/placeLevel.js';
import { PLACES } from '../../../src/emulator/weather/places.js';
import { median } from '../../support/quantiles.js';
import { BAND, type Figure, holds } from '../bands.js';
import { measureEquipment } from '../equipment/measureEquipment.js';
import { fleetYear } from '../fleetYear.js';
import { lossFigures, voltageFigures } from '../gridFigures.js';
import { customerFigures } from '../measure.js';
import { short } from '../statistics.js';
import { measureHomes } from './measureHomes.js';

/** What a model of a place is measured for: places with real homes to compare with, and seeds nobody picked. */
export const SEEDS = ['1', '2', '3', '4', '5'];
export const COMPARED_PLACES: readonly Place[] = ['uk', 'germany', 'us-south'];
/** Some three hundred homes: a percentile over fewer is as wide as its band, and few homes told from few are told by chance. */
const METERS = 360;
/** Equipment spreads less, and is measured at each home. */
const EQUIPPED_METERS = 150;

/** What homes show, each figure over the seeds. */
export function measureSeeds(
  model: PlaceModel,
  place: Place,
  seeds: readonly string[],
  meters = METERS,
): Figure[] {
  return overSeeds(seeds.map((seed) => measureHomes(model, place, seed, meters)));
}

/** What stands behind their meters, each figure over the seeds. */
export function measureEquipmentOfSeeds(model: PlaceModel, place: Place, seeds: readonly string[]): Figure[] {
  return overSeeds(seeds.map((seed) => measureEquipment(model, place, seed, EQUIPPED_METERS)));
}

/** The middle is held to the band, since a percentile over homes is good to a tenth; of what tells homes apart the worst is. */
function overSeeds(runs: readonly Figure[][]): Figure[] {
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

/** Level, loss and voltage of a fleet of a place, by the bands of the first; the level of homes by their place's mean. */
export function measureLevel(
  model: PlaceModel,
  place: Place,
  seed: string,
  meters: number,
  hoursApart: 1 | 3,
): Figure[] {
  const sample = {
    tenantId: 'HOMES',
    seed,
    climate: 'us',
    timeZone: PLACES[place].timeZone,
    model,
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
