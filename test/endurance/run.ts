import { openGuardedRun } from '../support/guardedRun.js';
import * as backfillWeek from './backfillWeek.js';
import * as boundaries from './boundaries.js';
import * as downtime from './downtime.js';
import * as importFile from './importFile.js';
import * as month from './month.js';
import * as production from './production.js';
import * as queueCost from './queueCost.js';
import * as race from './race.js';
import * as redisFailover from './redisFailover.js';
import * as strangers from './strangers.js';
import * as tenants from './tenants.js';

/**
 * `npm run endurance -- RUN [options]`: what takes too long for the test suite, on real processes or with real sizes.
 * Prints what it measured and exits 1 when that is not what it should be; without a run it prints which there are.
 */
const RUNS = {
  ...{ boundaries, month, tenants, 'backfill-week': backfillWeek, race, downtime },
  ...{ 'import-file': importFile },
  ...{ 'redis-failover': redisFailover, 'queue-cost': queueCost, production, strangers },
};

const [name = '', ...args] = process.argv.slice(2);
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const chosen = Object.entries(RUNS).find(([run]) => run === name)?.[1];
if (chosen) {
  const close = await openGuardedRun();
  process.exitCode = (await chosen.run(args, print)) ? 0 : 1;
  await close();
} else {
  const width = Math.max(...Object.keys(RUNS).map((run) => run.length));
  print('npm run endurance -- RUN [options]');
  for (const [run, { ABOUT, OPTIONS }] of Object.entries(RUNS))
    print(`\n  ${run.padEnd(width)}  ${ABOUT}\n  ${' '.repeat(width)}  ${OPTIONS}`);
  process.exitCode = ['', '--help', '-h'].includes(name) ? 0 : 1;
}
