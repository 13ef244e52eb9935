import type { Queryable } from '../../db/db.js';
import { registryQuery } from '../../schema/functions/canonicalRegistry.js';
import { quotedRelation } from '../../schema/identifiers.js';
import type { MappedColumn, RegistryMapping } from '../../schema/mapping.js';
import { feederNameColumn, of, sameTenant } from './writeRows.js';

export interface RegistryRow {
  meterId: string;
  /** Null: on no feeder. */
  feederId: string | null;
  isActive: boolean;
}

/** Rows fetched at once: a few hundred kB. */
const FETCHED_ROWS = 5_000;

/** The tenant's meters by feeder, then meter; those on no feeder last. Needs a transaction, as cursors do. */
export async function* registryRows(
  client: Queryable,
  registry: RegistryMapping,
  tenantId: string,
): AsyncGenerator<RegistryRow> {
  await client.query(
    `DECLARE registry_rows NO SCROLL CURSOR FOR
     SELECT meter_id AS "meterId", feeder_id AS "feederId", is_active AS "isActive"
     FROM (${registryQuery(registry)}) meter ORDER BY feeder_id NULLS LAST, meter_id`,
    [tenantId],
  );
  for (;;) {
    const { rows } = await client.query<RegistryRow>(`FETCH ${FETCHED_ROWS} FROM registry_rows`);
    if (rows.length === 0) return;
    yield* rows;
  }
}

/** The names of the tenant's feeders, by feeder id; feeders without a name are left out. */
export async function feederNames(
  client: Queryable,
  registry: RegistryMapping,
  tenantId: string,
): Promise<Map<string, string>> {
  const { feeders } = registry;
  const name: MappedColumn | null = feederNameColumn(registry);
  if (feeders === null || name === null) return new Map();
  const { rows } = await client.query<{ feederId: string; name: string }>(
    `SELECT ${of('feeder', feeders.feederId)}::text AS "feederId", ${of('feeder', name)}::text AS name
     FROM ${quotedRelation(feeders.table)} feeder
     WHERE ${sameTenant('feeder', feeders.tenantId)} AND ${of('feeder', name)} <> ''`,
    [tenantId],
  );
  return new Map(rows.map(({ feederId, name }) => [feederId, name]));
}
