import type { Database } from '../db/db.js';
import { changeDueZones, requestNewRules } from '../reads/tenantZones.js';
import type { Duty } from './duty.js';

/** Whether this Node has other rules of a zone is asked once: during an upgrade two versions would else take turns. */
const asked = new WeakSet<Database>();

/** Days are counted by the zones that tenants were given, and anew where a zone has new rules. */
export const countByZones: Duty = async ({ database }, until) => {
  if (!asked.has(database)) await requestNewRules(database);
  asked.add(database);
  await changeDueZones(database, until);
  return {};
};
