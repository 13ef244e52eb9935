import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { STRETCHED_BUDGET } from './answerBudget.js';
import { programArguments } from './compiledSources.js';
import { API_KEY } from './deployment.js';
import { noteForGuardian } from './guardian.js';
import { freePort } from './redisServer.js';
import { waitFor } from './waitFor.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A process of the product, as `npm run api` or `npm run worker` would start it. */
export interface ProductProcess {
  child: ChildProcess;
  /** All it wrote, stdout and stderr. */
  output(): string;
  /** Its stdout as log objects. */
  logLines(): Record<string, unknown>[];
  /** Ends when it has ended. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/**
 * Starts `src/<entry>.ts` with an environment that holds nothing of this machine's but the PATH; with
 * TEST_CLOCK_FILE in it under that clock (shiftedClock.ts), with TEST_LOG_FILE in it with stdout appended to that file.
 */
export function startProcess(
  entry: 'index' | 'worker' | 'migrate',
  env: Record<string, string>,
): ProductProcess {
  const { TEST_LOG_FILE: logFile, ...given } = env;
  const stdout = logFile === undefined ? undefined : openSync(logFile, 'a');
  const child = spawn(process.execPath, programArguments(entry, env.TEST_CLOCK_FILE !== undefined), {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH ?? '',
      GRIDLENS_API_KEY: API_KEY,
      ...STRETCHED_BUDGET,
      // Under a clock of the test's the database's is another one by intent.
      ...(env.TEST_CLOCK_FILE === undefined ? {} : { CLOCK_TOLERANCE_SECONDS: '999999999' }),
      ...given,
    },
    stdio: ['ignore', stdout ?? 'pipe', 'pipe'],
  });
  if (stdout !== undefined) closeSync(stdout);
  noteForGuardian(child);
  let piped = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      piped += String(chunk);
    });
  }
  const output = (): string => (logFile === undefined ? piped : `${readFileSync(logFile, 'utf8')}${piped}`);
  const exited = once(child, 'close').then(() => ({ code: child.exitCode, signal: child.signalCode }));
  return {
    child,
    output,
    logLines: () =>
      output()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line)),
    exited,
    async kill(signal) {
      child.kill(signal);
      return exited;
    },
  };
}

/** So often another program takes the port between its choice and the start. */
const PORT_TRIES = 3;

/**
 * Starts an API process on a free port and waits until it answers. That it says itself that it listens is part of that:
 * on a port that another test's API has just taken, that one answers, and what is published would be in its database.
 */
export async function startApiProcess(
  env: Record<string, string>,
): Promise<ProductProcess & { url: string }> {
  for (let tries = 1; ; tries += 1) {
    const port = await freePort();
    const started = startProcess('index', { ...env, PORT: String(port) });
    const url = `http://127.0.0.1:${port}`;
    try {
      await waitFor(`the API on ${port}`, async () => {
        if (started.child.exitCode !== null) throw new Error(`the API ended: ${started.output()}`);
        const answered = await fetch(`${url}/healthz`).then(
          (answer) => answer.ok,
          () => false,
        );
        // A log file of the test's may be on a disk that is full.
        const saysSo = () => started.logLines().some(({ msg }) => msg === 'API listening');
        return answered && (env.TEST_LOG_FILE !== undefined || saysSo());
      });
      return { ...started, url };
    } catch (error) {
      if (tries === PORT_TRIES || !started.output().includes(`Port ${port} on`)) throw error;
    }
  }
}

/** Starts a worker process and waits until it takes jobs. */
export async function startWorkerProcess(env: Record<string, string>): Promise<ProductProcess> {
  const started = startProcess('worker', env);
  await waitFor('the worker', async () => {
    if (started.child.exitCode !== null) throw new Error(`the worker ended: ${started.output()}`);
    return started.output().includes('worker started');
  });
  return started;
}
