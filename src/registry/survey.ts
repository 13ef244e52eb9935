/**
 * Room: registry. Promises: the database's own meters and feeders are read, loaded and published as they are, from
 * a snapshot that stands still.
 */

import { MAX_FEEDER_COUNT, MAX_METER_COUNT } from '../contracts/limits.js';
import type { Queryable } from '../db/db.js';
import type { FeederSpan } from '../emulator/fleet/syntheticFleet.js';
import { ofTenant, registryQuery } from '../schema/functions/canonicalRegistry.js';
import { quoted, quotedRelation } from '../schema/identifiers.js';
import type { RegistryMapping } from '../schema/mapping.js';

/** What a tenant's registry holds, and which part of that a publish may cover. */
export interface RegistrySurvey extends RegistryCounts {
  /** Different meter ids. */
  meters: number;
  /** A hash of the roster's meters, their feeders and their order; null for an empty roster. */
  fingerprint: string | null;
}

/**
 * A registry's roster, the order of its meters, as CTEs `roster` (position, feeder_id, meter_id), `span` and `survey`,
 * for the tenant `$1`: by feeder, then by meter, in byte order, within the caps. A meter that is there twice stands on
 * the first of its feeders. The cap of meters cuts at a feeder's end, since the loss of a part of a feeder is no loss; only a
 * first feeder that is larger than the cap is cut itself.
 */
export function registryRoster(registry: RegistryMapping): string {
  return `registry AS MATERIALIZED (${registryQuery(registry)}),
    meter AS MATERIALIZED (
      SELECT meter_id, bool_or(is_active) AS is_active, min(feeder_id) FILTER (WHERE is_active) AS feeder_id,
             count(*) FILTER (WHERE is_active AND feeder_id IS NOT NULL) AS times
      FROM registry GROUP BY meter_id
    ), feeder AS MATERIALIZED (
      SELECT feeder_id, count(*) AS meters, row_number() OVER (ORDER BY feeder_id) AS place,
             sum(count(*)) OVER (ORDER BY feeder_id) AS meters_so_far
      FROM meter WHERE feeder_id IS NOT NULL GROUP BY feeder_id
    ), roster AS MATERIALIZED (
      SELECT (row_number() OVER (ORDER BY feeder_id, meter_id) - 1)::integer AS position, feeder_id, meter_id
      FROM meter WHERE feeder_id <= (
        SELECT max(feeder_id) FROM feeder
        WHERE place = 1 OR (place <= ${MAX_FEEDER_COUNT} AND meters_so_far <= ${MAX_METER_COUNT})
      )
      ORDER BY feeder_id, meter_id LIMIT ${MAX_METER_COUNT}
    ), span AS MATERIALIZED (
      SELECT feeder_id, min(position) AS range_from, max(position) + 1 AS range_to FROM roster GROUP BY feeder_id
    ), survey AS MATERIALIZED (
      SELECT meters, inactive, without_feeder, repeated, feeders, beyond_feeder_cap,
             with_feeder - beyond_feeder_cap - roster_meters AS beyond_meter_cap, roster_meters, spans, fingerprint
      FROM (
        SELECT count(*)::integer AS meters, count(*) FILTER (WHERE NOT is_active)::integer AS inactive,
               count(*) FILTER (WHERE is_active AND feeder_id IS NULL)::integer AS without_feeder,
               count(*) FILTER (WHERE times > 1)::integer AS repeated, count(feeder_id)::integer AS with_feeder
        FROM meter
      ) of_meters, (
        SELECT count(*)::integer AS feeders,
               coalesce(sum(meters) FILTER (WHERE place > ${MAX_FEEDER_COUNT}), 0)::integer AS beyond_feeder_cap
        FROM feeder
      ) of_feeders, (
        SELECT coalesce(json_agg(json_build_object('feederId', feeder_id, 'from', range_from, 'to', range_to)
                 ORDER BY range_from), '[]') AS spans
        FROM span
      ) of_spans, (
        -- The lengths keep two different rosters from giving the same text.
        SELECT count(*)::integer AS roster_meters, encode(sha256(convert_to(string_agg(
                 concat(length(feeder_id), ' ', length(meter_id), ' ', feeder_id, meter_id), '' ORDER BY position),
                 'UTF8')), 'hex') AS fingerprint
        FROM roster
      ) of_roster
    )`;
}

/** All of a RegistrySurvey, from `registryRoster`'s `survey`. */
export const SURVEY_COLUMNS = `survey.meters, inactive, without_feeder AS "withoutFeeder", repeated, feeders,
  beyond_feeder_cap AS "beyondFeederCap", beyond_meter_cap AS "beyondMeterCap", spans, survey.fingerprint`;

/** What the tenant's registry holds now; touches nothing. */
export async function surveyRegistry(
  client: Queryable,
  registry: RegistryMapping,
  tenantId: string,
): Promise<RegistrySurvey> {
  const { rows } = await client.query<RegistrySurvey>({
    name: 'survey-registry',
    text: `WITH ${registryRoster(registry)} SELECT ${SURVEY_COLUMNS} FROM survey`,
    values: [tenantId],
  });
  return rows[0] as RegistrySurvey;
}

/**
 * The canonical id of the feeder that the registry knows by `name`, which may be its id, its key or another of its
 * names; undefined when no feeder has the name, or several have it.
 */
export async function findFeederId(
  client: Queryable,
  registry: RegistryMapping,
  tenantId: string,
  name: string,
): Promise<string | undefined> {
  const { feeders } = registry;
  if (feeders === null) {
    const { rowCount } = await client.query(
      `SELECT FROM (${registryQuery(registry)}) registry WHERE feeder_id = $2 LIMIT 1`,
      [tenantId, name],
    );
    return rowCount === 1 ? name : undefined;
  }
  const text = (column: { name: string }): string => `${quoted(column.name)}::text COLLATE "C"`;
  const id = text(feeders.feederId);
  const names = [feeders.feederId, feeders.key, ...feeders.aliases].map((column) => `${text(column)} = $2`);
  const { rows } = await client.query<{ feederId: string; isItsId: boolean }>(
    `SELECT DISTINCT ${id} AS "feederId", ${id} = $2 AS "isItsId" FROM ${quotedRelation(feeders.table)} feeder
     WHERE ${ofTenant('feeder', feeders.tenantId)}
       AND (${names.join(' OR ')}) AND ${id} <> '' LIMIT 3`,
    [tenantId, name],
  );
  const known = rows.find(({ isItsId }) => isItsId) ?? (rows.length === 1 ? rows[0] : undefined);
  return known?.feederId;
}

/** How many of these feeders the tenant's registry does not have. */
export async function unknownFeeders(
  client: Queryable,
  { feeders }: RegistryMapping,
  tenantId: string,
  ids: readonly string[],
): Promise<number> {
  if (feeders === null) return 0;
  const id = `${quoted(feeders.feederId.name)}::text COLLATE "C"`;
  const known = `SELECT ${id} FROM ${quotedRelation(feeders.table)} feeder WHERE ${ofTenant('feeder', feeders.tenantId)}`;
  return unknownIds(client, known, tenantId, ids);
}

/** How many of these meters the tenant's registry does not have. */
export function unknownMeters(
  client: Queryable,
  registry: RegistryMapping,
  tenantId: string,
  ids: readonly string[],
): Promise<number> {
  return unknownIds(client, `SELECT meter_id FROM (${registryQuery(registry)}) registry`, tenantId, ids);
}

/** Which of these meters the tenant's registry has, in service or not. */
export async function registeredMeters(
  client: Queryable,
  registry: RegistryMapping,
  tenantId: string,
  ids: readonly string[],
): Promise<Set<string>> {
  const { rows } = await client.query<{ meterId: string }>(
    `SELECT DISTINCT meter_id AS "meterId" FROM (${registryQuery(registry)}) registry WHERE meter_id = ANY ($2::text[])`,
    [tenantId, ids],
  );
  return new Set(rows.map(({ meterId }) => meterId));
}

async function unknownIds(
  client: Queryable,
  known: string,
  tenantId: string,
  ids: readonly string[],
): Promise<number> {
  const { rows } = await client.query<{ unknown: number }>(
    `SELECT count(*)::integer AS unknown FROM (SELECT unnest($2::text[]) COLLATE "C" EXCEPT ${known}) missing`,
    [tenantId, ids],
  );
  return rows[0]?.unknown ?? 0;
}

/** What a registry holds, in meters and feeders. */
export interface RegistryCounts {
  /** Meters out of service. */
  inactive: number;
  /** Meters in service that are on no feeder. */
  withoutFeeder: number;
  /** Meters in service and on a feeder that the registry has more than once. */
  repeated: number;
  feeders: number;
  /** Meters on the feeders beyond the cap. */
  beyondFeederCap: number;
  /** Meters beyond the cap of meters, on feeders within the cap of feeders. */
  beyondMeterCap: number;
  /** The roster by feeders, within both caps; empty when no meter can be published. */
  spans: readonly FeederSpan[];
}
