import { deleteUnnamedSnapshot, unnamedSnapshots } from '../registry/snapshots.js';
import type { Duty } from './duty.js';

/** Snapshots per run: one of 25,000 meters is deleted in tens of ms. */
const AT_ONCE = 20;

/** Snapshots of registries that no publish needs are deleted, one by one: a publish about to name one waits for it. */
export const deleteSnapshots: Duty = async ({ database }) => {
  let fleetsDeleted = 0;
  for (const fleetId of await unnamedSnapshots(database, AT_ONCE))
    if (await deleteUnnamedSnapshot(database, fleetId)) fleetsDeleted += 1;
  return { fleetsDeleted };
};
