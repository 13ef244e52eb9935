import pg from 'pg';
import { type Database, type Queryable, withClient } from '../db/db.js';
import { KPI_VIEW_COLUMNS, type KpiColumnKind } from '../schema/detect/kpiViewColumns.js';
import { quoted, quotedRelation } from '../schema/identifiers.js';
import type { KpiViewMapping, KpiViewName, MappedColumn } from '../schema/mapping.js';
import type { LossRange, OverviewDay } from './ownViews.js';

/** A customer's view may have no counterpart for any of the columns. */
export type Nullable<Row> = { [Column in keyof Row]: Row[Column] | null };

/** The order within a day, the same as in our own views. A column that the view lacks is NULL and orders nothing. */
const ORDER_IN_A_DAY: Record<KpiViewName, string> = {
  v_kpi_electric_overview_daily: '',
  v_kpi_electric_feeder_loss_daily: ', kpi."lossPct" DESC NULLS LAST, kpi."feederId" COLLATE pg_catalog."C"',
  v_kpi_suspicious_meters_daily: ', kpi."missingKwh" DESC NULLS LAST, kpi."meterId" COLLATE pg_catalog."C"',
  v_kpi_fieldops_daily: ', kpi.priority, kpi."feederId" COLLATE pg_catalog."C"',
};

/**
 * The latest `limit` rows of a customer's view, in the form of our own: latest day first, rows without a day last.
 * A view without tenants shows all of its rows to every tenant. A day counts even if our rollups do not know it. A day
 * that has begun nowhere on earth is left out, as our own views leave out reads stamped in the future.
 *
 * Not prepared under a name: the view may be another one tomorrow.
 */
export function customerViewQuery(
  name: KpiViewName,
  { view, columns }: KpiViewMapping,
  tenantId: string,
  limit: number,
  further = '',
): pg.QueryConfig {
  const values: unknown[] = [limit];
  const tenant = columns.tenant_id;
  if (tenant) values.push(tenantId);
  const fields = Object.entries(KPI_VIEW_COLUMNS[name])
    .filter(([canonical, { standsInFor }]) => canonical !== 'tenant_id' && standsInFor === undefined)
    .map(([canonical, { kind }]) => ({
      field: camelCase(canonical),
      sql: fieldSql(name, canonical, kind, columns),
    }));
  const selected = fields.map(({ field }) =>
    field === 'day' ? `to_char(kpi.day::timestamp, 'YYYY-MM-DD') AS day` : `kpi.${quoted(field)}`,
  );
  return {
    text: `SELECT ${selected.join(', ')}${further}
           FROM (SELECT ${fields.map(({ field, sql }) => `${sql} AS ${quoted(field)}`).join(', ')}
                 FROM ${quotedRelation(view)} AS kpi${tenant ? ` WHERE ${sqlName(tenant)}::text = $2` : ''}) AS kpi
           ${columns.day ? `WHERE (kpi.day <= ((now() + interval '14 h') AT TIME ZONE 'UTC')::date) IS NOT FALSE` : ''}
           ORDER BY kpi.day DESC NULLS LAST${ORDER_IN_A_DAY[name]} LIMIT $1`,
    values,
  };
}

/** Days and loss range from one look at the view: it may be a costly one. */
export async function customerOverview(
  database: Queryable,
  mapping: KpiViewMapping,
  tenantId: string,
  limit: number,
): Promise<{ loss: LossRange; overview: Nullable<OverviewDay>[] }> {
  const { rows } = await database.query<Nullable<OverviewDay> & { ofAll: LossRange }>(
    customerViewQuery(
      'v_kpi_electric_overview_daily',
      mapping,
      tenantId,
      limit,
      `, json_build_object('min', min(kpi."lossPct") OVER (), 'max', max(kpi."lossPct") OVER (),
         'avg', round((avg(kpi."lossPct") OVER ())::numeric, 3)) AS "ofAll"`,
    ),
  );
  return {
    loss: rows[0]?.ofAll ?? { min: null, max: null, avg: null },
    overview: rows.map(({ ofAll, ...day }) => day as Nullable<OverviewDay>),
  };
}

/** @returns the rows of one of the views that list things by day. */
export async function customerRows<Row extends object>(
  database: Queryable,
  name: KpiViewName,
  mapping: KpiViewMapping,
  tenantId: string,
  limit: number,
): Promise<Nullable<Row>[]> {
  const { rows } = await database.query<Nullable<Row>>(customerViewQuery(name, mapping, tenantId, limit));
  return rows;
}

/**
 * Reads a customer's view and makes Postgres itself stop after `limitMs`: pg's own `query_timeout` only stops waiting
 * while the server works on. JIT is off, since with a wrong estimate compiling alone can take longer than that. An error
 * that Postgres reports leaves the connection sound; after any other error the connection is dropped.
 *
 * The transaction is always rolled back: a function in the view may have changed settings of the session
 * (`set_config(…, false)`), which the next borrower of the connection would inherit. The transaction is not READ ONLY,
 * because a view that logs who looks at it would then fail. So it answers, and its log entry is taken back.
 *
 * @throws pg.DatabaseError 57014 after that time, or whatever is wrong with the view.
 */
export function withinCustomerTime<T>(
  database: Database,
  limitMs: number,
  read: (client: Queryable) => Promise<T>,
): Promise<T> {
  return withClient(database, async (client, drop) => {
    try {
      await client.query(
        `BEGIN; SET LOCAL statement_timeout = ${Math.max(1, Math.ceil(limitMs))}; SET LOCAL jit = off`,
      );
      const found = await read(client);
      await client.query('ROLLBACK').catch(drop);
      return found;
    } catch (error) {
      if (error instanceof pg.DatabaseError) await client.query('ROLLBACK').catch(drop);
      else drop();
      throw error;
    }
  });
}

function fieldSql(
  view: KpiViewName,
  canonical: string,
  kind: KpiColumnKind,
  columns: KpiViewMapping['columns'],
): string {
  const column = columns[canonical];
  if (column) return AS_KIND[kind](sqlName(column), column);
  const [fraction] = Object.entries(KPI_VIEW_COLUMNS[view])
    .filter(([, { standsInFor }]) => standsInFor === canonical)
    .map(([name]) => columns[name]);
  // Through numeric: 100 × 0.0442 is 4.42, not 4.4199999999999999.
  if (fraction)
    return `round(100 * (${AS_KIND.number(sqlName(fraction), fraction)})::numeric, 9)::double precision`;
  return `NULL::${SQL_TYPE[kind]}`;
}

const SQL_TYPE: Record<KpiColumnKind, string> = {
  day: 'date',
  text: 'text',
  number: 'double precision',
  instant: 'timestamptz',
};

/** Infinite and undefined values become NULL, since JSON has none of them. */
const AS_KIND: Record<KpiColumnKind, (sql: string, column: MappedColumn) => string> = {
  text: (sql) => `${sql}::text`,
  number: (sql, { kind, baseType }) => {
    if (kind === 'integer') return `${sql}::double precision`;
    // A real 4.2 is 4.199999809 as a double, and 4.2 by way of numeric.
    const double = `${sql}${baseType === 'real' ? '::numeric' : ''}::double precision`;
    return `nullif(nullif(nullif(${double}, 'NaN'), 'Infinity'), '-Infinity')`;
  },
  day: (sql, { kind }) =>
    `CASE WHEN isfinite(${sql}) THEN ${kind === 'timestamptz' ? dayOf(sql) : `${sql}::date`} END`,
  instant: (sql, { kind }) =>
    `CASE WHEN isfinite(${sql}) THEN ${sql}${kind === 'timestamp' ? ` AT TIME ZONE 'UTC'` : ''} END`,
};

/** A midnight in the session's time zone (what `date_trunc` makes) is that zone's day; any other instant is a UTC day. */
function dayOf(sql: string): string {
  return `CASE WHEN date_trunc('day', ${sql}) = ${sql} THEN ${sql}::date ELSE (${sql} AT TIME ZONE 'UTC')::date END`;
}

function sqlName(column: MappedColumn): string {
  return `kpi.${quoted(column.name)}`;
}

function camelCase(canonical: string): string {
  return canonical.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
