import { type Database, type Queryable, rethrowUnavailable } from '../db/db.js';
import type { CsvMapping } from '../intervalFiles/csv/mapping.js';
import { parseMappingText } from './mappingText.js';

/** What the CSV files of a sender mean, kept under a name. */
export interface SavedMapping {
  name: string;
  /** As it was given, with its comments. */
  yaml: string;
  savedAt: Date;
}

/** With what it means. */
export type MeantMapping = SavedMapping & { fields: Partial<CsvMapping> };

const MAPPING = 'name, mapping AS yaml, saved_at AS "savedAt"';

/**
 * Keeps a mapping in the place of the one of that name.
 *
 * @param yaml of some or all fields; what it lacks is proposed from each file.
 * @throws MappingTextError where the text is no mapping.
 */
export async function saveMapping(
  client: Queryable,
  tenantId: string,
  name: string,
  yaml: string,
): Promise<MeantMapping> {
  const fields = parseMappingText(yaml);
  const { rows } = await client.query<SavedMapping>(
    `INSERT INTO ami_import_mappings (tenant_id, name, mapping) VALUES ($1, $2, $3)
     ON CONFLICT (tenant_id, name) DO UPDATE SET mapping = excluded.mapping, saved_at = now()
     RETURNING ${MAPPING}`,
    [tenantId, name, yaml],
  );
  return { ...(rows[0] as SavedMapping), fields };
}

/** A mapping by its name; undefined where there is none. */
export async function savedMapping(
  client: Queryable,
  tenantId: string,
  name: string,
): Promise<MeantMapping | undefined> {
  const { rows } = await client.query<SavedMapping>(
    `SELECT ${MAPPING} FROM ami_import_mappings WHERE tenant_id = $1 AND name = $2`,
    [tenantId, name],
  );
  const [found] = rows;
  return found && { ...found, fields: parseMappingText(found.yaml) };
}

/** A tenant's mappings by name; as many as a list shows. */
export async function savedMappings(
  client: Queryable,
  tenantId: string,
  limit: number,
): Promise<SavedMapping[]> {
  const { rows } = await client.query<SavedMapping>(
    `SELECT ${MAPPING} FROM ami_import_mappings WHERE tenant_id = $1 ORDER BY name LIMIT $2`,
    [tenantId, limit],
  );
  return rows;
}

/** Forgets a mapping; false where there is none of that name. */
export async function deleteMapping(client: Queryable, tenantId: string, name: string): Promise<boolean> {
  const { rowCount } = await client.query(
    'DELETE FROM ami_import_mappings WHERE tenant_id = $1 AND name = $2',
    [tenantId, name],
  );
  return rowCount === 1;
}

/** A tenant's own; more are no list for people. */
const LISTED = 1_000;

/** What the routes of mappings ask. */
export function createMappingService(database: Database) {
  return {
    find: (tenantId: string, name: string) =>
      savedMapping(database, tenantId, name).catch(rethrowUnavailable),
    /** @throws MappingTextError where the text is no mapping. */
    save: (tenantId: string, name: string, yaml: string) =>
      saveMapping(database, tenantId, name, yaml).catch(rethrowUnavailable),
    remove: (tenantId: string, name: string) =>
      deleteMapping(database, tenantId, name).catch(rethrowUnavailable),
    list: (tenantId: string) => savedMappings(database, tenantId, LISTED).catch(rethrowUnavailable),
  };
}

export type MappingService = ReturnType<typeof createMappingService>;
