/**
 * Room: kpi. Promises: the key figures of a tenant from evidence alone (reads, rollups and views; the events that are
 * active are listed beside them and change no figure), and a tag by which a poll that has seen it all costs next to
 * nothing.
 */

import { LRUCache } from 'lru-cache';
import type { TenantClock } from '../automatic/tenantClock.js';
import { type Database, rethrowUnavailable } from '../db/db.js';
import { type Reads, readFromPrimary } from '../db/standbyReads.js';
import type { ActiveEvent } from '../events/eventTable.js';
import type { SchemaMapping } from '../schema/mapping.js';
import { createBoundedStaleness, type Staleness } from './boundedStaleness.js';
import { tagOf } from './entityTag.js';
import { type IntervalReport, type IntervalSummary, intervalReport, percent } from './intervalReport.js';
import { type FeederInterval, type LatestIntervals, latestIntervals } from './latestIntervals.js';
import { areAllOwn, createKpiSections, type KpiSections } from './sections.js';
import { type ValidationState, validationState } from './validation.js';
import { createKpiVersions, KEPT_TENANTS } from './version.js';

/** Characters of JSON that the kept answers come to; one of 25 feeders is 9,000. */
const KEPT_CHARACTERS = 16_000_000;

/** All of an answer that its tag decides. */
interface Answer extends Omit<KpiSections, 'warnings'>, Omit<Staleness, 'warnings'> {
  timeZone: string;
  reportingSummary: IntervalSummary | null;
  latest: IntervalSummary | null;
  latestComplete: IntervalSummary | null;
  latestFeeders: ReturnType<typeof latestFeeder>[];
  activeEvents: ActiveEvent[];
  vee: ValidationState | null;
  /** What the answer lacks. */
  warnings: string[];
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
  const stalenessOf = createBoundedStaleness(database);
  const versionOf = createKpiVersions(database, now, clock);
  const tagTellsAll = areAllOwn(kpiViews);
  /**
   * The last answer of each tenant. A tag tells all, in each process, so whatever is written shows at the next poll.
   */
  const answers = new LRUCache<string, { tag: string; answer: Answer }>({
    max: KEPT_TENANTS,
    maxSize: KEPT_CHARACTERS,
    sizeCalculation: ({ answer }) => JSON.stringify(answer).length,
  });
  /**
   * The events that went into the last tag of each tenant. An answer has these and not those of a moment later: else the
   * tag, when it comes back after an event of a minute, would stand for an answer with that event.
   */
  const seenEvents = new LRUCache<string, { tag: string; events: ActiveEvent[] }>({ max: KEPT_TENANTS });

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

  const compute = async (tenantId: string, tag: string, events: ActiveEvent[]): Promise<Answer> => {
    const intervals = await latestIntervals(database, tenantId).catch(rethrowUnavailable);
    const [{ warnings = [], ...sections }, { latest, latestComplete }, stale, vee] = await Promise.all([
      readSections(tenantId, intervals.latestDay),
      reports(tenantId, intervals),
      stalenessOf(tenantId, tag, intervals),
      validationState(database, tenantId),
    ]).catch(rethrowUnavailable);
    const summary = latest?.summary ?? null;
    const { warnings: late = [], ...staleness } = stale;
    return {
      timeZone: intervals.timeZone,
      ...sections,
      // The same as `latest`, by the name that the automatic request gave it.
      reportingSummary: summary,
      latest: summary,
      latestComplete: latestComplete?.summary ?? null,
      ...staleness,
      latestFeeders: (latest?.feeders ?? []).map((feeder) => latestFeeder(feeder, events)),
      activeEvents: events,
      vee,
      warnings: [...warnings, ...late],
    };
  };

  const computeAndKeep = async (tenantId: string, tag: string): Promise<Answer> => {
    const seen = seenEvents.get(tenantId);
    // Another poll has seen a newer tag meanwhile: this answer is as good, but not what its tag stands for.
    if (seen?.tag !== tag) {
      const { events } = await versionOf(tenantId).catch(rethrowUnavailable);
      return compute(tenantId, tag, events);
    }
    const answer = await compute(tenantId, tag, seen.events);
    if (tagTellsAll && answer.warnings.length === 0) answers.set(tenantId, { tag, answer });
    return answer;
  };

  /** The answers that are being worked out, by tag: a poll for the same tag gets the same answer. */
  const underWay = new Map<string, Promise<Answer>>();
  const answerOf = (tenantId: string, tag: string): Promise<Answer> => {
    const kept = answers.get(tenantId);
    if (kept?.tag === tag) return Promise.resolve(kept.answer);
    const running = underWay.get(tag) ?? computeAndKeep(tenantId, tag).finally(() => underWay.delete(tag));
    underWay.set(tag, running);
    return running;
  };

  return {
    /** Whether the answer changes only when the tag does. A customer's own views may change without the tag. */
    tagTellsAll,

    /**
     * An entity tag that changes whenever the quickcheck would, at a fraction of its cost. It is taken before the answer,
     * so an answer is never older than its tag. It does not cover a customer's own views.
     */
    async quickcheckTag(tenantId: string): Promise<string> {
      const { version, events } = await versionOf(tenantId).catch(rethrowUnavailable);
      const tag = tagOf([tenantId, version, events]);
      seenEvents.set(tenantId, { tag, events });
      return tag;
    },

    /**
     * The latest interval, the four KPI views, staleness and events of a tenant; nulls and empty lists without data.
     *
     * @param tag the current one. The answer is kept until the tag changes, unless it has `warnings`: such an answer
     * lacks a part, and its tag must not be given to the caller.
     */
    async quickcheck(tenantId: string, tag: string) {
      const { warnings, ...answer } = await answerOf(tenantId, tag);
      return {
        tenantId,
        generatedAt: now(),
        ...answer,
        ...reads.staleness(),
        ...(warnings.length > 0 ? { warnings } : {}),
      };
    },
  };
}

export type KpiService = ReturnType<typeof createKpiService>;

function latestFeeder(feeder: FeederInterval, events: readonly ActiveEvent[]) {
  return {
    feederId: feeder.feederId,
    reportingMeters: feeder.reportingMeters,
    expectedMeters: feeder.expectedMeters,
    reportingPct: percent(feeder.reportingMeters, feeder.expectedMeters),
    estimatedPct: percent(feeder.estimatedMeters, feeder.reportingMeters),
    lossPct: feeder.lossPct,
    receivedKwh: feeder.receivedKwh,
    minVoltage: feeder.minVoltage,
    lowVoltageMeters: feeder.lowVoltageMeters,
    activeEvents: typesOn(feeder.feederId, events),
  };
}

function typesOn(feeder: string, events: readonly ActiveEvent[]): string[] {
  const types = events.filter((event) => event.feederId === feeder).map(({ eventType }) => eventType);
  return [...new Set(types)].sort();
}
