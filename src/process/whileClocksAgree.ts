import type { ClockWatch } from '../status/clockWatch.js';
import { type Periodic, runPeriodically } from '../timing/periodic.js';
import type { Context } from './context.js';
import type { Running } from './lifecycle.js';

/** Less than the seconds that clocks may differ by, so that little is done by a clock that has been set wrong. */
const LOOK_EVERY_MS = 2_000;

/**
 * Has something run only while this machine's clock and the database's agree: stopped in its order when they do not, and
 * started anew when they do again.
 *
 * @param start is called any number of times, never before what it started last has stopped.
 */
export async function runWhileClocksAgree(
  { clock, log }: { clock: ClockWatch; log: Context['log'] },
  start: () => Running,
): Promise<Running> {
  let running: Running | undefined;
  const settle = async (): Promise<void> => {
    await clock.look();
    if (clock.trouble() === undefined) running ??= start();
    else if (running !== undefined) {
      const stopping = running;
      running = undefined;
      await stopping.stop();
    }
  };
  await settle();
  const looking: Periodic = runPeriodically('comparing clocks', LOOK_EVERY_MS, settle, log);
  return {
    async stop() {
      await looking.stop();
      await running?.stop();
    },
  };
}
