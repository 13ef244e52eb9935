/**
 * Room: kpi. Promises: the key figures of a tenant from evidence alone (reads, rollups and views; the events that are
 * active are listed beside them and change no figure), and a tag by which a poll that has seen it all costs next to
 * nothing.
 */

import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { TenantClock } from '../automatic/tenantClock.js';
import { type Database, rethrowUnavailable } from '../db/db.js';
import { type Reads, readFromPrimary } from '../db/standbyReads.js';
import { type ActiveEvent, activeEvents } from '../events/eventTable.js';
import type { SchemaMapping } from '../schema/mapping.js';
import { type IntervalReport, intervalReport, percent } from './intervalReport.js';
import { type LatestIntervals, latestIntervals } from './latestIntervals.js';
import { areAllOwn, createKpiSections } from './sections.js';
import { type StaleMetersBuckets, staleMetersAt } from './staleness.js';
import { kpiVersion } from './version.js';

/** Many more tenants than one deployment has. */
const KEPT_TENANTS = 1_000;

interface Staleness {
  staleMetersBuckets: StaleMetersBuckets | null;
  /** The interval that the meters are aged against; null without any. */
  staleMetersReference: Date | null;
}

/**
 * The key figures the dashboard polls.
 *
 * @param clock the time by which a tenant's events run.
 * @param reads says how old an answer is at most.
 */
export function createKpiService(
  database: Database,
  now: () => Date,
  kpiViews: SchemaMapping['kpiViews'],
  clock: TenantClock = async () => now(),
  reads: Pick<Reads, 'staleness'> = readFromPrimary(database),
) {
  const readSections = createKpiSections(database, kpiViews);
  const kept = new LRUCache<string, { tag: string; staleness: Staleness }>({ max: KEPT_TENANTS });
  const eventsOf = async (tenantId: string): Promise<ActiveEvent[]> =>
    activeEvents(database, tenantId, await clock(tenantId));

  /** Runs once per tag: it looks at every silent meter, and a fleet that has shrunk has tens of thousands. */
  const stalenessOf = async (
    tenantId: string,
    tag: string,
    { latest, settled, latestReadAt }: LatestIntervals,
  ): Promise<Staleness> => {
    const before = kept.get(tenantId);
    if (before?.tag === tag) return before.staleness;
    // While an interval is being written, most of its meters are merely not written yet. So age is measured against the
    // last finished interval. If none has finished, the one being written is all there is.
    const at = settled ?? latest;
    const staleness = {
      staleMetersBuckets:
        at === null ? null : await staleMetersAt(database, tenantId, at, latestReadAt ?? at),
      staleMetersReference: at,
    };
    kept.set(tenantId, { tag, staleness });
    return staleness;
  };

  /** The latest interval, and the last finished one if the latest is still being written. */
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
      ...reads.staleness(),
      ...(warnings ? { warnings } : {}),
    };
  };
  /** The answers that are being worked out, by tag: a poll for the same tag gets the same answer. */
  const underWay = new Map<string, ReturnType<typeof compute>>();

  return {
    /** Whether the answer changes only when the tag does. A customer's own views may change without the tag. */
    tagTellsAll: areAllOwn(kpiViews),

    /**
     * An entity tag that changes whenever the quickcheck would, at a fraction of its cost. It is taken before the answer,
     * so an answer is never older than its tag. It does not cover a customer's own views.
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
     * @param tag the current one. What is worked out meter by meter is kept until the tag changes.
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
