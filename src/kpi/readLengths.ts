import { LRUCache } from 'lru-cache';
import type { Queryable } from '../db/db.js';

/** Minutes of an interval. 15 stands for all reads that say no other length, as an emulated read does. */
type Minutes = number;

/** What the reads of a tenant in some span of time are by the length of their intervals. */
export interface LengthFacts {
  /** Intervals of each length in which any feeder has a read. */
  slots: ReadonlyMap<Minutes, number>;
  /** Of each feeder: its reads of a length, and the most of them at one instant, which is its meters of that length. */
  feeders: ReadonlyMap<string, ReadonlyMap<Minutes, { reads: number; meters: number }>>;
}

/** A span that is counted as a whole or by steps, ms. */
export interface CountedSpan {
  startsAt: number;
  endsAt: number;
  /** What stands for all that its counts are made from. */
  version: string;
}

/** The steps of a span that have a read, by the number of the step. */
export type StepFacts = ReadonlyMap<number, LengthFacts>;

/** Lengths of feeders in steps that are kept, some 100 bytes each. */
const KEPT_FACTS = 250_000;
/** Rows of more spans than these are sorted on disk. */
const SPANS_AT_ONCE = 3;
/** Longer than any span: all of it is step 0. */
export const WHOLE_SPAN = 1_000_000;

/** Whether any read of a tenant says to be of another length than 15 minutes; without one nothing here is asked. */
export async function hasOtherLengths(
  database: Queryable,
  tenantId: string,
  fromMs: number,
  toMs: number,
): Promise<boolean> {
  const { rows } = await database.query<{ yes: boolean }>({
    name: 'has-other-lengths',
    text: `SELECT EXISTS (SELECT FROM ami_feeder_lengths WHERE tenant_id = $1
             AND read_at >= to_timestamp($2::double precision / 1000)
             AND read_at < to_timestamp($3::double precision / 1000)) AS yes`,
    values: [tenantId, fromMs, toMs],
  });
  return rows[0]?.yes ?? false;
}

/**
 * Counts reads by length and keeps the counts until the span's version changes: of a year only the running day does.
 */
export function createReadLengths(database: Queryable) {
  const kept = new LRUCache<string, { version: string; facts: StepFacts }>({
    maxSize: KEPT_FACTS,
    sizeCalculation: ({ facts }) =>
      [...facts.values()].reduce(
        (sum, { feeders }) => sum + [...feeders.values()].reduce((all, { size }) => all + size, 1),
        1,
      ),
  });

  /**
   * @param stepMinutes how long the steps are, counted from the start of each span; WHOLE_SPAN for one step.
   * @returns the facts of each span by the ms of its start.
   */
  return async (
    tenantId: string,
    spans: readonly CountedSpan[],
    stepMinutes: number,
  ): Promise<Map<number, StepFacts>> => {
    const found = new Map<number, StepFacts>();
    const keyOf = ({ startsAt, endsAt }: CountedSpan): string =>
      `${tenantId} ${stepMinutes} ${startsAt} ${endsAt}`;
    for (const span of spans) {
      const before = kept.get(keyOf(span));
      if (before?.version === span.version) found.set(span.startsAt, before.facts);
    }
    const missing = spans.filter(({ startsAt }) => !found.has(startsAt));
    // What has been read stays when the answer comes too late, and the next one goes on from there.
    for (let first = 0; first < missing.length; first += SPANS_AT_ONCE) {
      const some = missing.slice(first, first + SPANS_AT_ONCE);
      const read = await readSpans(database, tenantId, some, stepMinutes);
      for (const span of some) {
        const facts = read.get(span.startsAt) ?? new Map();
        kept.set(keyOf(span), { version: span.version, facts });
        found.set(span.startsAt, facts);
      }
    }
    return found;
  };
}

type Row = [startsAt: number, step: number, feederId: string | null, minutes: number, ...counts: number[]];

async function readSpans(
  database: Queryable,
  tenantId: string,
  spans: readonly CountedSpan[],
  stepMinutes: number,
): Promise<Map<number, StepFacts>> {
  const { rows } = await database.query({
    name: 'read-lengths',
    rowMode: 'array',
    text: `SELECT starts_at, step, feeder_id, minutes, sum(reads)::double precision, max(reads)::double precision,
             count(DISTINCT slot)::integer
           FROM (
             SELECT span.starts_at, feeder_id, minutes, reads, slot,
               floor(extract(epoch FROM read_at - to_timestamp(span.starts_at / 1000)) / 60)::integer / $4::integer AS step
             FROM unnest($2::double precision[], $3::double precision[]) AS span (starts_at, ends_at),
               LATERAL (
                 SELECT cell.feeder_id, 15 AS minutes, cell.reads - coalesce(other.reads, 0) AS reads, cell.read_at,
                   date_bin('15 min', cell.read_at, '2000-01-01Z') AS slot
                 FROM ami_feeder_intervals cell LEFT JOIN (
                   SELECT read_at, feeder_id, sum(reads) AS reads FROM ami_feeder_lengths
                   WHERE tenant_id = $1 AND read_at >= to_timestamp(span.starts_at / 1000)
                     AND read_at < to_timestamp(span.ends_at / 1000) GROUP BY 1, 2
                 ) other USING (read_at, feeder_id)
                 WHERE cell.tenant_id = $1 AND cell.read_at >= to_timestamp(span.starts_at / 1000)
                   AND cell.read_at < to_timestamp(span.ends_at / 1000) AND cell.reads > coalesce(other.reads, 0)
                 UNION ALL
                 SELECT feeder_id, interval_minutes, reads, read_at, read_at FROM ami_feeder_lengths
                 WHERE tenant_id = $1 AND read_at >= to_timestamp(span.starts_at / 1000)
                   AND read_at < to_timestamp(span.ends_at / 1000)
               ) counted
           ) placed
           GROUP BY GROUPING SETS ((starts_at, step, feeder_id, minutes), (starts_at, step, minutes))`,
    values: [tenantId, spans.map(({ startsAt }) => startsAt), spans.map(({ endsAt }) => endsAt), stepMinutes],
  } as never);
  const found = new Map<number, Map<number, Counting>>();
  for (const [
    startsAt,
    step,
    feederId,
    minutes,
    reads = 0,
    meters = 0,
    slots = 0,
  ] of rows as unknown as Row[]) {
    const steps = found.get(startsAt) ?? new Map<number, Counting>();
    const facts = steps.get(step) ?? { slots: new Map(), feeders: new Map() };
    found.set(startsAt, steps.set(step, facts));
    if (feederId === null) facts.slots.set(minutes, slots);
    else {
      const lengths = facts.feeders.get(feederId) ?? new Map();
      facts.feeders.set(feederId, lengths.set(minutes, { reads, meters }));
    }
  }
  return found;
}

interface Counting {
  slots: Map<Minutes, number>;
  feeders: Map<string, Map<Minutes, { reads: number; meters: number }>>;
}
