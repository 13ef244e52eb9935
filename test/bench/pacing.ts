import type pg from 'pg';
import { MAX_READS_PER_SECOND } from '../../src/contracts/limits.js';
import { createStartPacer } from '../../src/pacing/startPacer.js';

export interface PacingResult {
  batchSize: number;
  /** Sustained starts against the limit. */
  shareOfLimit: number;
  /** Reads in the busiest rolling second, of a bound of the limit plus one batch. */
  busiestSecond: number;
}

/** Two workers with an endless backlog of `batchSize` for `seconds`: what the read limit lets through. */
export async function measurePacing(
  pool: pg.Pool,
  batchSize: number,
  seconds: number,
): Promise<PacingResult> {
  const starts: number[] = [];
  const pacers = [0, 1].map(() => createStartPacer(pool, MAX_READS_PER_SECOND));
  const until = performance.now() + seconds * 1000;
  await Promise.all(
    pacers.flatMap((pacer) =>
      Array.from({ length: 8 }, async () => {
        while (performance.now() < until) {
          await pacer.turn(batchSize, 'live');
          starts.push(performance.now());
        }
      }),
    ),
  );
  starts.sort((a, b) => a - b);
  const within = starts.filter((at) => at < until);
  const spanSeconds = ((within.at(-1) as number) - (within[0] as number)) / 1000;
  const busiest = Math.max(
    ...starts.map((at) => starts.filter((other) => other >= at && other < at + 1000).length),
  );
  return {
    batchSize,
    shareOfLimit: ((within.length - 1) * batchSize) / spanSeconds / MAX_READS_PER_SECOND,
    busiestSecond: busiest * batchSize,
  };
}
