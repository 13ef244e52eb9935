import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import { answerBudget } from '../contracts/answerBudget.js';
import type { Database, Queryable } from '../db/db.js';
import { KPI_VIEWS, type KpiViewName, type SchemaMapping } from '../schema/mapping.js';
import { withDeadline } from '../timing/deadline.js';
import { customerOverview, customerRows, type Nullable, withinCustomerTime } from './customerViews.js';
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
} from './ownViews.js';
import { isCanceled, LEFT_ALONE_MS, LeftAloneError, TooSlowError, whyUnreadable } from './unreadable.js';

/** How many rows of each view were asked for. */
const OVERVIEW_DAYS = 5;
const LISTED = 10;

/** Half of the readers' connections: other answers go on even while every customer's view is slow. */
const customerViewsAtOnce = ({ options }: Database): number => Math.max(1, Math.floor(options.max / 2));
/** A slow view holds one of 2 turns for 1 s, where a pool of 4 is not shared, so at most 60 views are left alone within 30 s. */
const MAX_LEFT_ALONE = 200;

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

/**
 * The four views of a tenant, each our own or a customer's.
 *
 * @param now monotonic, in ms.
 */
export function createKpiSections(
  database: Database,
  kpiViews: SchemaMapping['kpiViews'],
  now = () => performance.now(),
) {
  const inTurn = pLimit(customerViewsAtOnce(database));
  /** Views that were too slow a short while ago. The cache forgets each one when its time is over. */
  const leftAlone = new LRUCache<string, true>({
    max: MAX_LEFT_ALONE,
    ttl: LEFT_ALONE_MS,
    // 0: every look asks the given clock. Otherwise the library asks it once per ms of a timer of its own.
    ttlResolution: 0,
    // The library takes 0 for no start at all, but a clock may well show 0.
    perf: { now: () => now() + 1 },
  });

  /** Reads a customer's view. If it fails or is slow, its part is empty and the rest of the answer comes all the same. */
  const ofCustomer = <T>(
    name: KpiViewName,
    tenantId: string,
    read: (client: Queryable) => Promise<T>,
    empty: T,
    warnings: string[],
  ): Promise<T> => {
    const { customerSection, customerView } = answerBudget();
    const until = now() + customerSection;
    // A view without tenants answers the same to each of them, so it has one entry.
    const key = `${name} ${kpiViews[name].columns.tenant_id ? tenantId : ''}`;
    // After a wait for its turn a view has only the time that is left: nobody waits for it longer.
    const begin = async (): Promise<T> => {
      requireTurn();
      const left = until - now();
      if (left <= 0) throw new TooSlowError();
      return withinCustomerTime(database, Math.min(left, customerView), read).catch((error) => {
        // A view that had less than its whole time may be fast: others made it wait.
        if (!isCanceled(error) || left < customerView) throw error;
        leftAlone.set(key, true);
        throw new LeftAloneError();
      });
    };
    const requireTurn = (): void => {
      if (leftAlone.has(key)) throw new LeftAloneError();
    };
    return withDeadline(
      async () => {
        requireTurn();
        return inTurn(begin);
      },
      customerSection,
      () => new TooSlowError(),
    ).catch((error) => {
      const { schema, name: found } = kpiViews[name].view;
      warnings.push(`${schema}.${found}: ${whyUnreadable(error)}, so its part of this answer is empty.`);
      return empty;
    });
  };

  /**
   * @param latestDay the latest day of our own views; null without any.
   * @throws what Postgres says about our own views.
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
        tenantId,
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
        tenantId,
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

/** Whether all four views are ours, and so change only when the rollups do. A customer's views may read anything. */
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
