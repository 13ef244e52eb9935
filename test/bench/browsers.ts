import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { prepareStorage } from '../../src/process/context.js';
import { writeHistory } from '../support/history.js';
import { openPool } from '../support/openPool.js';
import { median, quantile } from '../support/quantiles.js';
import { type BenchPostgres, databaseBeside } from './benchPostgres.js';
import type { Row } from './report.js';
import { serveCheckout } from './servedCheckout.js';
import { simulateBrowser } from './simulatedBrowser.js';

const HERE = fileURLToPath(new URL('../../', import.meta.url));
const WORKER = fileURLToPath(new URL('./tickingWorker.ts', import.meta.url));
const TENANT = 'WATCHED';
const BROWSERS = 200;
/** A fifth of a full tenant every four seconds: half of the read limit, all the time. */
const METERS = 5_000;
const QUARTER_HOUR = 900_000;
/** What the page shows is the last day: so much of it is there before, and the ticks of three minutes fill the rest. */
const DAY = 96;
const BEFORE = 44;
/** Before anything counts, until all browsers have loaded their page. */
const WARM_UP_MS = 6_000;
/** Of the one browser there are few answers, so it is watched for longer. */
const ALONE_FACTOR = 2;

interface Watched {
  quickchecks: number[];
  lateness: number[];
  refused: number;
  asked: number;
}

/** 200 browsers with the overview open against one, on one API process, while ticks write an interval every four seconds. */
export async function browserRows(postgres: BenchPostgres, seconds: number): Promise<Row[]> {
  const { url, drop } = await databaseBeside(postgres, 'browsers');
  await prepareStorage(url, true, pino({ level: 'silent' }));
  const from = Math.floor(Date.now() / QUARTER_HOUR) * QUARTER_HOUR - DAY * QUARTER_HOUR;
  const pool = openPool({ connectionString: url, max: 8 });
  await writeHistory(pool, {
    ...{ tenantId: TENANT, meterCount: METERS, feederCount: 25, from: new Date(from), quarterHours: BEFORE },
  });
  await pool.end();
  const api = await serveCheckout(HERE, url);
  const worker = fork(WORKER, [url, TENANT, String(METERS), String(from + BEFORE * QUARTER_HOUR)], {
    execArgv: ['--import', 'tsx'],
  });
  const late: number[] = [];
  worker.on('message', (ms) => late.push(Number(ms)));
  const exited = once(worker, 'exit');
  try {
    await Promise.race([
      once(worker, 'message'),
      exited.then(() => {
        throw new Error('the worker did not start');
      }),
    ]);
    const one = await watch(api.port, 1, seconds * ALONE_FACTOR, late);
    const many = await watch(api.port, BROWSERS, seconds, late);
    return rowsOf(one, many);
  } finally {
    worker.disconnect();
    await exited;
    await api.stop();
    await drop();
  }
}

async function watch(port: number, count: number, seconds: number, late: number[]): Promise<Watched> {
  const browsers: ReturnType<typeof simulateBrowser>[] = [];
  for (let opened = 0; opened < count; opened += 1) {
    browsers.push(simulateBrowser(port, TENANT));
    await sleep(WARM_UP_MS / 2 / count);
  }
  await sleep(WARM_UP_MS / 2);
  for (const { quickchecks } of browsers) quickchecks.length = 0;
  late.length = 0;
  await sleep(seconds * 1_000);
  const lateness = [...late];
  const quickchecks = browsers.flatMap((one) => one.quickchecks);
  await Promise.all(browsers.map((one) => one.stop()));
  const statuses = browsers.flatMap((one) => Object.entries(one.statuses));
  const sum = (some: typeof statuses): number => some.reduce((total, [, times]) => total + times, 0);
  return {
    quickchecks,
    lateness,
    asked: sum(statuses),
    refused: sum(statuses.filter(([status]) => Number(status) >= 400)),
  };
}

function rowsOf(one: Watched, many: Watched): Row[] {
  const p99 = ({ quickchecks }: Watched): number => quantile(quickchecks, 0.99);
  const late = ({ lateness }: Watched): string =>
    `p50 ${median(lateness).toFixed(0)}, at most ${Math.max(...lateness).toFixed(0)} ms`;
  return [
    {
      what: `quickcheck for ${BROWSERS} browsers against one (${many.asked} requests, ${many.refused} refused)`,
      measured: `p99 ${p99(many).toFixed(0)} against ${p99(one).toFixed(0)} ms, p50 ${median(many.quickchecks).toFixed(1)} against ${median(one.quickchecks).toFixed(1)} ms`,
      ratio: (p99(many) / p99(one)).toFixed(2),
      target: 'p99 ≤ 250 ms',
    },
    {
      what: `lateness of ${many.lateness.length} ticks beside ${BROWSERS} browsers against ${one.lateness.length} beside one`,
      measured: `${late(many)} against ${late(one)}`,
      ratio: (median(many.lateness) / median(one.lateness)).toFixed(2),
      target: '',
    },
  ];
}
