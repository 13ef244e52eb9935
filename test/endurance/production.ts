import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { API_KEY } from '../support/deployment.js';
import { npmArguments } from '../support/npmArguments.js';
import { startOwnPostgres } from '../support/ownPostgres.js';
import { freePort, startOwnRedis } from '../support/redisServer.js';

export const ABOUT =
  'the production build against running through tsx: start to listening, and resident memory at rest, of API and worker';
export const OPTIONS = '--rounds N (5), --rest SECONDS (20) before memory is read, --redis';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TARGET = { start: 0.5, memory: 0.7 };

type Way = 'tsx' | 'production';
type Part = 'api' | 'worker';

/** Through tsx is how each process ran before there was a `dist/`. */
const COMMANDS: Record<Way, Record<Part, string[]>> = {
  tsx: { api: ['--import', 'tsx', 'src/index.ts'], worker: ['--import', 'tsx', 'src/worker.ts'] },
  production: { api: npmArguments('api'), worker: npmArguments('worker') },
};
const SAYS: Record<Part, string> = { api: 'API listening', worker: 'worker started' };

interface Sample {
  startMs: number;
  /** Of the process and its children: tsx has esbuild beside it. */
  memoryMb: number;
}

/**
 * Starts API and worker both ways in turn, on one database, and compares the medians: round by round, so that what else
 * the machine does falls on both.
 */
export async function run(args: string[], print: (line: string) => void): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: { rounds: { type: 'string' }, rest: { type: 'string' }, redis: { type: 'boolean' } },
  });
  const restMs = Number(values.rest ?? 20) * 1_000;
  const redis = values.redis ? await startOwnRedis() : undefined;
  const postgres = await startOwnPostgres();
  const env = {
    DATABASE_URL: postgres.url,
    GRIDLENS_API_KEY: API_KEY,
    ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
  };
  let passed = true;
  try {
    // The first start makes the schema, and compiles.
    await measure('production', 'api', env, 1_000);
    for (const part of ['api', 'worker'] as const) {
      const samples: Record<Way, Sample[]> = { tsx: [], production: [] };
      for (let round = 0; round < Number(values.rounds ?? 5); round += 1)
        for (const way of ['tsx', 'production'] as const)
          samples[way].push(await measure(way, part, env, restMs));
      for (const what of ['start', 'memory'] as const) {
        const of = (way: Way) =>
          median(samples[way].map(({ startMs, memoryMb }) => (what === 'start' ? startMs : memoryMb)));
        const ratio = of('production') / of('tsx');
        const unit = what === 'start' ? 'ms' : 'MB';
        const verdict = ratio <= TARGET[what] ? 'met' : 'MISSED';
        print(
          `${part}, ${what}: tsx ${of('tsx').toFixed(0)} ${unit}, production ${of('production').toFixed(0)} ${unit}, × ${ratio.toFixed(2)} (target ≤ ${TARGET[what]}: ${verdict})`,
        );
        passed &&= ratio <= TARGET[what];
      }
    }
    return passed;
  } finally {
    await redis?.stop();
    await postgres.remove();
  }
}

async function measure(way: Way, part: Part, env: NodeJS.ProcessEnv, restMs: number): Promise<Sample> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, COMMANDS[way][part], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      ...env,
      PORT: String(await freePort()),
      ...(way === 'production' ? { NODE_ENV: 'production' } : {}),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(child, 'close');
  try {
    await said(child, SAYS[part]);
    const startMs = performance.now() - startedAt;
    await sleep(restMs);
    return { startMs, memoryMb: await residentMb(child.pid ?? 0) };
  } finally {
    child.kill('SIGTERM');
    await gone;
  }
}

async function said(child: ChildProcess, words: string): Promise<void> {
  let output = '';
  // Goes on reading: a pipe that nobody reads would hold the process up.
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      output += String(chunk);
      if (output.includes(words)) resolve();
    });
    child.once('close', () => reject(new Error(`it ended: ${output}`)));
  });
}

/** Resident memory of a process and all below it, in MB. */
async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const own = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1_024;
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8')),
  );
  const children = lists.join(' ').trim().split(/\s+/).filter(Boolean).map(Number);
  const below = await Promise.all(children.map(residentMb));
  return own + below.reduce((sum, one) => sum + one, 0);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
