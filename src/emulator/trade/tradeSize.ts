import type { Place } from '../../contracts/places.js';
import { lognormalQuantiles, pick } from '../chance/quantiles.js';
import { drawAt, STREAM } from '../chance/random.js';
import { meanQuarterKwh } from '../customers/load.js';
import { placeLevel } from '../homes/placeLevel.js';

/** The sizes of the first model's customers, by the key alone: sdlog 1.1 and 0.8, an assumption there. */
const SIZES = { commercial: lognormalQuantiles(1.1), industrial: lognormalQuantiles(0.8) };

/** Mean energy of a quarter hour of a business of ordinary kind or of a plant, kWh. */
export function customerSizeOf(key: number, itsClass: 'commercial' | 'industrial', place: Place): number {
  return (
    placeLevel(place) *
    meanQuarterKwh(itsClass) *
    pick(SIZES[itsClass], drawAt(key, STREAM.placeCustomer, 90))
  );
}
