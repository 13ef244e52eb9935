import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_QUEUE_DEPTH } from '../../../src/contracts/limits.js';
import { type Disturbance, LEAST_PUBLISHES } from '../campaign.js';
import { BACKENDS } from '../queueServers.js';
import type { Scene } from '../scene.js';
import { postOnce, publishRequest } from '../workload.js';

const LASTS_MS = { long: 30 * 60_000, short: 10_000 };
/** Requests under way at once, without a pause: more than twice what the read limit lets through. */
const POSTERS = 4;
const LOOK_EVERY_MS = 2_000;
/** Memory may be so much larger in the last third than in the second; the first fills caches. */
const MOST_GROWTH = 1.2;

interface Sample {
  /** Resident memory of all processes together, MB. */
  memoryMb: number;
  /** Of the API's answer that needs nothing but its event loop, ms. */
  healthMs: number;
  /** Batches that are owed. */
  owed: number;
}

export const overload: Disturbance = {
  about: 'twice the load that the read limit lets through, memory, event loop and depth watched',
  backends: BACKENDS,
  rounds: { long: 1, short: 1 },
  async round(scene, _number, isShort, { seed, say }) {
    const samples: Sample[] = [];
    let isOver = false;
    // Intervals that are published anyhow: what is written again is a duplicate, and changes nothing.
    const posting = Array.from({ length: POSTERS }, async (_, poster) => {
      for (let number = poster; !isOver; number += POSTERS) {
        const url = scene.fleet.url();
        if (url === undefined) await sleep(100);
        else await postOnce(`${url}/api/ami/publish-once`, publishRequest(seed, number % LEAST_PUBLISHES));
      }
    });
    const until = performance.now() + LASTS_MS[isShort ? 'short' : 'long'];
    while (performance.now() < until) {
      await sleep(LOOK_EVERY_MS);
      samples.push(await look(scene));
    }
    isOver = true;
    await Promise.all(posting);
    judge(samples, isShort, say);
  },
};

async function look({ fleet, pool }: Scene): Promise<Sample> {
  const pids = [...fleet.running('api'), ...fleet.running('worker')].map(({ child }) => child.pid);
  const sizes = await Promise.all(pids.map(async (pid) => residentKb(await statusOf(pid))));
  const asked = performance.now();
  await fetch(`${fleet.url()}/healthz`).then((answer) => answer.text());
  const healthMs = performance.now() - asked;
  const { rows } = await pool().query<{ owed: number }>(
    `SELECT count(*)::integer AS owed FROM ami_publish_batches WHERE state = 'pending'`,
  );
  const memoryMb = sizes.reduce((sum, kb) => sum + kb, 0) / 1024;
  return { memoryMb, healthMs, owed: rows[0]?.owed ?? 0 };
}

const statusOf = (pid: number | undefined): Promise<string> =>
  readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');

const residentKb = (status: string): number => Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);

/** @throws where memory grew, or the queue went beyond its bound. */
function judge(samples: readonly Sample[], isShort: boolean, say: (line: string) => void): void {
  const third = Math.floor(samples.length / 3);
  const most = (part: readonly Sample[], field: keyof Sample): number =>
    Math.max(...part.map((sample) => sample[field]));
  const [second, last] = [samples.slice(third, 2 * third), samples.slice(2 * third)];
  const growth = most(last, 'memoryMb') / most(second, 'memoryMb');
  const owed = most(samples, 'owed');
  say(
    `memory ${most(second, 'memoryMb').toFixed(0)} MB in the second third, × ${growth.toFixed(2)} in the last; /healthz at most ${most(samples, 'healthMs').toFixed(0)} ms; at most ${owed} batches owed`,
  );
  if (owed > MAX_QUEUE_DEPTH)
    throw new Error(`${owed} batches were owed at once, more than ${MAX_QUEUE_DEPTH}`);
  if (!isShort && growth > MOST_GROWTH)
    throw new Error(`memory grew × ${growth.toFixed(2)} from the second third of the time to the last`);
}
