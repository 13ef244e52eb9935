import { keptSince } from '../contracts/intervals.js';
import { forgetReplacedReads } from '../imports/history.js';
import type { Duty } from './duty.js';

/** The history of reads goes with the reads that it is of. */
export const forgetHistory: Duty = async ({ database, now, readsRetentionDays }, until) => {
  if (readsRetentionDays !== undefined)
    await forgetReplacedReads(database, keptSince(now(), readsRetentionDays), until);
  return {};
};
