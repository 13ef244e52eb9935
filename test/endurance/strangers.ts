import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BEARER } from '../support/deployment.js';
import { flood } from '../support/flood.js';
import { startOwnPostgres } from '../support/ownPostgres.js';
import { startApiProcess, startWorkerProcess } from '../support/processes.js';
import { quantile } from '../support/quantiles.js';
import { startCrowd } from '../support/startCrowd.js';
import { waitFor } from '../support/waitFor.js';

export const ABOUT =
  'strangers without a key: 200 pollers without pause beside a dashboard, and bursts of pipelined reads';
export const OPTIONS = '--seconds N of each measurement (20), --meters N (2500)';

const TENANT = 'DEMO_TENANT';
const QUICKCHECK = `/api/ami/kpi/quickcheck?tenantId=${TENANT}`;
const STATUS = `/api/ami/status?tenantId=${TENANT}`;
/** What the issue of strangers' load asks for; ratios are taken within one run. */
const TARGET = { p99: 3, memory: 1.5, healthMs: 100 };
const POLLERS = 200;
const POLL_EVERY_MS = 1_000;

type Print = (line: string) => void;

export async function run(args: string[], print: Print): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: 'string', default: '20' }, meters: { type: 'string', default: '2500' } },
  });
  const ms = Number(values.seconds) * 1_000;
  const postgres = await startOwnPostgres();
  const env = { DATABASE_URL: postgres.url, ANSWER_BUDGET_FACTOR: '1' };
  const worker = await startWorkerProcess(env);
  let passed = true;
  try {
    const first = await startApiProcess(env);
    await publish(first.url, Number(values.meters));
    await worker.kill('SIGTERM');
    passed = (await pollersBeside(first.url, ms, print)) && passed;
    await first.kill('SIGKILL');
    for (const [sockets, each] of [
      [1, 5_000],
      [1, 20_000],
      [1, 100_000],
      [50, 2_000],
    ] as const) {
      const api = await startApiProcess(env);
      passed = (await burst(api.url, api.child.pid as number, sockets, each, ms, print)) && passed;
      await api.kill('SIGKILL');
    }
    return passed;
  } finally {
    await worker.kill('SIGKILL');
    await postgres.remove();
  }
}

async function publish(url: string, meterCount: number): Promise<void> {
  const answer = await fetch(`${url}/api/ami/publish-once`, {
    method: 'POST',
    headers: { ...BEARER, 'Content-Type': 'application/json' },
    body: JSON.stringify({ tenantId: TENANT, meterCount, feederCount: 25 }),
  });
  const { publishId } = (await answer.json()) as { publishId: string };
  await waitFor('the publish', async () => {
    const progress = await fetch(`${url}/api/ami/publish/${publishId}`);
    return ((await progress.json()) as { state?: string; status?: string }).state === 'done';
  });
}

interface Polled {
  asked: number;
  answered: number;
  ms: number[];
}

/** Polls as a dashboard does, the next one when its time has come and the one before is over. */
async function pollAsDashboard(url: string, path: string, forMs: number): Promise<Polled> {
  const polled: Polled = { asked: 0, answered: 0, ms: [] };
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    const from = performance.now();
    polled.asked += 1;
    const ok = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(10_000) }).then(
      async (answer) => answer.ok && (await answer.text()).length > 0,
      () => false,
    );
    const took = performance.now() - from;
    if (ok) polled.answered += 1;
    polled.ms.push(took);
    await sleep(Math.max(0, POLL_EVERY_MS - took));
  }
  return polled;
}

async function pollersBeside(url: string, ms: number, print: Print): Promise<boolean> {
  await pollAsDashboard(url, QUICKCHECK, 1_500);
  const without = await startCrowd(url, { pollers: 1, path: QUICKCHECK });
  await sleep(1_000);
  await without.stop();
  const alone = await pollAsDashboard(url, QUICKCHECK, ms);
  let passed = true;
  for (const [what, path, addresses] of [
    ['the same question, one address', QUICKCHECK, 1],
    ['the same question, 200 addresses', QUICKCHECK, POLLERS],
    ['each time another question, 200 addresses', '/api/ami/kpi/quickcheck?tenantId=T_{n}', POLLERS],
  ] as const) {
    const crowd = await startCrowd(url, { pollers: POLLERS, path, addresses });
    // The crowd stays for ever: what counts is not the first seconds, in which V8 compiles what has become hot.
    await sleep(15_000);
    const before = await crowd.counts();
    const [polled, status] = await Promise.all([
      pollAsDashboard(url, QUICKCHECK, ms),
      pollAsDashboard(url, STATUS, ms),
    ]);
    const after = await crowd.counts();
    await crowd.stop();
    await sleep(500);
    const per = (code: string): string =>
      `${Math.round(((after[code] ?? 0) - (before[code] ?? 0)) / (ms / 1_000))}/s`;
    const ratio = quantile(polled.ms, 0.99) / quantile(alone.ms, 0.99);
    print(
      `${POLLERS} pollers without pause, ${what}: dashboard ${polled.answered} of ${polled.asked}, status ${status.answered} of ${status.asked}; ` +
        `p50 ${quantile(polled.ms, 0.5).toFixed(1)} ms (alone ${quantile(alone.ms, 0.5).toFixed(1)}), ` +
        `p99 ${quantile(polled.ms, 0.99).toFixed(1)} ms (alone ${quantile(alone.ms, 0.99).toFixed(1)}), × ${ratio.toFixed(1)} (target ≤ ${TARGET.p99}); ` +
        `pollers got ${Object.keys(after)
          .map((code) => `${code}: ${per(code)}`)
          .join(', ')}`,
    );
    passed =
      passed && polled.answered === polled.asked && status.answered === status.asked && ratio <= TARGET.p99;
  }
  return passed;
}

async function burst(
  url: string,
  pid: number,
  sockets: number,
  each: number,
  ms: number,
  print: Print,
): Promise<boolean> {
  await pollAsDashboard(url, QUICKCHECK, 2_000);
  const { memory, slowest, answered } = await flood(url, pid, { sockets, each, path: QUICKCHECK, ms });
  const ratio = memory.most / memory.before;
  print(
    `${sockets} × ${each} pipelined reads: memory ${memory.before.toFixed(0)} → ${memory.most.toFixed(0)} MB, × ${ratio.toFixed(2)} (target ≤ ${TARGET.memory}); ` +
      `slowest /healthz ${slowest.toFixed(0)} ms (target ≤ ${TARGET.healthMs}); ${answered} answered in ${ms / 1_000} s`,
  );
  return ratio <= TARGET.memory && slowest <= TARGET.healthMs;
}
