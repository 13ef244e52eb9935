import { ApiError } from '../contracts/errors.js';
import { type Database, rethrowUnavailable } from '../db/db.js';
import { shownRelation } from '../schema/identifiers.js';
import type { RegistryMapping } from '../schema/mapping.js';
import { type StoredSnapshot, storedSnapshot } from './snapshots.js';
import { type RegistrySurvey, surveyRegistry } from './survey.js';

/**
 * The tenant's registry as it is now; writes nothing.
 *
 * @throws ApiError 400 `registry_empty` when there is nothing in it to publish.
 */
export async function surveyedRegistry(
  database: Database,
  registry: RegistryMapping,
  tenantId: string,
): Promise<RegistrySurvey> {
  const survey = await surveyRegistry(database, registry, tenantId).catch(rethrowUnavailable);
  requireMeters(survey, registry, tenantId);
  return survey;
}

/**
 * The tenant's registry as it is now, with the snapshot that a publish of it names.
 *
 * @throws ApiError 400 `registry_empty` when there is nothing in it to publish.
 */
export async function currentFleet(
  database: Database,
  registry: RegistryMapping,
  tenantId: string,
): Promise<StoredSnapshot> {
  const survey = await surveyedRegistry(database, registry, tenantId);
  const stored = await storedSnapshot(database, registry, tenantId, survey).catch(rethrowUnavailable);
  // The registry may have been emptied since it was surveyed.
  requireMeters(stored.survey, registry, tenantId);
  return stored;
}

function requireMeters(survey: RegistrySurvey, registry: RegistryMapping, tenantId: string): void {
  if (survey.fingerprint !== null) return;
  const { meters, inactive } = survey;
  const load = `npm run fleet -- load FILE.csv`;
  const table = shownRelation(registry.meters.table);
  const feeders = registry.feeders === null ? '' : ` that ${shownRelation(registry.feeders.table)} has`;
  const message =
    meters === 0
      ? `found no meters for tenant ${tenantId} in ${table}: load them with \`${load}\` or make some with \`npm run fleet -- synthesize --tenant ${tenantId}\``
      : inactive === meters
        ? `found none of the ${meters} meters of tenant ${tenantId} in ${table} active: set them active there, or load others with \`${load}\``
        : `found none of the ${meters - inactive} active meters of tenant ${tenantId} in ${table} on a feeder${feeders}: put them on feeders there, or load them with \`${load}\``;
  throw new ApiError(400, 'registry_empty', `fleet "registry" ${message}.`, {
    details: [{ path: 'fleet', message }],
  });
}
