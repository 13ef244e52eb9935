import { intervalEnd } from '../contracts/intervals.js';
import type { Queryable } from '../db/db.js';
import { type FeederInterval, feedersAt, type PublishedFleet, publishedFleetAt } from './latestIntervals.js';

/** How much of one interval has arrived, over all feeders. */
export interface IntervalSummary {
  intervalStart: Date;
  intervalEnd: Date;
  /** Whether all of the interval has been written. Reads that have not arrived by then are missing, not on their way. */
  complete: boolean;
  expectedMeters: number;
  reportingMeters: number;
  /** Percent of the meters expected; null when none is. */
  reportingPct: number | null;
  /** Percent of the meters that reported whose read is an estimate; null where none reported. */
  estimatedPct: number | null;
  /** Percent of the energy delivered; null where none was. */
  lossPct: number | null;
  /** What customers fed in, kWh; null where no read has such a channel. */
  receivedKwh: number | null;
  /** Meters below ANSI C84.1 range A. */
  lowVoltageMeters: number;
}

/** The summary of an interval, and the feeders that it sums up, in the order of their numbers. */
export interface IntervalReport {
  summary: IntervalSummary;
  feeders: FeederInterval[];
}

export async function intervalReport(
  database: Queryable,
  tenantId: string,
  readAt: Date,
  complete: boolean,
): Promise<IntervalReport> {
  const [found, fleet] = await Promise.all([
    feedersAt(database, tenantId, readAt),
    publishedFleetAt(database, tenantId, readAt),
  ]);
  const feeders = withExpected(found, fleet);
  return {
    summary: {
      intervalStart: readAt,
      intervalEnd: intervalEnd(readAt, fleet?.intervalMinutes ?? 15),
      complete,
      ...summed(feeders, fleet),
    },
    feeders,
  };
}

/**
 * The publish says which feeders there are and how many meters each should report, even if they never did. For rows that
 * were not published here, the reads of the last week say so.
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
  estimatedMeters: 0,
  registeredKwh: 0,
  deliveredKwh: 0,
  receivedKwh: null,
  lossPct: null,
  minVoltage: null,
  lowVoltageMeters: 0,
};

/** @param fleet what was published. A meter that moved between feeders is expected on the published one only. */
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
    estimatedPct: percent(
      total((feeder) => feeder.estimatedMeters),
      reportingMeters,
    ),
    lossPct: percent(delivered - total((feeder) => feeder.registeredKwh), delivered),
    receivedKwh: totalReceived(feeders),
    lowVoltageMeters: total((feeder) => feeder.lowVoltageMeters),
  };
}

/** To nine decimals, since sums of doubles show what they cannot say: 0.1 + 0.2. */
function totalReceived(feeders: readonly FeederInterval[]): number | null {
  const known = feeders.flatMap(({ receivedKwh }) => receivedKwh ?? []);
  return known.length === 0 ? null : Number(known.reduce((sum, kwh) => sum + kwh, 0).toFixed(9));
}

/** Percent to three decimals, as in the views; null when the whole is 0. */
export function percent(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((part / whole) * 100_000) / 1_000;
}
