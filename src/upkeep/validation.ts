import { keptSince } from '../contracts/intervals.js';
import { forgetValidation } from '../vee/pruning.js';
import type { Duty } from './duty.js';

/** What was found of reads goes with the reads, and a run with the ledger of its time. */
export const forgetFindings: Duty = async (
  { database, now, readsRetentionDays, ledgerRetentionDays },
  until,
) => {
  const readsBefore = keptSince(now(), readsRetentionDays);
  await forgetValidation(database, { readsBefore, runsBefore: keptSince(now(), ledgerRetentionDays) }, until);
  return {};
};
