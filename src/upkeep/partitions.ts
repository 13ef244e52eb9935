import { dropExpiredPartitions, preparePartitions } from '../reads/partitionUpkeep.js';
import type { Duty } from './duty.js';

/** The days around now have a partition, so no publish has to make one. */
export const makePartitions: Duty = async ({ database, now }) => ({
  partitionsMade: await preparePartitions(database, now()),
});

/** Days of reads that are older than the retention are dropped whole. */
export const dropPartitions: Duty = async ({ database, now, readsRetentionDays, isArchived }) =>
  readsRetentionDays === undefined || isArchived
    ? {}
    : { partitionsDropped: await dropExpiredPartitions(database, now(), readsRetentionDays) };
