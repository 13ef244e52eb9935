import { setTimeout as sleep } from 'node:timers/promises';
import type { Disturbance } from '../campaign.js';
import { BACKENDS } from '../queueServers.js';

const PAUSE_MS = 1_500;
const OUTAGE_MS = { long: 30_000, short: 3_000 };
const FROZEN_MS = { long: 15_000, short: 4_000 };

export const queueWiped: Disturbance = {
  about: 'the queue wiped (FLUSHALL; DELETE in Postgres) with work in it',
  backends: BACKENDS,
  rounds: { long: 5, short: 1 },
  async round({ queue, random }) {
    await sleep(PAUSE_MS * (1 + random()));
    await queue.wipe();
  },
};

export const redisRestart: Disturbance = {
  about: 'Redis killed with kill -9 and started anew, without persistence',
  backends: ['redis'],
  rounds: { long: 5, short: 1 },
  async round({ queue, random }) {
    await sleep(PAUSE_MS * (1 + random()));
    await queue.outage?.(0);
  },
};

export const redisOutage: Disturbance = {
  about: 'Redis away for half a minute, then empty',
  backends: ['redis'],
  rounds: { long: 2, short: 1 },
  async round({ queue }, _number, isShort) {
    await sleep(PAUSE_MS);
    await queue.outage?.(isShort ? OUTAGE_MS.short : OUTAGE_MS.long);
  },
};

export const redisFrozen: Disturbance = {
  about: 'Redis frozen: it takes connections and answers nothing',
  backends: ['redis'],
  rounds: { long: 3, short: 1 },
  async round({ queue }, _number, isShort) {
    await sleep(PAUSE_MS);
    await queue.freeze?.(isShort ? FROZEN_MS.short : FROZEN_MS.long);
  },
};

export const redisFailover: Disturbance = {
  about: 'the server of the queue killed with kill -9, another takes over',
  backends: ['sentinel', 'cluster'],
  rounds: { long: 1, short: 1 },
  async round({ queue }) {
    await sleep(PAUSE_MS);
    await queue.failover?.();
  },
};
