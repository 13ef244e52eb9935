import { ApiError, invalidField } from '../contracts/errors.js';
import { type Database, rethrowUnavailable } from '../db/db.js';
import { feederId, meterId, type SyntheticFleet } from '../emulator/fleet/syntheticFleet.js';
import { unknownFeeders, unknownMeters } from '../registry/survey.js';
import { shown, shownRelation } from '../schema/identifiers.js';
import type { MappedColumn, ReadsMapping, RelationName, SchemaMapping } from '../schema/mapping.js';

interface Wanted {
  tenantId: string;
  /** Undefined for a registry fleet, whose ids are the database's own. */
  synthetic: SyntheticFleet | undefined;
}

/**
 * Refuses what the table of reads has no room for by the types of its columns, before a batch fails on it.
 *
 * @throws ApiError 400: `fleet_unavailable` when synthetic ids do not fit, `invalid_request` when the tenant does not.
 */
export function requireFits({ table, columns }: ReadsMapping, { tenantId, synthetic }: Wanted): void {
  if (!fits(columns.tenantId, tenantId)) {
    const must = { uuid: 'be a UUID', integer: 'be a whole number', numeric: 'be a whole number' };
    const be = must[columns.tenantId.kind as keyof typeof must] ?? 'be shorter';
    throw invalidField('tenantId', `must ${be}, as ${columnOf(table, columns.tenantId)} is`);
  }
  if (!synthetic) return;
  // The last of each has the longest name.
  const last: [MappedColumn, string][] = [
    [columns.meterId, meterId(tenantId, synthetic.meterCount)],
    [columns.feederId, feederId(synthetic.feederCount)],
  ];
  const narrow = last.find(([column, id]) => !fits(column, id));
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
  { tenantId, synthetic }: Wanted,
): Promise<void> {
  if (!synthetic || reads.own) return;
  const { meterCount, feederCount } = synthetic;
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

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function fits({ kind, type }: MappedColumn, id: string): boolean {
  if (kind === 'integer' || kind === 'numeric') return /^\d{1,18}$/.test(id);
  if (kind === 'uuid') return UUID.test(id);
  return id.length <= Number(/\((\d+)\)$/.exec(type)?.[1] ?? Number.POSITIVE_INFINITY);
}

function columnOf(table: RelationName, column: MappedColumn): string {
  return `${shownRelation(table)}.${shown(column.name)} (${column.type})`;
}
