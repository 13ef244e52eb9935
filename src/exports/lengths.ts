import type { Queryable } from '../db/db.js';
import type { OutgoingRead } from '../intervalFiles/outgoing.js';
import type { ReadsAsked, UnmeasuredRead } from './asked.js';

const US_PER_MINUTE = 60_000_000;
const US_PER_HOUR = 60 * US_PER_MINUTE;
const US_PER_DAY = 24 * US_PER_HOUR;
const MINUTES_PER_DAY = 1_440;

/** Of a start, microseconds, how many minutes the publishes of its interval say; those that say two are left out. */
export type PublishedLengths = ReadonlyMap<number, number>;

/** What the ledger says of the span's intervals. It keeps some days, and knows nothing of reads that nobody published. */
export async function publishedLengths(
  database: Queryable,
  { tenantId, from, to }: ReadsAsked,
): Promise<PublishedLengths> {
  const { rows } = await database.query<{ at: number; minutes: number }>(
    `SELECT extract(epoch FROM read_at)::double precision * 1000000 AS at, min(interval_minutes) AS minutes
     FROM ami_publishes WHERE tenant_id = $1 AND read_at >= $2 AND read_at < $3
     GROUP BY read_at HAVING min(interval_minutes) = max(interval_minutes)`,
    [tenantId, from, to],
  );
  return new Map(rows.map(({ at, minutes }) => [at, minutes]));
}

/**
 * A meter's reads with the lengths of their intervals: by column, else by the ledger, else the shortest time between two of
 * its reads on that UTC day, else by the rule of its series (`kpi/meterSeries`): an hour where all begin on the hour, else a
 * quarter.
 *
 * @param reads of one meter, by start.
 */
export function withLengths(reads: readonly UnmeasuredRead[], published: PublishedLengths): OutgoingRead[] {
  const gaps = new Map<number, number>();
  const shorter = (key: number, gap: number): void => {
    if (isLength(gap)) gaps.set(key, Math.min(gap, gaps.get(key) ?? gap));
  };
  for (const [place, { startUs }] of reads.entries()) {
    const next = reads[place + 1];
    if (next === undefined) break;
    const gap = (next.startUs - startUs) / US_PER_MINUTE;
    shorter(dayOf(startUs), gap);
    shorter(dayOf(next.startUs), gap);
  }
  const isHourly = reads.every(({ startUs }) => startUs % US_PER_HOUR === 0);
  return reads.map((read) => ({
    ...read,
    minutes:
      read.minutes ?? published.get(read.startUs) ?? gaps.get(dayOf(read.startUs)) ?? (isHourly ? 60 : 15),
  }));
}

const dayOf = (us: number): number => Math.floor(us / US_PER_DAY);

/** Whether a time between two reads may be an interval: whole minutes up to an hour, of which a day has a whole number. */
function isLength(minutes: number): boolean {
  return Number.isInteger(minutes) && minutes > 0 && minutes <= 60 && MINUTES_PER_DAY % minutes === 0;
}
