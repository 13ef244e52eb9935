import { type Database, rethrowUnavailable } from '../db/db.js';
import { requestZone, tenantZone } from '../reads/tenantZones.js';

/** By whose days the reads of a tenant are counted. */
export function createZoneService(database: Database) {
  return {
    find: async (tenantId: string) => ({
      tenantId,
      ...(await tenantZone(database, tenantId).catch(rethrowUnavailable)),
    }),
    /** @param timeZone of the IANA database. */
    set: async (tenantId: string, timeZone: string) => ({
      tenantId,
      ...(await requestZone(database, tenantId, timeZone).catch(rethrowUnavailable)),
    }),
  };
}

export type ZoneService = ReturnType<typeof createZoneService>;
