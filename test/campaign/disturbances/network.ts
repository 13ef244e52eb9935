import { setTimeout as sleep } from 'node:timers/promises';
import { type Relay, startRelay, type Trouble } from '../../support/relay.js';
import type { Disturbance } from '../campaign.js';
import type { Scene } from '../scene.js';

const TROUBLES: Trouble[] = [
  { delayMs: 2_000 },
  { cut: true },
  { halfOpen: true },
  { trickleMs: 20 },
  { trickleMs: 5, trickleBytes: 16 },
];
/** Trouble comes at one of so many first answers of a connection, at start or in the middle of the work. */
const STAGES = 40;
const PAUSE_MS = 3_000;

const relays = new WeakMap<object, Relay>();

/**
 * Each connection that is made during a round may be delayed, cut, left half open or trickled, at an answer of its
 * start or of its work; one API and one worker are started anew for that.
 */
async function troubledRound(scene: Scene): Promise<void> {
  const relay = relays.get(scene.postgres) as Relay;
  const trouble = TROUBLES[Math.floor(scene.random() * TROUBLES.length)] as Trouble;
  relay.trouble(() =>
    scene.random() < 0.5 ? { stage: Math.floor(scene.random() * STAGES), trouble } : undefined,
  );
  const restarting = Promise.all([scene.fleet.replace('worker', 0), scene.fleet.replace('api', 0)]);
  await Promise.race([restarting, sleep(PAUSE_MS)]);
  await sleep(PAUSE_MS);
  // A start that waits is left in peace from here on; the connections that are in trouble stay so.
  relay.trouble(() => undefined);
  await restarting;
}

async function throughRelay(scene: Pick<Scene, 'postgres'>, port: number): Promise<string> {
  const relay = await startRelay(port);
  relays.set(scene.postgres, relay);
  return `127.0.0.1:${relay.port}`;
}

const finish = async (scene: Scene): Promise<void> => {
  // Nobody notices a half-open connection before it is used: both sides are told at the end.
  await Promise.all([0, 1].map((number) => scene.fleet.replace('worker', number)));
  await scene.fleet.replace('api', 0);
};

export const troubledRedis: Disturbance = {
  about: 'answers of Redis delayed, cut, swallowed and trickled, at every stage',
  backends: ['redis'],
  rounds: { long: 30, short: 2 },
  apis: 2,
  beforeStart: async ({ postgres, queue }) => ({
    REDIS_URL: `redis://${await throughRelay({ postgres }, queue.port as number)}`,
  }),
  round: troubledRound,
  finish,
  afterwards: async (postgres) => relays.get(postgres)?.close(),
};

export const troubledPostgres: Disturbance = {
  about: 'answers of Postgres delayed, cut, swallowed and trickled, at every stage',
  backends: ['postgres', 'redis'],
  rounds: { long: 30, short: 2 },
  apis: 2,
  async beforeStart({ postgres }) {
    const url = new URL(postgres.url);
    url.host = await throughRelay({ postgres }, Number(url.port));
    return { DATABASE_URL: url.href };
  },
  round: troubledRound,
  finish,
  afterwards: async (postgres) => relays.get(postgres)?.close(),
};
