import type { Logger } from 'pino';
import { clockDifferenceMs } from '../db/databaseClock.js';
import type { Queryable } from '../db/db.js';

/**
 * Whether this machine's clock is the database's, within seconds. What depends on time is not done while it is not: one
 * worker a day ahead for half a minute wrote tomorrow's intervals, and took jobs from workers whose locks had seconds
 * to go.
 */
export interface ClockWatch {
  /** Compares again; where Postgres does not answer, what was found last holds. */
  look(): Promise<void>;
  /** What is wrong and what to do; undefined while the clocks agree. */
  trouble(): string | undefined;
}

export function watchClock(
  database: Queryable,
  toleranceSeconds: number,
  log: Logger,
  now: () => number = Date.now,
): ClockWatch {
  let trouble: string | undefined;
  return {
    async look() {
      const differenceMs = await clockDifferenceMs(database, now);
      const before = trouble;
      trouble = clockTrouble(differenceMs, toleranceSeconds);
      if (trouble !== undefined && before === undefined) log.error({ differenceMs }, trouble);
      if (trouble === undefined && before !== undefined)
        log.info("this machine's clock agrees with the database's again");
    },
    trouble: () => trouble,
  };
}

/** What is wrong and what to do about a difference from the database's clock; undefined within the tolerance. */
export function clockTrouble(differenceMs: number, toleranceSeconds: number): string | undefined {
  if (Math.abs(differenceMs) <= toleranceSeconds * 1_000) return undefined;
  const seconds = Math.round(Math.abs(differenceMs) / 1_000);
  return `this machine's clock is ${seconds} s ${differenceMs > 0 ? 'ahead of' : 'behind'} the database's: nothing that depends on time is done until it is set right (NTP)`;
}
