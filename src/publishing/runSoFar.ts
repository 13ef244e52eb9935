import {
  type Emulation,
  type EmulationWanted,
  emulationOf,
  hasPlace,
  type PlaceModel,
  type RunSoFar,
} from '../contracts/emulation.js';
import { type Queryable, rethrowUnavailable } from '../db/db.js';
import { timeZoneOf } from '../emulator/weather/places.js';

/**
 * What a request's reads are made by, where the tenant's model counts that it does not name.
 *
 * @throws ApiError 400 when it names a place and a climate, or what its model does not have.
 */
export async function plannedEmulation(
  client: Queryable,
  tenantId: string,
  wanted: EmulationWanted,
): Promise<Emulation> {
  const soFar = await runSoFar(client, tenantId).catch(rethrowUnavailable);
  if (
    soFar === undefined ||
    hasPlace(soFar.model) ||
    wanted.place === undefined ||
    wanted.model !== undefined
  )
    return emulationOf(wanted, soFar);
  const placeModel = await lastPlaceModel(client, tenantId).catch(rethrowUnavailable);
  return emulationOf(wanted, { ...soFar, placeModel });
}

/** By whose clock the customers of a request that names no zone live. */
export function zoneOf({ place }: Pick<Emulation, 'place'>): string {
  return timeZoneOf(place);
}

/** The model that a tenant's automatic mode is set to, running or not, else that of its latest publish. */
async function runSoFar(client: Queryable, tenantId: string): Promise<RunSoFar | undefined> {
  const { rows } = await client.query<RunSoFar>({
    name: 'run-so-far',
    text: `(SELECT model, place, 0 AS turn FROM ami_auto WHERE tenant_id = $1)
           UNION ALL
           (SELECT model, place, 1 FROM ami_publishes WHERE tenant_id = $1 AND import_id IS NULL
            ORDER BY accepted_at DESC LIMIT 1)
           ORDER BY turn LIMIT 1`,
    values: [tenantId],
  });
  return rows[0];
}

/** The model of the latest publish or backfill of a place: it walks the tenant's part of the ledger, so few requests ask for it. */
async function lastPlaceModel(client: Queryable, tenantId: string): Promise<PlaceModel | undefined> {
  const { rows } = await client.query<{ model: PlaceModel }>({
    name: 'last-place-model',
    text: `(SELECT model, accepted_at FROM ami_publishes WHERE tenant_id = $1 AND place IS NOT NULL
            ORDER BY accepted_at DESC LIMIT 1)
           UNION ALL
           (SELECT model, accepted_at FROM ami_backfills WHERE tenant_id = $1 AND place IS NOT NULL
            ORDER BY accepted_at DESC LIMIT 1)
           ORDER BY accepted_at DESC LIMIT 1`,
    values: [tenantId],
  });
  return rows[0]?.model;
}
