import { z } from 'zod';

/** Where a fleet is: what its clock shows and how its year goes. Shared by requests and job payloads. */

/**
 * How load goes through the year. `us`: homes peak in summer, by air conditioning, and less so in winter.
 * `germany`: homes peak in winter. Both have the seasons of the northern hemisphere.
 */
export const CLIMATES = ['us', 'germany'] as const;

export type Climate = (typeof CLIMATES)[number];

export const DEFAULT_CLIMATE: Climate = 'us';

/** Whether `value` names a zone of the IANA time zone database that this runtime knows. Never throws. */
export function isTimeZone(value: string): boolean {
  // Offsets such as '+02:00', which newer runtimes take, name no zone: they have no daylight saving.
  if (typeof value !== 'string' || !/^[A-Za-z]/.test(value)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return true;
  } catch {
    return false;
  }
}

const zoneName = 'must be a time zone of the IANA database, for example "Europe/Berlin"';

/** The zone by whose clock the fleet's customers live; reads are stamped in UTC whatever it is. */
export const timeZone = z.string(zoneName).max(64, zoneName).refine(isTimeZone, zoneName);
export const DEFAULT_TIME_ZONE = 'UTC';

export const climate = z.enum(CLIMATES, `must be ${CLIMATES.map((name) => `"${name}"`).join(' or ')}`);
