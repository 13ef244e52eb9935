import { beforeAll, expect, it } from 'vitest';
import { describeOnBothBackends } from '../support/backends.js';
import { runCampaign, undisturbed } from './campaign.js';
import { DISTURBANCES } from './disturbances/index.js';
import type { Holdings } from './oracle.js';
import type { Backend } from './queueServers.js';

const SEED = 'short form';
const PUBLISHES = 16;

/**
 * The short form of `npm run campaign`. What may befall any kind of queue is run on one of the two here, in turn; the
 * failovers of Sentinel and Cluster are in test/queues/redisTopologies.test.ts.
 */
const placed = Object.entries(DISTURBANCES)
  .filter(([, { backends }]) => backends.includes('postgres') || backends.includes('redis'))
  .map(([name, { backends }], place): [string, Backend] => {
    const turn = place % 2 === 0 ? 'postgres' : 'redis';
    return [name, backends.includes(turn) ? turn : (backends.find((one) => one !== turn) as Backend)];
  });

describeOnBothBackends('a deployment in trouble', (backend) => {
  let wanted: Holdings;
  beforeAll(async () => {
    wanted = await undisturbed(SEED, PUBLISHES);
    expect(wanted.reads).toBe(PUBLISHES * 500);
  });

  it.each(placed.filter(([, place]) => place === backend))(
    'loses nothing and writes nothing twice: %s',
    async (name) => {
      const disturbance = DISTURBANCES[name as keyof typeof DISTURBANCES];
      if (disturbance === undefined) throw new Error(`there is no ${name}`);
      const options = { backend, seed: SEED, isShort: true, publishes: PUBLISHES, wanted };
      const { skipped, troubles, reads } = await runCampaign(disturbance, options);
      if (skipped !== undefined) process.stdout.write(`SKIPPED ${name}: ${skipped}\n`);
      else expect({ troubles, reads }).toEqual({ troubles: [], reads: wanted.reads });
    },
  );
});
