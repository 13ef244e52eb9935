import seedrandom from 'seedrandom';
import { longAgo } from '../endurance/ownDeployment.js';
import { race } from '../endurance/race.js';
import { openClockedDeployment } from '../support/clockedDeployment.js';
import { startOwnPostgres } from '../support/ownPostgres.js';
import { NOTHING } from './campaign.js';
import type { Part } from './parts.js';
import { startQueueServers } from './queueServers.js';
import { closeOnSignal } from './scene.js';

/** Each round leaps to the next boundary, so that it is one tick of all tenants so far. */
export const fiveAndFive: Part = {
  about: 'five APIs and five workers over sixty ticks, auto/start from all at once around each boundary',
  backends: ['postgres', 'redis'],
  rounds: { long: 60, short: 2 },
  async run({ backend, seed, isShort, rounds, say }) {
    const began = performance.now();
    const postgres = await startOwnPostgres();
    const queue = await startQueueServers(
      backend,
      () => {
        throw new Error('this part wipes no queue');
      },
      postgres.url,
    );
    if (queue === undefined) {
      await postgres.remove();
      return { ...NOTHING, skipped: 'there is no redis-server or valkey-server' };
    }
    const deployment = await openClockedDeployment({
      ...{ databaseUrl: postgres.url, redisUrl: queue.url, start: longAgo() },
    });
    const { close, isClosing } = closeOnSignal(async () => {
      await deployment.close();
      await queue.stop();
      await postgres.remove();
    });
    const wanted = rounds ?? fiveAndFive.rounds[isShort ? 'short' : 'long'];
    try {
      const { intervals } = await race(deployment, wanted, say, seedrandom(seed));
      const { rows } = await deployment.pool.query<{ jobs: number; reads: number }>(
        `SELECT (SELECT count(*)::integer FROM ami_publish_batches) AS jobs,
           (SELECT count(*)::integer FROM meter_reads_electric) AS reads`,
      );
      const seconds = Math.round((performance.now() - began) / 1000);
      return { ...NOTHING, ...rows[0], rounds: wanted, publishes: intervals, seconds };
    } catch (error) {
      if (!isClosing()) for (const line of await deployment.troubles()) say?.(line);
      throw error;
    } finally {
      await close();
    }
  },
};
