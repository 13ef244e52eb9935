/**
 * A preload, `node --import tsx --import ./test/support/shiftedClock.ts src/worker.ts`, for tests that cannot wait for a
 * quarter hour: the process's Date is as many ms off as the file in TEST_CLOCK_FILE says, and follows it when that changes.
 * All processes with one file have one clock, and a process that starts later starts later by it too.
 *
 * BullMQ takes the time of its jobs from Date.now() on both backends, so its schedulers really fire. Timers,
 * performance.now() and the database's own clock run as ever: the shift must be negative, or reads would be stamped with
 * an instant that is to come for Postgres.
 */
import { readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 5;
const path = process.env.TEST_CLOCK_FILE;

if (path !== undefined) {
  const RealDate = Date;
  const realNow = Date.now.bind(Date);
  let offsetMs = Number(readFileSync(path, 'utf8'));
  let lookedAt = performance.now();
  const now = (): number => {
    if (performance.now() - lookedAt > LOOK_EVERY_MS) {
      offsetMs = Number(readFileSync(path, 'utf8'));
      lookedAt = performance.now();
    }
    return realNow() + offsetMs;
  };
  RealDate.now = now;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    apply: () => new RealDate(now()).toString(),
  });
}
