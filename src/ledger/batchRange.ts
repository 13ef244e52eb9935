/**
 * How a publish is cut into batches (D3). Ledger and jobs keep the number of a batch; which positions of the roster it
 * stands for is said here only, once in TypeScript and once in SQL.
 */

/** What a publish is cut by: its positions `[rangeFrom, rangeTo)`, in pieces of `batchSize`. */
export interface CutPublish {
  rangeFrom: number;
  rangeTo: number;
  batchSize: number;
}

/** Positions `[from, to)` of the fleet's roster: the meters of one job. */
export interface BatchRange {
  from: number;
  to: number;
}

/** How many batches `meters` meters make. */
export function batchCount(meters: number, batchSize: number): number {
  return Math.ceil(meters / batchSize);
}

/** The positions of a publish's batch, counted from 0. The last batch is shorter where the size does not divide. */
export function batchRange({ rangeFrom, rangeTo, batchSize }: CutPublish, batch: number): BatchRange {
  const from = rangeFrom + batch * batchSize;
  return { from, to: Math.min(from + batchSize, rangeTo) };
}

/** All batches of a publish, in the order of their numbers. */
export function batchRanges(publish: CutPublish): (BatchRange & { number: number })[] {
  const count = batchCount(publish.rangeTo - publish.rangeFrom, publish.batchSize);
  return Array.from({ length: count }, (_, number) => ({ number, ...batchRange(publish, number) }));
}

/** `batchRange` as SQL, of `ami_publish_batches batch` and its `ami_publishes publish`. */
export const BATCH_RANGE_SQL = {
  from: '(publish.range_from + batch.batch_number * publish.batch_size)',
  to: 'least(publish.range_from + (batch.batch_number + 1) * publish.batch_size, publish.range_to)',
} as const;
