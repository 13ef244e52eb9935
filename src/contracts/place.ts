import { z } from 'zod';
import { CLIMATES } from '../emulator/customers/climate.js';
import { isTimeZone } from '../emulator/customers/localTime.js';

/** Where a fleet is: what its clock shows and how its year goes. Shared by requests and job payloads. */

const zoneName = 'must be a time zone of the IANA database, for example "Europe/Berlin"';

/** The zone by whose clock the fleet's customers live; reads are stamped in UTC whatever it is. */
export const timeZone = z.string(zoneName).max(64, zoneName).refine(isTimeZone, zoneName);
export const DEFAULT_TIME_ZONE = 'UTC';

export const climate = z.enum(CLIMATES, `must be ${CLIMATES.map((name) => `"${name}"`).join(' or ')}`);
