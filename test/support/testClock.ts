import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const QUARTER_MS = 15 * 60_000;

/** The clock of all processes of one deployment, in the past of the real one and as fast; see shiftedClock.ts. */
export interface TestClock {
  file: string;
  now(): Date;
  /** Processes that are running see it within some ms, but sleep on through what was left out. */
  set(to: Date): void;
  /** Until the clock shows it. */
  until(instant: Date): Promise<void>;
  remove(): void;
}

export function createTestClock(start: Date): TestClock {
  const folder = mkdtempSync(join(tmpdir(), 'gridlens-clock-'));
  const file = join(folder, 'offset');
  let offsetMs = 0;
  const clock: TestClock = {
    file,
    now: () => new Date(Date.now() + offsetMs),
    set(to) {
      offsetMs = to.getTime() - Date.now();
      if (offsetMs > 0) throw new Error('the clock may not be ahead of the real one');
      // In one step, so that nobody reads half of it.
      writeFileSync(`${file}.new`, String(offsetMs));
      renameSync(`${file}.new`, file);
    },
    until: (instant) => sleep(Math.max(0, instant.getTime() - clock.now().getTime())).then(() => undefined),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  clock.set(start);
  return clock;
}

/** The next quarter hour after an instant. */
export function nextQuarter(after: Date): Date {
  return new Date(Math.floor(after.getTime() / QUARTER_MS + 1) * QUARTER_MS);
}

export function plus(instant: Date, ms: number): Date {
  return new Date(instant.getTime() + ms);
}

/** The quarter hours from one to another, both included, as `slots` names them. */
export function quarters(from: Date, to: Date): string[] {
  const count = (to.getTime() - from.getTime()) / QUARTER_MS + 1;
  return Array.from({ length: count }, (_, index) => plus(from, index * QUARTER_MS).toISOString());
}
