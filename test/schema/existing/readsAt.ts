import type pg from 'pg';
import type { ReadsInSql } from './existingCase.js';

/** A read as a person would take it out of the utility's table. */
export interface CanonicalRead {
  meterId: string;
  feederId: string;
  kwh: number;
  deliveredKwh: number;
  voltage: number;
  isLow: boolean;
}

/** The reads of one interval by meter. */
export async function readsAt(
  pool: pg.Pool,
  { table, tenant, meter, feeder, readAt, kwh, delivered, voltage, isLow }: ReadsInSql,
  ofTenant: string,
  at: string,
): Promise<Map<string, CanonicalRead>> {
  const { rows } = await pool.query<CanonicalRead>(
    `SELECT ${meter} AS "meterId", ${feeder} AS "feederId", ${kwh} AS kwh, ${delivered} AS "deliveredKwh",
       ${voltage} AS voltage, ${isLow} AS "isLow"
     FROM ${table} WHERE ${tenant} = $1 AND ${readAt} = $2 ORDER BY 1`,
    [ofTenant, at],
  );
  return new Map(rows.map((read) => [read.meterId, read]));
}

/** How many reads a UTC day has and what they registered; a row that names no meter is none. */
export async function readsOfDay(
  pool: pg.Pool,
  { table, tenant, meter, readAt, kwh }: ReadsInSql,
  ofTenant: string,
  day: string,
): Promise<{ count: number; kwh: number }> {
  const { rows } = await pool.query<{ count: number; kwh: number }>(
    `SELECT count(*)::integer AS count, coalesce(sum(${kwh}), 0) AS kwh
     FROM ${table} WHERE ${tenant} = $1 AND ${meter} IS NOT NULL AND ((${readAt}) AT TIME ZONE 'UTC')::date = $2`,
    [ofTenant, day],
  );
  return rows[0] as { count: number; kwh: number };
}
