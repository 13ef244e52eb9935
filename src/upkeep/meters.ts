import { forgetMetersWithoutReads } from '../reads/partitionUpkeep.js';
import type { Duty } from './duty.js';

/** Meters that a drop or a delete has left without any read are no longer known, or they would count as silent. */
export const forgetMeters: Duty = async ({ database }, until) => {
  await forgetMetersWithoutReads(database, until);
  return {};
};
