import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { TenantClock } from '../automatic/tenantClock.js';
import { type Database, rethrowUnavailable } from '../db/db.js';
import { type ActiveEvent, activeEvents } from '../events/eventTable.js';
import type { SchemaMapping } from '../schema/mapping.js';
import { type IntervalReport, intervalReport, percent } from './intervalReport.js';
import { type LatestIntervals, latestIntervals } from './latestIntervals.js';
import { areAllOwn, createKpiSections } from './sections.js';
import { type StaleMetersBuckets, staleMetersAt } from './staleness.js';
import { kpiVersion } from './version.js';

/** Many more than one deployment has. */
const KEPT_TENANTS = 1_000;

interface Staleness {
  staleMetersBuckets: StaleMetersBuckets | null;
  /** The interval that the meters are aged against; null without any. */
  staleMetersReference: Date | null;
}

/**
 * The key figures the dashboard polls.
 *
 * @param clock by which a tenant's events run.
 */
export function createKpiService(
  database: Database,
  now: () => Date,
  kpiViews: SchemaMapping['kpiViews'],
  clock: TenantClock = async () => now(),
) {
  const readSections = createKpiSections(database, kpiViews);
  const kept = new LRUCache<string, { tag: string; staleness: Staleness }>({ max: KEPT_TENANTS });
  const eventsOf = async (tenantId: string): Promise<ActiveEvent[]> =>
    activeEvents(database, tenantId, await clock(tenantId));

  /** Looks at every silent meter, tens of thousands in a fleet that has shrunk: once for each tag. */
  const stalenessOf = async (
    tenantId: string,
    tag: string,
    { latest, settled, latestReadAt }: LatestIntervals,
  ): Promise<Staleness> => {
    const before = kept.get(tenantId);
    if (before?.tag === tag) return before.staleness;
    // Of the interval being written most meters are on their way, not stale; of the first there is no other.
    const at = settled ?? latest;
    const staleness = {
      staleMetersBuckets:
        at === null ? null : await staleMetersAt(database, tenantId, at, latestReadAt ?? at),
      staleMetersReference: at,
    };
    kept.set(tenantId, { tag, staleness });
    return staleness;
  };

  /** The latest interval, and beside one that is still being written the one that was finished last. */
  const reports = async (
    tenantId: string,
    { latest, settled }: LatestIntervals,
  ): Promise<{ latest: IntervalReport | null; latestComplete: IntervalReport | null }> => {
    const isComplete = latest !== null && settled !== null && settled >= latest;
    const [newest, finished] = await Promise.all([
      latest === null ? null : intervalReport(database, tenantId, latest, isComplete),
      settled === null || isComplete ? null : intervalReport(database, tenantId, settled, true),
    ]);
    return { latest: newest, latestComplete: isComplete ? newest : finished };
  };

  const compute = async (tenantId: string, tag: string) => {
    const at = now();
    const intervals = await latestIntervals(database, tenantId).catch(rethrowUnavailable);
    const [{ warnings, ...sections }, { latest, latestComplete }, stale, events] = await Promise.all([
      readSections(tenantId, intervals.latestDay),
      reports(tenantId, intervals),
      stalenessOf(tenantId, tag, intervals),
      eventsOf(tenantId),
    ]).catch(rethrowUnavailable);
    const summary = latest?.summary ?? null;
    return {
      tenantId,
      generatedAt: at,
      ...sections,
      // The same as `latest`, by the name that the automatic request gave it.
      reportingSummary: summary,
      latest: summary,
      latestComplete: latestComplete?.summary ?? null,
      ...stale,
      latestFeeders: (latest?.feeders ?? []).map((feeder) => ({
        feederId: feeder.feederId,
        reportingMeters: feeder.reportingMeters,
        expectedMeters: feeder.expectedMeters,
        reportingPct: percent(feeder.reportingMeters, feeder.expectedMeters),
        lossPct: feeder.lossPct,
        minVoltage: feeder.minVoltage,
        lowVoltageMeters: feeder.lowVoltageMeters,
        activeEvents: typesOn(feeder.feederId, events),
      })),
      activeEvents: events,
      ...(warnings ? { warnings } : {}),
    };
  };
  /** Polls that come while the same is being worked out for another get that one's answer. */
  const underWay = new Map<string, ReturnType<typeof compute>>();

  return {
    /** Whether what the tag stands for changes only when the tag does: not with views of the customer's own. */
    tagTellsAll: areAllOwn(kpiViews),

    /**
     * An entity tag that is another one whenever the quickcheck would be, for a fraction of its cost. Taken before
     * the answer, so that an answer is never older than its tag. Of a customer's own views it says nothing.
     */
    async quickcheckTag(tenantId: string): Promise<string> {
      const [version, active] = await Promise.all([kpiVersion(database, tenantId), eventsOf(tenantId)]).catch(
        rethrowUnavailable,
      );
      const digest = createHash('sha256')
        .update(JSON.stringify([tenantId, version, active]))
        .digest('base64url');
      return `W/"${digest.slice(0, 22)}"`;
    },

    /**
     * The latest interval, the four KPI views, staleness and events of a tenant; nulls and empty lists without data.
     *
     * @param tag of now: what is worked out meter by meter is kept for as long as it stays the same.
     */
    quickcheck(tenantId: string, tag: string): ReturnType<typeof compute> {
      const running = underWay.get(tag) ?? compute(tenantId, tag).finally(() => underWay.delete(tag));
      underWay.set(tag, running);
      return running;
    },
  };
}

export type KpiService = ReturnType<typeof createKpiService>;

function typesOn(feeder: string, events: readonly ActiveEvent[]): string[] {
  const types = events.filter((event) => event.feederId === feeder).map(({ eventType }) => eventType);
  return [...new Set(types)].sort();
}
