import type { Queryable } from '../db/db.js';

/** Percentages in percent, energy in kWh, voltage in volts; `day` is a day of the tenant's zone, `2026-01-31`. */
export interface OverviewDay {
  day: string;
  feeders: number;
  intervals: number;
  reads: number;
  expectedMeters: number | null;
  completenessPct: number | null;
  kwh: number;
  deliveredKwh: number;
  /** What customers fed in; null where no read has such a channel. */
  receivedKwh: number | null;
  lossKwh: number | null;
  lossPct: number | null;
  minVoltage: number | null;
  lowVoltageReads: number;
  /** Reads with an energy that no meter measures, such as an error code: they are in no sum of energy. */
  implausibleReads: number;
  /** Of the day's reads those that are estimates, which completeness takes for reads that arrived. */
  estimatedPct: number | null;
}

export interface FeederLossDay {
  day: string;
  feederId: string;
  reads: number;
  kwh: number;
  deliveredKwh: number;
  /** What customers fed in; null where no read has such a channel. */
  receivedKwh: number | null;
  lossKwh: number | null;
  lossPct: number | null;
  minVoltage: number | null;
}

export interface SuspiciousMeterDay {
  day: string;
  meterId: string;
  feederId: string;
  suspiciousIntervals: number;
  registeredKwh: number;
  deliveredKwh: number;
  missingKwh: number;
  missingPct: number;
  firstIntervalAt: Date;
  lastIntervalAt: Date;
  /** Why, in words and numbers. */
  reason: string;
}

export interface FieldOpsDay {
  day: string;
  feederId: string;
  /** 1 is the most urgent of its day. */
  priority: number;
  expectedMeters: number;
  silentMeters: number | null;
  undervoltageMeters: number;
  minVoltage: number | null;
  completenessPct: number | null;
  reason: string;
  /** Of the feeder's reads of the day those that are estimates; null where it has none. */
  estimatedPct: number | null;
}

/** Lowest, highest and mean daily loss of a tenant, over all its days. */
export interface LossRange {
  min: number | null;
  max: number | null;
  avg: number | null;
}

export async function lossRange(database: Queryable, tenantId: string): Promise<LossRange> {
  const { rows } = await database.query<LossRange>({
    name: 'kpi-loss-range',
    text: `SELECT min(loss_pct)::double precision AS min, max(loss_pct)::double precision AS max,
             round(avg(loss_pct), 3)::double precision AS avg
           FROM v_kpi_electric_overview_daily WHERE tenant_id = $1`,
    values: [tenantId],
  });
  return rows[0] as LossRange;
}

/** The tenant's latest `limit` days, latest first. */
export function overviewDays(
  database: Queryable,
  tenantId: string,
  latestDay: string,
  limit: number,
): Promise<OverviewDay[]> {
  return latestFirst(latestDay, limit, async (from, until, count) => {
    const { rows } = await database.query<OverviewDay>({
      name: 'kpi-overview',
      text: `SELECT day::text, feeders::integer, intervals::integer, reads::double precision,
               expected_meters::double precision AS "expectedMeters",
               completeness_pct::double precision AS "completenessPct", kwh::double precision,
               delivered_kwh::double precision AS "deliveredKwh", received_kwh::double precision AS "receivedKwh",
               loss_kwh::double precision AS "lossKwh",
               loss_pct::double precision AS "lossPct", min_voltage::double precision AS "minVoltage",
               low_voltage_reads::double precision AS "lowVoltageReads",
               implausible_reads::double precision AS "implausibleReads",
               estimated_pct::double precision AS "estimatedPct"
             FROM v_kpi_electric_overview_daily kpi WHERE tenant_id = $1 AND kpi.day BETWEEN $2 AND $3
             ORDER BY kpi.day DESC LIMIT $4`,
      values: [tenantId, from, until, count],
    });
    return rows;
  });
}

/** Feeders by day, the latest day first; within a day the highest loss first. */
export async function feederLossDays(
  database: Queryable,
  tenantId: string,
  latestDay: string,
  limit: number,
): Promise<FeederLossDay[]> {
  const { rows } = await database.query<FeederLossDay>({
    name: 'kpi-feeder-loss',
    text: `SELECT day::text, feeder_id AS "feederId", reads::double precision, kwh::double precision,
             delivered_kwh::double precision AS "deliveredKwh", received_kwh::double precision AS "receivedKwh",
             loss_kwh::double precision AS "lossKwh",
             loss_pct::double precision AS "lossPct", min_voltage::double precision AS "minVoltage"
           FROM v_kpi_electric_feeder_loss_daily kpi WHERE tenant_id = $1 AND kpi.day <= $2
           ORDER BY kpi.day DESC, kpi.loss_pct DESC NULLS LAST, feeder_id LIMIT $3`,
    values: [tenantId, latestDay, limit],
  });
  return rows;
}

/** Suspicious meters by day, the latest day first; within a day the most missing energy first. */
export async function suspiciousMeterDays(
  database: Queryable,
  tenantId: string,
  latestDay: string,
  limit: number,
): Promise<SuspiciousMeterDay[]> {
  const { rows } = await database.query<SuspiciousMeterDay>({
    name: 'kpi-suspicious',
    text: `SELECT day::text, meter_id AS "meterId", feeder_id AS "feederId",
             suspicious_intervals::integer AS "suspiciousIntervals",
             registered_kwh::double precision AS "registeredKwh",
             delivered_kwh::double precision AS "deliveredKwh", missing_kwh::double precision AS "missingKwh",
             missing_pct::double precision AS "missingPct", first_interval_at AS "firstIntervalAt",
             last_interval_at AS "lastIntervalAt", reason
           FROM v_kpi_suspicious_meters_daily kpi WHERE tenant_id = $1 AND kpi.day <= $2
           ORDER BY kpi.day DESC, kpi.missing_kwh DESC LIMIT $3`,
    values: [tenantId, latestDay, limit],
  });
  return rows;
}

/** What a crew would be sent for, the latest day first; within a day the most urgent first. */
export function fieldOpsDays(
  database: Queryable,
  tenantId: string,
  latestDay: string,
  limit: number,
): Promise<FieldOpsDay[]> {
  return latestFirst(latestDay, limit, async (from, until, count) => {
    const { rows } = await database.query<FieldOpsDay>({
      name: 'kpi-fieldops',
      text: `SELECT day::text, feeder_id AS "feederId", priority::integer,
               expected_meters::double precision AS "expectedMeters",
               silent_meters::double precision AS "silentMeters",
               undervoltage_meters::double precision AS "undervoltageMeters",
               min_voltage::double precision AS "minVoltage",
               completeness_pct::double precision AS "completenessPct", reason,
               estimated_pct::double precision AS "estimatedPct"
             FROM v_kpi_fieldops_daily kpi WHERE tenant_id = $1 AND kpi.day BETWEEN $2 AND $3
             ORDER BY kpi.day DESC, priority, feeder_id LIMIT $4`,
      values: [tenantId, from, until, count],
    });
    return rows;
  });
}

/**
 * A view that aggregates computes every day in its range before it can sort and cut, so a year of days would cost a year's
 * work. The latest days are therefore queried first, and older days only if those have too few rows.
 */
async function latestFirst<Row>(
  latestDay: string,
  limit: number,
  rowsBetween: (from: string, until: string, count: number) => Promise<Row[]>,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [youngest, oldest] of [
    [0, 0],
    [1, 6],
    [7, undefined],
  ] as const) {
    if (rows.length >= limit) break;
    const from = oldest === undefined ? '-infinity' : daysBefore(latestDay, oldest);
    rows.push(...(await rowsBetween(from, daysBefore(latestDay, youngest), limit - rows.length)));
  }
  return rows;
}

function daysBefore(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10);
}
