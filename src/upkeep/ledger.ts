import { pruneLedger } from '../ledger/pruning.js';
import type { Duty } from './duty.js';

/** Publishes that are older than the retention leave the ledger; their reads stay. */
export const deleteOldPublishes: Duty = async ({ database, ledgerRetentionDays, now }, until) => ({
  publishesPruned: await pruneLedger(database, ledgerRetentionDays, now(), until),
});
