import { expireEvents } from '../events/eventTable.js';
import type { Duty } from './duty.js';

/** Events that are over are marked as such, for whoever queries the table. */
export const endEvents: Duty = async ({ database, now }) => ({
  eventsExpired: await expireEvents(database, now()),
});
