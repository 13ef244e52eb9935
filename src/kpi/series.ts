import type { FeederMetersQuery, TenantsQuery } from '../contracts/seriesRequest.js';
import type { Database } from '../db/db.js';
import { type Reads, readFromPrimary } from '../db/standbyReads.js';
import { feederMeters } from './feederMeters.js';
import { createFeederSeries } from './feederSeries.js';
import { meterSeries } from './meterSeries.js';
import { tenantPage } from './tenants.js';

/** What charts and tables show beside quickcheck: tenants, series of feeders and meters, a feeder's meters. */
export function createSeriesService(
  database: Database,
  reads: Pick<Reads, 'staleness'> = readFromPrimary(database),
) {
  return {
    ...createFeederSeries(database),
    meters: (feederId: string, query: FeederMetersQuery) => feederMeters(database, feederId, query),
    meter: (tenantId: string, meterId: string, span: { from: Date; to: Date }) =>
      meterSeries(database, tenantId, meterId, span),
    tenants: (query: TenantsQuery) => tenantPage(database, query),
    /** How old the answer under way is at most; nothing without a standby. */
    staleness: () => reads.staleness(),
  };
}

export type SeriesService = ReturnType<typeof createSeriesService>;
