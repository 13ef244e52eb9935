import { parseArgs } from 'node:util';
import { benchPostgres } from '../bench/benchPostgres.js';
import { thousands } from '../bench/report.js';
import { runManySlots, SLOTS_A_DAY, slotsFound } from '../simulation/manySlots.js';
import { openPool } from '../support/openPool.js';
import { median, quantile } from '../support/quantiles.js';
import { startOwnRedis } from '../support/redisServer.js';

export const ABOUT =
  'a month of quarter hours by the job scheduler alone, on a virtual clock, as fast as it goes';
export const OPTIONS = '[--meters 2000] [--days 31] [--redis]';

/** How much longer the last day may take than the first: a table of a month must not be slower than an empty one. */
const MOST_SLOWER = 1.5;

/** Of a day's slots the fastest tenth: what else the machine does changes from hour to hour. */
const undisturbed = (elapsedMs: readonly number[]): number => quantile(elapsedMs, 0.1);

export async function run(args: string[], print: (line: string) => void): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: {
      meters: { type: 'string', default: '2000' },
      days: { type: 'string', default: '31' },
      redis: { type: 'boolean', default: false },
    },
  });
  const meterCount = Number(values.meters);
  const slots = Number(values.days) * SLOTS_A_DAY;
  const redis = values.redis ? await startOwnRedis() : undefined;
  if (values.redis && !redis) throw new Error('there is no redis-server or valkey-server on the PATH');
  const postgres = await benchPostgres();
  const pool = openPool({ connectionString: postgres.url, max: 2 });
  print(
    `${slots} slots of ${thousands(meterCount)} meters, ${thousands(slots * meterCount)} reads, queue in ${redis ? 'Redis' : 'Postgres'}`,
  );
  try {
    const from = performance.now();
    const done = await runManySlots({
      databaseUrl: postgres.url,
      redisUrl: redis?.url,
      pool,
      meterCount,
      slots,
      onDay(day, elapsedMs) {
        if (day === 1 || day % 5 === 0 || day * SLOTS_A_DAY === slots)
          print(
            `day ${day}: a slot whole ${Math.round(median(elapsedMs))} ms after its boundary (median), ${Math.round(Math.max(...elapsedMs))} at most`,
          );
      },
    });
    const seconds = (performance.now() - from) / 1000;
    const found = await slotsFound(pool, done.first);
    const { first, elapsedMs, left, warnings } = done;
    const slower = undisturbed(elapsedMs.slice(-SLOTS_A_DAY)) / undisturbed(elapsedMs.slice(0, SLOTS_A_DAY));
    print(
      `from ${first.toISOString()}: ${found.slots} slots, ${found.aligned} aligned, each of ${thousands(found.fewestReads)} to ${thousands(found.mostReads)} reads, ${found.repeated} of a meter twice; ${found.publishes} publishes, ${found.ticks} slots by their tick`,
    );
    print(
      `left in the queues: ${left.batches} batches, ${left.schedulers.length} schedulers; ${warnings.length} warnings`,
    );
    for (const warning of warnings.slice(0, 10)) print(`  ${warning}`);
    print(
      `${seconds.toFixed(0)} s in all; the last day's fastest slots took ${slower.toFixed(2)} times the first day's (at most ${MOST_SLOWER})`,
    );
    const { slots: whole, aligned, fewestReads, mostReads, publishes, ticks } = found;
    const isExact = [whole, aligned, publishes, ticks].every((count) => count === slots);
    const areReads = fewestReads === meterCount && mostReads === meterCount && found.repeated === 0;
    const isEmpty = left.batches === 0 && left.schedulers.length === 0;
    return isExact && areReads && isEmpty && slower <= MOST_SLOWER;
  } finally {
    await pool.end();
    await postgres.stop();
    await redis?.stop();
  }
}
