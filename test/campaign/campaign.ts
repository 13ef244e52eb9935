import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnPostgres } from '../support/ownPostgres.js';
import { waitFor } from '../support/waitFor.js';
import { differences, type Holdings, holdingsOf, ledgerOf } from './oracle.js';
import type { Backend } from './queueServers.js';
import { openScene, type Scene, type SceneOptions } from './scene.js';
import { eventRequests, postUntilAccepted, publishRequest } from './workload.js';

/** One kind of trouble, which comes in rounds while publishes are accepted and written. */
export interface Disturbance {
  about: string;
  backends: readonly Backend[];
  /** Rounds of the long form and of the short one. */
  rounds: { long: number; short: number };
  apis?: number;
  workers?: number;
  beforeStart?: SceneOptions['beforeStart'];
  /** Variables of each process, beside those of all. */
  ownEnv?: SceneOptions['ownEnv'];
  /** Why it cannot be done on this machine; undefined where it can. */
  lacking?: () => Promise<string | undefined>;
  /** One round; it has to leave everything able to go on. */
  round(
    scene: Scene,
    number: number,
    isShort: boolean,
    context: { seed: string; say: (line: string) => void },
  ): Promise<void>;
  /** What was left for the end of all rounds. */
  finish?(scene: Scene): Promise<void>;
  /** Takes away what it made beside the servers, once those are gone. */
  afterwards?(postgres: OwnPostgres): Promise<void>;
}

export interface CampaignOptions {
  backend: Backend;
  seed: string;
  isShort: boolean;
  rounds?: number | undefined;
  /** How many publishes; as many as there is time for while the disturbance goes on, and a few, when left out. */
  publishes?: number;
  /** What they leave undisturbed, where it is known; found out by a run of its own when left out. */
  wanted?: Holdings;
  say?: (line: string) => void;
}

export interface Outcome {
  /** Why it was not run. */
  skipped?: string;
  rounds: number;
  publishes: number;
  jobs: number;
  reads: number;
  /** Requests that were sent again, in doubt or refused. */
  sentAgain: number;
  /** Processes that ended by themselves, and were started anew. */
  ended: number;
  seconds: number;
  /** What was lost, written twice or differs; empty when nothing is. */
  troubles: string[];
}

/** Of a part that was not run, and where there is nothing to count. */
export const NOTHING: Outcome = {
  ...{ rounds: 0, publishes: 0, jobs: 0, reads: 0, sentAgain: 0, ended: 0, seconds: 0, troubles: [] },
};
/** A pause between publishes: 2,000 reads per second, a little below the limit. */
const PUBLISH_EVERY_MS = 250;
/** At least so many publishes, also where the rounds are over at once. */
export const LEAST_PUBLISHES = 8;
/** All is written by then, or it is owed for ever: overdue batches are put back after half a minute. */
const SETTLE_MS = 240_000;

/**
 * Publishes while a disturbance goes on, waits until everything accepted is written, and compares what the database holds
 * with an undisturbed run of the same publishes.
 */
export async function runCampaign(disturbance: Disturbance, options: CampaignOptions): Promise<Outcome> {
  const lacking = await disturbance.lacking?.();
  if (lacking !== undefined) return { ...NOTHING, skipped: lacking };
  const { backend, seed, isShort, say = () => undefined } = options;
  const rounds = options.rounds ?? disturbance.rounds[isShort ? 'short' : 'long'];
  const scene = await openScene({
    ...{ backend, seed, apis: disturbance.apis ?? 1, workers: disturbance.workers ?? 2 },
    ...(disturbance.beforeStart === undefined ? {} : { beforeStart: disturbance.beforeStart }),
    ...(disturbance.ownEnv === undefined ? {} : { ownEnv: disturbance.ownEnv }),
    ...(disturbance.afterwards === undefined ? {} : { afterwards: disturbance.afterwards }),
  });
  if (scene === undefined) return { ...NOTHING, skipped: 'there is no redis-server or valkey-server' };
  const began = performance.now();
  try {
    await postEvents(scene);
    let isOver = false;
    const disturbing = (async () => {
      try {
        for (let round = 1; round <= rounds; round += 1) {
          await disturbance.round(scene, round, isShort, { seed, say });
          say(`round ${round} of ${rounds}`);
        }
        await disturbance.finish?.(scene);
      } finally {
        isOver = true;
      }
    })();
    const isWanted = (done: number): boolean =>
      done < (options.publishes ?? LEAST_PUBLISHES) || (options.publishes === undefined && !isOver);
    const publishing = publishWhile(scene, seed, isWanted);
    const [{ publishes, sentAgain }] = await Promise.all([publishing, disturbing]);
    await settle(scene);
    const found = await holdingsOf(scene.pool());
    const ledger = await ledgerOf(scene.pool());
    const seconds = Math.round((performance.now() - began) / 1000);
    const wanted = options.wanted ?? (await undisturbed(seed, publishes));
    const givenUp = scene.fleet.logged(/"batch given up"/);
    return {
      ...{ rounds, publishes, sentAgain, seconds, reads: found.reads, jobs: ledger.batches },
      ended: scene.fleet.endedByThemselves(),
      troubles: [...differences(found, wanted, ledger), ...givenUp.slice(0, 3)],
    };
  } finally {
    await scene.close();
  }
}

async function postEvents({ fleet }: Scene): Promise<void> {
  for (const { path, body } of eventRequests()) await postUntilAccepted(fleet.url, path, body);
}

/** Publishes one interval after the other, as long as `goOn` says so of the number that are accepted. */
async function publishWhile(
  { fleet }: Scene,
  seed: string,
  goOn: (done: number) => boolean,
): Promise<{ publishes: number; sentAgain: number }> {
  let publishes = 0;
  let sentAgain = 0;
  while (goOn(publishes)) {
    sentAgain += (await postUntilAccepted(fleet.url, 'publish-once', publishRequest(seed, publishes))) - 1;
    publishes += 1;
    await sleep(PUBLISH_EVERY_MS);
  }
  return { publishes, sentAgain };
}

function settle(scene: Scene): Promise<boolean> {
  return waitFor(
    'everything accepted to be written',
    async () => (await ledgerOf(scene.pool())).pending === 0,
    SETTLE_MS,
  );
}

/** What the same publishes leave when nothing happens meanwhile, on servers of their own. */
export async function undisturbed(seed: string, publishes: number): Promise<Holdings> {
  const scene = await openScene({ backend: 'postgres', seed, apis: 1, workers: 2 });
  if (scene === undefined) throw new Error('a Postgres is always there');
  try {
    await postEvents(scene);
    await publishWhile(scene, seed, (done) => done < publishes);
    await settle(scene);
    const left = await holdingsOf(scene.pool());
    // To be equal to nothing would be no proof of anything.
    if (publishes > 0 && left.reads === 0) throw new Error('the undisturbed run has written no read');
    return left;
  } finally {
    await scene.close();
  }
}
