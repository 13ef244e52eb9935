import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import type pg from 'pg';
import { prepareStorage } from '../../src/process/context.js';
import { createLogger } from '../../src/process/log.js';
import { openPool } from '../support/openPool.js';
import { median } from '../support/quantiles.js';
import { archiveRows } from './archiving.js';
import { type BenchPostgres, benchPostgres } from './benchPostgres.js';
import { browserRows } from './browsers.js';
import { datasetRows } from './datasets.js';
import { firstPaintRows } from './firstPaint.js';
import { measureGeneration, randomAccessRows } from './generation.js';
import { type HistorySize, historyRows, quickcheckAlone } from './history.js';
import { measurePacing } from './pacing.js';
import { parsingRows } from './parsing.js';
import { measureQueueCost } from './queueCost.js';
import { measureQueuedJobBytes } from './queueMemory.js';
import { type Row, thousands } from './report.js';
import { seriesRows } from './series.js';
import { veeRows } from './vee.js';
import { measureCopy, measureSingleRows, measureWorker, registeredFleet } from './writePath.js';

/**
 * `npm run bench`: every claim of speed as a ratio of things measured in this one run on this one machine. With
 * `-- --against=<folder of another checkout>` quickcheck is measured beside that build's, too, on the same database.
 */

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  process.stdout.write(`npm run bench [-- --quick] [-- --only=PART] [-- --against=FOLDER]

Measures ratios on this machine; a full run takes an hour and 15 GB, --quick some minutes. --against measures quickcheck
beside the build of another checkout, too. --only measures one part, quickcheck, browsers, paint, series,
generation, datasets, archive, vee or writes, and only prints it.\n`);
  process.exit(0);
}

const quick = process.argv.includes('--quick');
const against = process.argv
  .find((argument) => argument.startsWith('--against='))
  ?.slice('--against='.length);
/** Where a part measures: on the prepared database, or on one beside it. */
interface Bench {
  postgres: BenchPostgres;
  pool: pg.Pool;
  /** Fills the registry with a fleet as large as the synthetic one; answers its snapshot. */
  registered: () => Promise<string>;
}
/** Parts that can be measured alone. */
const PARTS: Record<string, (bench: Bench) => Promise<Row[]>> = {
  quickcheck: ({ postgres }) =>
    quickcheckAlone(postgres, against === undefined ? HISTORY : { ...HISTORY, against }),
  writes: async ({ pool, registered }) => writePathRows(pool, await registered()),
  series: ({ postgres }) => seriesRows(postgres, HISTORY.polls),
  browsers: ({ postgres }) => browserRows(postgres, quick ? 12 : 60),
  paint: ({ postgres }) => firstPaintRows(postgres, ROUNDS),
  generation: () => Promise.resolve(randomAccessRows(INSTANTS)),
  datasets: () => datasetRows(...DATASET),
  archive: ({ pool, postgres }) => archiveRows(pool, postgres.url, ARCHIVED, SLOTS),
  vee: ({ postgres }) => veeRows(postgres, VALIDATED, ROUNDS),
};
const onlyAt = process.argv.findIndex((argument) => /^--only(=|$)/.test(argument));
const only = process.argv[onlyAt]?.split('=')[1] ?? (onlyAt < 0 ? undefined : process.argv[onlyAt + 1]);
if (onlyAt >= 0 && PARTS[only ?? ''] === undefined) {
  process.stderr.write(`--only takes one of ${Object.keys(PARTS).join(', ')}.\n`);
  process.exit(1);
}
const INSTANTS = quick ? 20 : 100;
const ROUNDS = quick ? 3 : 7;
const SLOTS = quick ? 4 : 16;
/** A full run stores 72 M reads, which takes a quarter of an hour and 15 GB. */
const HISTORY: HistorySize = quick
  ? { meterCount: 2_500, days: [1, 3], polls: 50, rounds: 3, slots: 16 }
  : { meterCount: 25_000, days: [1, 10, 30], polls: 300, rounds: 7, slots: 12 };

/** Meters, days and rounds; the span is tripled for its memory. */
const DATASET: [number, number, number] = quick ? [5_000, 4, 2] : [25_000, 30, 3];

const VALIDATED = quick ? { wholeDays: 500, fleet: 2_500 } : { wholeDays: 2_500, fleet: 25_000 };
const ARCHIVED = quick ? 2_500 : 25_000;

async function writePathRows(pool: pg.Pool, registryFleet: string): Promise<Row[]> {
  const rates = {
    worker: [] as number[],
    registry: [] as number[],
    unrolled: [] as number[],
    bare: [] as number[],
    counted: [] as number[],
    single: [] as number[],
  };
  // In turn and back again, so that a machine that gets slower, or still writes back what the one before left,
  // does so for all of them.
  const ways = [
    async () => rates.bare.push(await measureCopy(pool, SLOTS, 'bench_bare')),
    async () => rates.worker.push(await measureWorker(pool, SLOTS)),
    async () => rates.registry.push(await measureWorker(pool, SLOTS, 'with', registryFleet)),
    async () => rates.unrolled.push(await measureWorker(pool, SLOTS, 'without')),
    async () => rates.counted.push(await measureCopy(pool, SLOTS, 'meter_reads_electric')),
  ];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const measure of round % 2 === 0 ? ways : ways.toReversed()) await measure();
  }
  for (let round = 0; round < ROUNDS; round += 1) rates.single.push(await measureSingleRows(pool, 2_000));
  const against = (other: readonly number[]) =>
    median(rates.worker.map((rate, round) => rate / (other[round] as number))).toFixed(2);
  const worker = thousands(median(rates.worker));
  const row = (what: string, other: readonly number[], target: string): Row => ({
    what: `write path against ${what}`,
    measured: `${worker} against ${thousands(median(other))} rows/s`,
    ratio: against(other),
    target,
  });
  return [
    row('COPY into the same table', rates.counted, '≥ 0.75'),
    row('COPY into a twin without rollups', rates.bare, ''),
    row('itself without rollups', rates.unrolled, '≥ 0.85'),
    row('one row a statement', rates.single, ''),
    {
      what: 'write path of a registry of 25,000 against the synthetic fleet',
      measured: `${thousands(median(rates.registry))} against ${worker} rows/s`,
      ratio: median(rates.registry.map((rate, round) => rate / (rates.worker[round] as number))).toFixed(2),
      target: '≥ 0.90',
    },
  ];
}

async function pacingRows(pool: pg.Pool): Promise<Row[]> {
  const rows: Row[] = [];
  for (const batchSize of [500, 100, 25]) {
    const { shareOfLimit, busiestSecond } = await measurePacing(pool, batchSize, quick ? 4 : 15);
    rows.push({
      what: `sustained pace at batchSize ${batchSize}, two workers`,
      measured: `busiest rolling second ${thousands(busiestSecond)} reads of ${thousands(2_500 + batchSize)}`,
      ratio: shareOfLimit.toFixed(3),
      target: '> 0.90',
    });
  }
  return rows;
}

/** What the queue in Postgres takes at the limit of 2,500 reads/s is between 5 jobs/s, of full batches, and 100, of 25 reads. */
async function queueCostRows(): Promise<Row[]> {
  const shares = await measureQueueCost([1, 5, 100], quick ? 5 : 20);
  return shares.map(({ rate, core }) => ({
    what: `queue in Postgres, ${rate} jobs/s that do nothing`,
    measured: `${(core * 100).toFixed(1)} % of a core`,
    ratio: core.toFixed(3),
    target: '',
  }));
}

async function measureAll(postgres: BenchPostgres): Promise<{ rows: Row[]; version: string }> {
  const part = PARTS[only ?? ''];
  const schema = await prepareStorage(postgres.url, false, createLogger('bench', 'silent'));
  const pool = openPool({ connectionString: postgres.url, max: 8 });
  const registered = () => registeredFleet(pool, schema.registry);
  try {
    const { rows: version } = await pool.query<{ version: string }>(
      `SELECT current_setting('server_version') AS version`,
    );
    if (part)
      return { rows: await part({ postgres, pool, registered }), version: version[0]?.version ?? '?' };
    const rows = await writePathRows(pool, await registered());
    measureGeneration(4);
    const generated = median(Array.from({ length: 5 }, () => measureGeneration(quick ? 8 : 40)));
    rows.push({
      what: 'generation alone, one core',
      measured: `${thousands(generated)} reads/s`,
      ratio: (generated / 1e6).toFixed(2),
      target: '≥ 1 M reads/s',
    });
    rows.push(
      ...randomAccessRows(INSTANTS),
      ...(await pacingRows(pool)),
      ...(await historyRows(postgres, against === undefined ? HISTORY : { ...HISTORY, against })),
      ...(await seriesRows(postgres, HISTORY.polls)),
      ...(await browserRows(postgres, quick ? 12 : 60)),
      ...(await firstPaintRows(postgres, ROUNDS)),
    );
    const bytes = await measureQueuedJobBytes(2_000);
    rows.push({
      what: 'Redis memory of a queued job',
      measured:
        bytes === undefined
          ? 'skipped: no redis-server or valkey-server on the PATH'
          : `${thousands(bytes)} bytes`,
      ratio: bytes === undefined ? '' : (bytes / 2_000).toFixed(2),
      target: '< 2,000 bytes',
    });
    rows.push(...(await queueCostRows()), ...(await parsingRows(quick ? 400_000 : 2_000_000, 3)));
    rows.push(
      ...(await datasetRows(...DATASET)),
      ...(await archiveRows(pool, postgres.url, ARCHIVED, SLOTS)),
      ...(await veeRows(postgres, VALIDATED, ROUNDS)),
    );
    return { rows, version: version[0]?.version ?? '?' };
  } finally {
    await pool.end();
  }
}

function report(rows: readonly Row[], version: string): string {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, Postgres ${version}`;
  const lines = rows.map((row) => `| ${row.what} | ${row.measured} | ${row.ratio} | ${row.target} |`);
  return [
    `Measured ${new Date().toISOString().slice(0, 10)} by \`npm run bench${quick ? ' -- --quick' : ''}\` on ${machine}.`,
    `Medians of ${ROUNDS} rounds in turn; Postgres with fsync on. Absolute rates depend on the machine, ratios much less.`,
    '',
    '| what | measured | ratio | target |',
    '|---|---|---|---|',
    ...lines,
    '',
  ].join('\n');
}

const postgres = await benchPostgres();
try {
  const { rows, version } = await measureAll(postgres);
  const text = report(rows, version);
  process.stdout.write(`\n${text}`);
  if (!quick && only === undefined) {
    const file = new URL('../../docs/benchmarks.md', import.meta.url);
    await writeFile(file, `# Benchmarks\n\n${text}`);
  }
} finally {
  await postgres.stop();
}
