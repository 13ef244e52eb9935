import { ApiError, invalidField } from '../contracts/errors.js';
import { type Database, rethrowUnavailable } from '../db/db.js';
import { feederId, meterId, type SyntheticFleet } from '../emulator/fleet/syntheticFleet.js';
import { unknownFeeders, unknownMeters } from '../registry/survey.js';
import { type ColumnFit, columnFit } from '../schema/columnFit.js';
import { shown, shownRelation } from '../schema/identifiers.js';
import type { MappedColumn, ReadsMapping, RelationName, SchemaMapping } from '../schema/mapping.js';

/** A synthetic fleet; a registry's ids are the database's own and fit it. */
interface SyntheticPublish {
  tenantId: string;
  fleet: SyntheticFleet;
}

/**
 * Refuses a tenant that the table of reads has no room for by the type of its column, before a batch fails on it.
 *
 * @throws ApiError 400 `invalid_request`.
 */
export function requireTenantFits({ table, columns }: ReadsMapping, tenantId: string): void {
  const fit = columnFit(columns.tenantId, tenantId);
  if (isSpelled(fit, tenantId)) return;
  const be = 'value' in fit ? `be written ${fit.value}` : MUST[fit.misfit];
  throw invalidField('tenantId', `must ${be}, as ${columnOf(table, columns.tenantId)} is`);
}

const MUST = {
  'not a UUID': 'be a UUID',
  'not a whole number': 'be a whole number',
  'out of range': 'be a smaller number',
  'too long': 'be shorter',
};

/**
 * Refuses a synthetic fleet whose ids the table of reads has no room for by the types of its columns.
 *
 * @throws ApiError 400 `fleet_unavailable`.
 */
export function requireFits({ table, columns }: ReadsMapping, { tenantId, fleet }: SyntheticPublish): void {
  // The last of each has the longest name.
  const last: [MappedColumn, string][] = [
    [columns.meterId, meterId(tenantId, fleet.meterCount)],
    [columns.feederId, feederId(fleet.feederCount)],
  ];
  const narrow = last.find(([column, id]) => !isSpelled(columnFit(column, id), id));
  if (narrow)
    refuse(`since ${columnOf(table, narrow[0])} has no room for names like ${narrow[1]}: use "registry"`);
}

/**
 * Refuses a synthetic fleet whose meters or feeders are not in the registry that the reads refer to.
 *
 * @throws ApiError 400 `fleet_unavailable`.
 */
export async function requireReferenced(
  database: Database,
  { reads, registry }: Pick<SchemaMapping, 'reads' | 'registry'>,
  { tenantId, fleet: { meterCount, feederCount } }: SyntheticPublish,
): Promise<void> {
  if (reads.own) return;
  const check = async (
    column: MappedColumn,
    table: RelationName | undefined,
    what: string,
    unknown: () => Promise<number>,
  ): Promise<void> => {
    if (column.source !== 'foreign key' || !table) return;
    const count = await unknown().catch(rethrowUnavailable);
    if (count === 0) return;
    refuse(
      `since ${shownRelation(reads.table)}.${shown(column.name)} refers to ${shownRelation(table)}; ${count} of the fleet's ${what} ${count === 1 ? 'is' : 'are'} missing there: use "registry", or fill it with npm run fleet -- synthesize --tenant ${tenantId}`,
    );
  };
  const feeders = Array.from({ length: Math.min(feederCount, meterCount) }, (_, index) =>
    feederId(index + 1),
  );
  const meters = Array.from({ length: meterCount }, (_, index) => meterId(tenantId, index + 1));
  await check(reads.columns.feederId, registry.feeders?.table, 'feeders', () =>
    unknownFeeders(database, registry, tenantId, feeders),
  );
  await check(reads.columns.meterId, registry.meters.table, 'meters', () =>
    unknownMeters(database, registry, tenantId, meters),
  );
}

function refuse(why: string): never {
  const message = `cannot be "synthetic", ${why}`;
  throw new ApiError(400, 'fleet_unavailable', `fleet ${message}.`, {
    details: [{ path: 'fleet', message }],
  });
}

/** Whether the column keeps an id as it is: reads are looked up by the id that was published. Case aside, as UUIDs are. */
function isSpelled(fit: ColumnFit, id: string): boolean {
  return 'value' in fit && fit.value.toLowerCase() === id.toLowerCase();
}

function columnOf(table: RelationName, column: MappedColumn): string {
  return `${shownRelation(table)}.${shown(column.name)} (${column.type})`;
}
