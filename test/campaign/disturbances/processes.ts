import { setTimeout as sleep } from 'node:timers/promises';
import type { Disturbance } from '../campaign.js';
import type { Kind } from '../fleet.js';
import { BACKENDS } from '../queueServers.js';
import type { Scene } from '../scene.js';

/** Between two rounds: long enough for some batches, so that most kills hit one. */
const PAUSE_MS = 1_000;

async function replaceOne(kind: Kind, scene: Scene, count: number): Promise<void> {
  await sleep(scene.random() * PAUSE_MS);
  await scene.fleet.replace(kind, Math.floor(scene.random() * count));
}

export const workerKills: Disturbance = {
  about: 'workers killed with kill -9',
  backends: BACKENDS,
  rounds: { long: 100, short: 3 },
  workers: 3,
  round: (scene) => replaceOne('worker', scene, 3),
};

export const apiKills: Disturbance = {
  about: 'APIs killed with kill -9 while they accept publishes',
  backends: BACKENDS,
  rounds: { long: 20, short: 2 },
  apis: 2,
  round: async (scene) => {
    await sleep(PAUSE_MS);
    await replaceOne('api', scene, 2);
  },
};

/** Longer than a job's lock, 10 s: the job goes to another worker, and the frozen one writes beside it when it thaws. */
const FROZEN_MS = { long: 20_000, short: 12_000 };

export const frozenProcesses: Disturbance = {
  about: 'an API and a worker frozen for longer than a job is locked',
  backends: BACKENDS,
  rounds: { long: 5, short: 1 },
  apis: 2,
  async round(scene, _number, isShort) {
    await sleep(scene.random() * PAUSE_MS);
    const frozen = (['api', 'worker'] as const).flatMap((kind) => scene.fleet.running(kind).slice(0, 1));
    for (const { child } of frozen) child.kill('SIGSTOP');
    await sleep(isShort ? FROZEN_MS.short : FROZEN_MS.long);
    for (const { child } of frozen) child.kill('SIGCONT');
    await sleep(PAUSE_MS);
  },
};
