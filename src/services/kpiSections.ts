import pg from 'pg';
import { type Database, isTransient, type Queryable } from '../db.js';
import { withDeadline } from '../deadline.js';
import { KPI_VIEWS, type KpiViewName, type SchemaMapping } from '../schema/mapping.js';
import {
  customerOverview,
  customerRows,
  type Nullable,
  withinCustomerTime,
} from '../stores/customerKpiViews.js';
import {
  type FeederLossDay,
  type FieldOpsDay,
  feederLossDays,
  fieldOpsDays,
  type LossRange,
  lossRange,
  type OverviewDay,
  overviewDays,
  type SuspiciousMeterDay,
  suspiciousMeterDays,
} from '../stores/kpiViews.js';
import { createLanes } from './lanes.js';

/** How many rows of each view the brief asks for. */
const OVERVIEW_DAYS = 5;
const LISTED = 10;

/** Of the pool's 10 connections: while every customer's view is slow, the rest of the product goes on. */
const CUSTOMER_VIEWS_AT_ONCE = 4;
/** How long Postgres works on one customer's view, in ms. */
const CUSTOMER_VIEW_MS = 1_000;
/** With the wait for a turn and a connection. Of the 1.9 s of an answer that leaves 0.7 s for our own queries. */
const GIVEN_UP_AFTER_MS = CUSTOMER_VIEW_MS + 200;

/** What quickcheck shows of the four KPI views. */
export interface KpiSections {
  loss: LossRange;
  overview: Nullable<OverviewDay>[];
  feederLoss: Nullable<FeederLossDay>[];
  suspiciousMeters: Nullable<SuspiciousMeterDay>[];
  fieldOps: Nullable<FieldOpsDay>[];
  /** A sentence for each customer's view that could not be read; only there when there are any. */
  warnings?: string[];
}

/** The four views of a tenant, each our own or a customer's. */
export function createKpiSections(database: Database, kpiViews: SchemaMapping['kpiViews']) {
  const inLane = createLanes(CUSTOMER_VIEWS_AT_ONCE);

  /** A customer's view that fails or is slow is no reason to keep back all the rest. */
  const ofCustomer = <T>(
    name: KpiViewName,
    read: (client: Queryable) => Promise<T>,
    empty: T,
    warnings: string[],
  ): Promise<T> => {
    const until = performance.now() + GIVEN_UP_AFTER_MS;
    // Begun late, after a wait, it has what is left: nobody waits for it after that.
    const begin = (): Promise<T> => {
      const left = until - performance.now();
      if (left <= 0) throw new TooSlowError();
      return withinCustomerTime(database, Math.min(left, CUSTOMER_VIEW_MS), read);
    };
    return withDeadline(
      () => inLane(begin),
      GIVEN_UP_AFTER_MS,
      () => new TooSlowError(),
    ).catch((error) => {
      const { schema, name: found } = kpiViews[name].view;
      warnings.push(`${schema}.${found}: ${whyUnreadable(error)}, so its part of this answer is empty.`);
      return empty;
    });
  };

  /**
   * @param latestDay of our own views' days; null for none.
   * @throws what Postgres says of our own views.
   */
  return async (tenantId: string, latestDay: string | null): Promise<KpiSections> => {
    const warnings: string[] = [];
    const listed = <Row extends object>(
      name: KpiViewName,
      own: (on: Database, tenant: string, day: string, limit: number) => Promise<Row[]>,
    ): Promise<Nullable<Row>[]> | Row[] => {
      const mapping = kpiViews[name];
      if (mapping.own) return latestDay === null ? [] : own(database, tenantId, latestDay, LISTED);
      return ofCustomer<Nullable<Row>[]>(
        name,
        (client) => customerRows(client, name, mapping, tenantId, LISTED),
        [],
        warnings,
      );
    };
    const overall = (): Promise<Pick<KpiSections, 'loss' | 'overview'>> => {
      const name = 'v_kpi_electric_overview_daily';
      const mapping = kpiViews[name];
      if (mapping.own) return ownOverview(database, tenantId, latestDay);
      return ofCustomer<Pick<KpiSections, 'loss' | 'overview'>>(
        name,
        (client) => customerOverview(client, mapping, tenantId, OVERVIEW_DAYS),
        { loss: { min: null, max: null, avg: null }, overview: [] },
        warnings,
      );
    };
    const [{ loss, overview }, feederLoss, suspiciousMeters, fieldOps] = await Promise.all([
      overall(),
      listed('v_kpi_electric_feeder_loss_daily', feederLossDays),
      listed('v_kpi_suspicious_meters_daily', suspiciousMeterDays),
      listed('v_kpi_fieldops_daily', fieldOpsDays),
    ]);
    return {
      loss,
      overview,
      feederLoss,
      suspiciousMeters,
      fieldOps,
      ...(warnings.length > 0 ? { warnings: warnings.sort() } : {}),
    };
  };
}

/** Whether all four change only when the rollups do: a customer's views may read anything. */
export function areAllOwn(kpiViews: SchemaMapping['kpiViews']): boolean {
  return KPI_VIEWS.every((name) => kpiViews[name].own);
}

async function ownOverview(database: Database, tenantId: string, latestDay: string | null) {
  const [loss, overview] = await Promise.all([
    lossRange(database, tenantId),
    latestDay === null ? [] : overviewDays(database, tenantId, latestDay, OVERVIEW_DAYS),
  ]);
  return { loss, overview };
}

class TooSlowError extends Error {}

/** query_canceled: `statement_timeout`, or somebody's pg_cancel_backend. */
const CANCELED = '57014';
/** undefined_table and undefined_column: the view is not what it was at start-up. */
const CHANGED = ['42P01', '42703'];

/**
 * Why a customer's view could not be read, without anything of the connection.
 *
 * @throws errors of our own making as they are.
 */
function whyUnreadable(error: unknown): string {
  const tooSlow = `it did not answer within ${CUSTOMER_VIEW_MS / 1_000} s`;
  if (error instanceof TooSlowError) return tooSlow;
  if (error instanceof pg.DatabaseError) {
    if (error.code === CANCELED) return tooSlow;
    const said = (error.message.split('\n')[0] as string).replace(/[.\s]+$/, '').slice(0, 200);
    const advice = CHANGED.includes(error.code ?? '') ? ', and is looked up anew only at the next start' : '';
    return `Postgres cannot read it (${said}, SQLSTATE ${error.code})${advice}`;
  }
  if (isTransient(error)) return 'the connection to Postgres that it needs could not be had or was lost';
  throw error;
}
