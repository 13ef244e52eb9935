import { restoreLostBatches } from '../publishing/lostBatches.js';
import type { Duty } from './duty.js';

/** Batches that the ledger owes and that no queue has are put back. */
export const restoreBatches: Duty = async ({ database, queue }) => ({
  batchesRestored: await restoreLostBatches(database, queue),
});
