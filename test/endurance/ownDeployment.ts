import { parseArgs } from 'node:util';
import { type ClockedDeployment, openClockedDeployment } from '../support/clockedDeployment.js';
import { startOwnPostgres } from '../support/ownPostgres.js';
import { startOwnRedis } from '../support/redisServer.js';
import { nextQuarter, plus } from '../support/testClock.js';

export const OWN_DEPLOYMENT_OPTIONS =
  '--rounds N, --backend postgres|redis (both, one after the other, unless told)';

type Say = (line: string) => void;

/** Long before now, so that many quarter hours may be leapt over before the real clock is reached. */
const START_MS = -5 * 86_400_000;

/** What the clock shows at first: a minute before a quarter hour. */
export function longAgo(): Date {
  return plus(nextQuarter(plus(new Date(), START_MS)), -60_000);
}

/**
 * A run for the command line: `work` on a deployment of its own, Postgres and Redis included, once for each backend of
 * the queue. It answers whether all was as it should be, and prints what was not.
 */
export function onOwnDeployments(
  defaults: { rounds: number },
  work: (deployment: ClockedDeployment, rounds: number, say: Say) => Promise<void>,
) {
  return async (args: string[], print: Say): Promise<boolean> => {
    const { values } = parseArgs({
      args,
      options: { rounds: { type: 'string' }, backend: { type: 'string' } },
    });
    const rounds = Number(values.rounds ?? defaults.rounds);
    let passed = true;
    for (const backend of ['postgres', 'redis']) {
      if (values.backend !== undefined && values.backend !== backend) continue;
      const say: Say = (line) => print(`${backend} queue: ${line}`);
      const redis = backend === 'redis' ? await startOwnRedis() : undefined;
      if (backend === 'redis' && !redis) {
        say('SKIPPED, since there is no redis-server and no valkey-server on the PATH');
        continue;
      }
      const postgres = await startOwnPostgres();
      const databaseUrl = postgres.url;
      const deployment = await openClockedDeployment({ databaseUrl, redisUrl: redis?.url, start: longAgo() });
      await work(deployment, rounds, say).catch(async (error: Error) => {
        passed = false;
        say(`FAILED: ${error.message}`);
        for (const line of await deployment.troubles()) say(line);
      });
      await deployment.close();
      await redis?.stop();
      await postgres.remove();
    }
    return passed;
  };
}
