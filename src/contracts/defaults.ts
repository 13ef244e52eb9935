import { MAX_BATCH_SIZE, MAX_METER_COUNT } from './limits.js';

/** What a caller gets who does not say how large: the one place for it, whatever route or command is used. */

export const DEFAULT_BATCH_SIZE = MAX_BATCH_SIZE;
export const DEFAULT_FEEDER_COUNT = 25;
/** Meters of one publish, of `POST /start` (D14) and of a registry that is made up: quick to write and to look at. */
export const SMALL_METER_COUNT = 500;
/** Aligned intervals that catch-up looks back over, the running one included. */
export const DEFAULT_CATCH_UP_INTERVALS = 4;

/** The size of what is published by itself, by the automatic mode or a backfill. A registry says how large it is. */
export function wholeFleet(fleet: 'synthetic' | 'registry'): {
  meterCount: number | null;
  feederCount: number | null;
} {
  return fleet === 'registry'
    ? { meterCount: null, feederCount: null }
    : { meterCount: MAX_METER_COUNT, feederCount: DEFAULT_FEEDER_COUNT };
}
