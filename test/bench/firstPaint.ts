import pino from 'pino';
import { composeApi } from '../../src/process/apiProcess.js';
import { loadConfig } from '../../src/process/config.js';
import { API_POOL, createContext, prepareStorage } from '../../src/process/context.js';
import { hasBrowser, type Visit, visit } from '../page/browser.js';
import { openPool } from '../support/openPool.js';
import { median } from '../support/quantiles.js';
import { waitFor } from '../support/waitFor.js';
import { type BenchPostgres, databaseBeside } from './benchPostgres.js';
import type { Row } from './report.js';
import { fillRollups } from './series.js';

const TENANT = 'MONTH';
const DAYS = 30;
const QUARTER_HOUR = 900_000;
const silent = pino({ level: 'silent' });

/** Of one load of the overview, by the browser's own clock, ms since the navigation began. */
interface Load {
  firstPaint: number;
  firstContent: number;
  largestContent: number;
  /** When the last byte of the matrix was there. */
  data: number;
  /** When the map with that data in it was drawn. */
  drawn: number;
  /** How long the drawing itself took. */
  drawing: number;
}

/** The overview of a month of 25,000 meters on 40 feeders in a real browser; each load in a profile that knows nothing. */
export async function firstPaintRows(postgres: BenchPostgres, rounds: number): Promise<Row[]> {
  if (!hasBrowser)
    return [{ what: 'first paint of the overview', measured: 'skipped: no chromium', ratio: '', target: '' }];
  const { url, drop } = await databaseBeside(postgres, 'paint');
  await prepareStorage(url, true, silent);
  const pool = openPool({ connectionString: url, max: 4 });
  try {
    const to = Math.floor(Date.now() / QUARTER_HOUR) * QUARTER_HOUR;
    await fillRollups(pool, TENANT, { from: new Date(to - DAYS * 86_400_000), days: DAYS });
    return await loadRows(url, rounds);
  } finally {
    await pool.end();
    await drop();
  }
}

async function loadRows(url: string, rounds: number): Promise<Row[]> {
  const env = { DATABASE_URL: url, GRIDLENS_API_KEY: 'bench-key-0123456789' };
  const config = loadConfig(env, { command: 'api', cwd: '/nonexistent' });
  const context = await createContext('api', config, API_POOL, { log: silent });
  const seen = await visit(composeApi(context));
  try {
    const loads: Load[] = [];
    for (let round = 0; round < rounds; round += 1) loads.push(await loadOnce(seen));
    return rowsOf(loads);
  } finally {
    await seen.close();
    await context.close();
  }
}

async function loadOnce(seen: Visit): Promise<Load> {
  const page = await seen.open(`/?tenant=${TENANT}&span=${DAYS}d`);
  // Not waitForFunction, whose polling the page's security policy refuses.
  await waitFor('the heat map', () => page.evaluate<boolean>(`(${isDrawn})()`));
  const load = (await page.evaluate(`(${timings})()`)) as Load;
  await page.context().close();
  return load;
}

/** In the page: whether the map has been drawn since the matrix came. */
const isDrawn = `() => {
  const matrix = performance.getEntriesByType('resource').find(({ name }) => name.includes('/kpi/feeders/intervals'));
  if (!matrix?.responseEnd || document.querySelectorAll('.heat-map-rows li').length === 0) return false;
  return performance.getEntriesByName('heat map drawn').some(({ startTime }) => startTime > matrix.responseEnd);
}`;

/** In the page: its own timings. */
const timings = `async () => {
  const paint = (name) => performance.getEntriesByName(name)[0]?.startTime ?? NaN;
  const largest = await new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime))
      .observe({ type: 'largest-contentful-paint', buffered: true });
    setTimeout(() => resolve(NaN), 2000);
  });
  const matrix = performance.getEntriesByType('resource').find(({ name }) => name.includes('/kpi/feeders/intervals'));
  const drawn = performance.getEntriesByName('heat map drawn').find(({ startTime }) => startTime > matrix.responseEnd);
  return {
    firstPaint: paint('first-paint'),
    firstContent: paint('first-contentful-paint'),
    largestContent: largest,
    data: matrix.responseEnd,
    drawn: drawn.startTime + drawn.duration,
    drawing: drawn.duration,
  };
}`;

function rowsOf(loads: readonly Load[]): Row[] {
  const of = (figure: (load: Load) => number): number => median(loads.map(figure));
  const most = (figure: (load: Load) => number): string => Math.max(...loads.map(figure)).toFixed(0);
  const content = ({ firstContent }: Load): number => firstContent;
  const toDrawn = ({ drawn, data }: Load): number => drawn - data;
  return [
    {
      what: `first paint of the overview of ${DAYS} days of 25,000 meters, ${loads.length} loads`,
      measured: `first content p50 ${of(content).toFixed(0)} ms, at most ${most(content)} ms; largest p50 ${of(({ largestContent }) => largestContent).toFixed(0)} ms`,
      ratio: '',
      target: '≤ 1,500 ms',
    },
    {
      what: 'a month of 40 feeders as a heat map, from its data to the last cell',
      measured: `p50 ${of(toDrawn).toFixed(0)} ms, at most ${most(toDrawn)} ms; of it drawing ${of(({ drawing }) => drawing).toFixed(0)} ms; the data after ${of(({ data }) => data).toFixed(0)} ms`,
      ratio: '',
      target: '≤ 500 ms',
    },
  ];
}
