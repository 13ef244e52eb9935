import type { Queryable } from '../db/db.js';
import { OF_AN_INTERVAL } from '../ledger/publishedIntervals.js';
import { decodedPast, decodedReads, RECORD } from './readRecords.js';
import { DAY, type MeterSpan, MINUTE } from './rules/meterSpan.js';
import type { VeeRun } from './runs.js';

/** A meter with its reads as they were fetched. */
export type FetchedMeter = Omit<MeterSpan, 'before'>;

/** Spans of time, each from an instant until before another one, in ms. */
export type Windows = readonly { from: number; to: number }[];

/**
 * The reads of a batch of meters in a span and in the windows of the past, in one statement. Each meter is one row with its
 * reads as bytes (`readRecords.ts`). Lengths that no import has set are asked of `minutesAt`.
 */
export async function fetchReads(
  client: Queryable,
  tenantId: string,
  meterIds: readonly string[],
  span: { from: number; to: number },
  windows: Windows,
  minutesAt: (at: number) => number,
): Promise<FetchedMeter[]> {
  const { rows } = await client.query<{ meterId: string; reads: Buffer | null; past: Buffer | null }>({
    name: 'vee-reads',
    // OFFSET 0: inlined as a whole, the planner may read all days of each meter once and look which windows they are in.
    // Of two weeks of quarter hours that took thirty times as long.
    text: `WITH encoded AS (
             SELECT meter_id, string_agg(${RECORD}, '') FILTER (WHERE NOT is_past) AS reads,
               string_agg(${RECORD}, '') FILTER (
                 WHERE is_past AND (quality IS NULL OR quality NOT IN ('estimated', 'questionable'))) AS past
             FROM (
               SELECT false AS is_past, $3::timestamptz AS from_at, $4::timestamptz AS to_at
               UNION ALL SELECT true, from_at, to_at FROM unnest($5::timestamptz[], $6::timestamptz[]) AS past (from_at, to_at)
             ) asked, LATERAL (
               SELECT * FROM ami_vee_reads_of($1, $2, asked.from_at, asked.to_at) OFFSET 0) read
             GROUP BY meter_id
           )
           SELECT meter.id AS "meterId", reads, past
           FROM unnest($2::text[]) AS meter (id) LEFT JOIN encoded ON encoded.meter_id = meter.id`,
    values: [
      tenantId,
      meterIds,
      new Date(span.from),
      new Date(span.to),
      windows.map(({ from }) => new Date(from)),
      windows.map(({ to }) => new Date(to)),
    ],
  });
  return rows.map(({ meterId, reads, past }) => ({
    meterId,
    reads: decodedReads(reads, minutesAt),
    past: decodedPast(past, minutesAt),
  }));
}

/**
 * The like times of the days before, a quarter hour wider on both sides; where they touch, they are one.
 *
 * @param until nothing is past from then on.
 */
export function pastWindows(span: { from: number; to: number }, days: number, until = span.from): Windows {
  const windows: { from: number; to: number }[] = [];
  for (let day = days; day >= 1; day -= 1) {
    const from = span.from - day * DAY - 15 * MINUTE;
    const to = Math.min(span.to - day * DAY + 15 * MINUTE, until);
    const last = windows.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else windows.push({ from, to });
  }
  return windows;
}

/** Reads that are held at once: some 15 MB. */
const READS_AT_ONCE = 150_000;
const QUARTER_HOUR = 15 * MINUTE;

/** How many meters' reads of these spans are held at once, if each has quarter hours. */
export function metersAtOnce(spans: Windows): number {
  const ms = spans.reduce((sum, { from, to }) => sum + to - from, 0);
  return Math.floor(READS_AT_ONCE / (ms / QUARTER_HOUR));
}

const BATCH = { least: 10, most: 500 };

/** How many meters a batch has of which these spans are fetched. */
export function batchSize(spans: Windows): number {
  return Math.max(BATCH.least, Math.min(BATCH.most, metersAtOnce(spans)));
}

/** What a part's reads have in common, by the tenant's ledger and rollups. */
export interface TenantIntervals {
  /** Starts of intervals of the span that have any read of the tenant or were published for it. */
  has: ReadonlySet<number>;
  /** How long an emulated read is, in minutes: as its publish says, else a quarter hour. */
  minutesAt(at: number): number;
}

/** Finds out what the reads of a run's span have in common, once for all of its batches. */
export function rememberIntervals(client: Queryable) {
  let kept: { key: string; intervals: TenantIntervals } | undefined;
  return async (
    run: VeeRun,
    span: { from: number; to: number },
    pastDays: number,
  ): Promise<TenantIntervals> => {
    const key = `${run.runId} ${span.from}`;
    if (kept?.key !== key)
      kept = {
        key,
        intervals: await tenantIntervals(client, run.tenantId, span, span.from - (pastDays + 1) * DAY),
      };
    return kept.intervals;
  };
}

async function tenantIntervals(
  client: Queryable,
  tenantId: string,
  span: { from: number; to: number },
  since: number,
): Promise<TenantIntervals> {
  const bounds = [tenantId, new Date(span.from), new Date(span.to)];
  const there = await client.query<{ at: Date }>(
    `SELECT read_at AS at FROM ami_feeder_intervals WHERE tenant_id = $1 AND read_at >= $2 AND read_at < $3
     UNION SELECT read_at FROM ami_publishes
     WHERE tenant_id = $1 AND read_at >= $2 AND read_at < $3 AND origin ${OF_AN_INTERVAL}`,
    bounds,
  );
  const lengths = await client.query<{ at: Date; minutes: number }>(
    `SELECT read_at AS at, max(interval_minutes)::integer AS minutes FROM ami_publishes
     WHERE tenant_id = $1 AND read_at >= $2 AND read_at < $3 AND origin ${OF_AN_INTERVAL}
       AND interval_minutes <> 15 GROUP BY 1`,
    [tenantId, new Date(since), new Date(span.to)],
  );
  const minutes = new Map(lengths.rows.map((row) => [row.at.getTime(), row.minutes]));
  return {
    has: new Set(there.rows.map(({ at }) => at.getTime())),
    minutesAt: (at) => minutes.get(at) ?? 15,
  };
}

/** Meters that have a read, after one, in the order of their ids. */
export async function metersAfter(
  client: Queryable,
  tenantId: string,
  after: string | null,
  limit: number,
): Promise<string[]> {
  const { rows } = await client.query<{ meterId: string }>({
    name: 'vee-meters',
    text: `SELECT meter_id AS "meterId" FROM ami_known_meters WHERE tenant_id = $1 AND meter_id > $2
           ORDER BY meter_id LIMIT $3`,
    values: [tenantId, after ?? '', limit],
  });
  return rows.map(({ meterId }) => meterId);
}
