import { createHash } from 'node:crypto';
import { type Database, rethrowUnavailable } from '../db.js';
import { intervalEnd } from '../emulator/intervals.js';
import type { SchemaMapping } from '../schema/mapping.js';
import { type ActiveEvent, activeEvents } from '../stores/events.js';
import {
  type FeederInterval,
  feedersAt,
  type LatestIntervals,
  latestIntervals,
  type PublishedFleet,
  publishedFleetAt,
} from '../stores/intervals.js';
import { kpiVersion } from '../stores/kpiVersion.js';
import { type StaleMetersBuckets, staleMetersAt } from '../stores/meterStaleness.js';
import { areAllOwn, createKpiSections } from './kpiSections.js';

/** Many more than one deployment has. */
const KEPT_TENANTS = 1_000;

/** The key figures the dashboard polls. */
export function createKpiService(database: Database, now: () => Date, kpiViews: SchemaMapping['kpiViews']) {
  const readSections = createKpiSections(database, kpiViews);
  const kept = new Map<string, { tag: string; buckets: StaleMetersBuckets | null }>();

  /** Looks at every silent meter, tens of thousands in a fleet that has shrunk: once for each tag. */
  const staleness = async (
    tenantId: string,
    tag: string,
    { latest, settled, latestReadAt }: LatestIntervals,
  ): Promise<StaleMetersBuckets | null> => {
    const before = kept.get(tenantId);
    if (before?.tag === tag) return before.buckets;
    // Of the interval being written most meters are on their way, not stale; of the first there is no other.
    const at = settled ?? latest;
    const buckets = at === null ? null : await staleMetersAt(database, tenantId, at, latestReadAt ?? at);
    kept.delete(tenantId);
    kept.set(tenantId, { tag, buckets });
    for (const oldest of kept.keys()) if (kept.size > KEPT_TENANTS) kept.delete(oldest);
    return buckets;
  };

  const compute = async (tenantId: string, tag: string) => {
    const at = now();
    const intervals = await latestIntervals(database, tenantId).catch(rethrowUnavailable);
    const { latest, settled, latestDay } = intervals;
    const [{ warnings, ...sections }, feeders, fleet, stale, events] = await Promise.all([
      readSections(tenantId, latestDay),
      latest === null ? [] : feedersAt(database, tenantId, latest),
      latest === null ? undefined : publishedFleetAt(database, tenantId, latest),
      staleness(tenantId, tag, intervals),
      activeEvents(database, tenantId, at),
    ]).catch(rethrowUnavailable);
    const latestFeeders = withExpected(feeders, fleet);
    return {
      tenantId,
      generatedAt: at,
      ...sections,
      reportingSummary:
        latest === null
          ? null
          : {
              intervalStart: latest,
              intervalEnd: intervalEnd(latest, fleet?.intervalMinutes ?? 15),
              complete: settled !== null && settled >= latest,
              ...summed(latestFeeders, fleet),
            },
      staleMetersBuckets: stale,
      latestFeeders: latestFeeders.map((feeder) => ({
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
      const [version, active] = await Promise.all([
        kpiVersion(database, tenantId),
        activeEvents(database, tenantId, now()),
      ]).catch(rethrowUnavailable);
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

/**
 * What was published says how many meters a feeder should report, whether or not they ever did, and which feeders
 * there are. For rows that came otherwise the reads of the week say it.
 */
function withExpected(
  feeders: readonly FeederInterval[],
  fleet: PublishedFleet | undefined,
): FeederInterval[] {
  const found = new Map(feeders.map((feeder) => [feeder.feederId, feeder]));
  const reporting = feeders.filter(({ reportingMeters }) => reportingMeters > 0 || !fleet);
  const ids = new Set([...(fleet?.feeders.keys() ?? []), ...reporting.map((feeder) => feeder.feederId)]);
  return [...ids]
    .map((id) => {
      const feeder = found.get(id) ?? { ...SILENT, feederId: id };
      const expected = fleet ? (fleet.feeders.get(id) ?? 0) : feeder.expectedMeters;
      return { ...feeder, expectedMeters: Math.max(expected, feeder.reportingMeters) };
    })
    .filter(({ expectedMeters }) => expectedMeters > 0)
    .sort((a, b) => a.feederId.localeCompare(b.feederId, 'en', { numeric: true }));
}

const SILENT = {
  expectedMeters: 0,
  reportingMeters: 0,
  registeredKwh: 0,
  deliveredKwh: 0,
  lossPct: null,
  minVoltage: null,
  lowVoltageMeters: 0,
};

/** @param fleet what was published: of feeders that meters have moved between not both can be expected to have them. */
function summed(feeders: readonly FeederInterval[], fleet: PublishedFleet | undefined) {
  const total = (of: (feeder: FeederInterval) => number): number =>
    feeders.reduce((sum, feeder) => sum + of(feeder), 0);
  const reportingMeters = total((feeder) => feeder.reportingMeters);
  const expectedMeters = fleet
    ? Math.max(fleet.meterCount, reportingMeters)
    : total((feeder) => feeder.expectedMeters);
  const delivered = total((feeder) => feeder.deliveredKwh);
  return {
    expectedMeters,
    reportingMeters,
    reportingPct: percent(reportingMeters, expectedMeters),
    lossPct: percent(delivered - total((feeder) => feeder.registeredKwh), delivered),
    lowVoltageMeters: total((feeder) => feeder.lowVoltageMeters),
  };
}

/** In percent, to a thousandth as the views have it; null of nothing. */
function percent(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((part / whole) * 100_000) / 1_000;
}

function typesOn(feeder: string, events: readonly ActiveEvent[]): string[] {
  const types = events.filter((event) => event.feederId === feeder).map(({ eventType }) => eventType);
  return [...new Set(types)].sort();
}
