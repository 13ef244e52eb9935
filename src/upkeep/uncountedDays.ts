import type { Database } from '../db/db.js';
import { countUncountedDays } from '../reads/uncountedDays.js';
import type { Duty } from './duty.js';

/** Days are owed by an upgrade alone: once there are none, no more come while this process runs. */
const counted = new WeakSet<Database>();

/** What was fed in before the rollups had it is counted, day by day. */
export const countFedIn: Duty = async ({ database }, until) => {
  if (counted.has(database)) return {};
  if ((await countUncountedDays(database, until)) === 0) counted.add(database);
  return {};
};
