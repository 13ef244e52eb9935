import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { peakMemoryOf } from '../support/memoryOf.js';
import { median } from '../support/quantiles.js';
import { type Emulated, FIRST, measureGeneration, measureWholeDays, SECOND, THIRD } from './generation.js';
import { type Row, thousands } from './report.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** DuckDB gets the rows of so many days, since they have to fit into memory. */
const DUCK_DAYS = 10;

/**
 * A data set of so many meters and days on two threads: reads a second against generation alone on one core and against DuckDB
 * writing the same rows from a table in memory with as many threads, bytes a read, and memory as the span grows.
 */
export async function datasetRows(meterCount: number, days: number, rounds: number): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-dataset-'));
  try {
    const made: Made[] = [];
    const generated: number[] = [];
    const duck: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await rm(join(folder, 'set'), { recursive: true, force: true });
      made.push(await makeSet(folder, meterCount, days));
      // The first measures a warm-up: cold, it makes half as many.
      measureGeneration(8);
      generated.push(measureGeneration(8));
      duck.push(await duckWrites(folder));
    }
    const longer = await makeSet(await mkdtemp(join(folder, 'longer-')), meterCount, 3 * days);
    const rate = median(made.map(({ perSecond }) => perSecond));
    const ratios = (other: readonly number[]): string =>
      median(made.map(({ perSecond }, round) => perSecond / (other[round] as number))).toFixed(2);
    const of = `${thousands(meterCount)} meters × ${days} days`;
    const [one] = made as [Made, ...Made[]];
    return [
      wholeDaysRow('model 1', FIRST, rounds),
      wholeDaysRow('model 2', SECOND, rounds),
      wholeDaysRow('model 3', THIRD, rounds),
      {
        what: `data set of ${of}, two threads, against generation alone on one core`,
        measured: `${thousands(rate)} against ${thousands(median(generated))} reads/s`,
        ratio: ratios(generated),
        target: '≥ 1.5',
      },
      {
        what: 'the same against DuckDB writing the same rows to Parquet zstd, two threads',
        measured: `${thousands(rate)} against ${thousands(median(duck))} reads/s`,
        ratio: ratios(duck),
        target: '≥ 0.8',
      },
      {
        what: 'bytes a read of reads/',
        measured: `${one.bytesPerRead.toFixed(2)} bytes`,
        ratio: (one.bytesPerRead / 6).toFixed(2),
        target: '≤ 6 bytes',
      },
      {
        what: `peak memory of ${of}, and of ${3 * days} days`,
        measured: `${thousands(one.peakMiB)} and ${thousands(longer.peakMiB)} MiB`,
        ratio: (longer.peakMiB / one.peakMiB).toFixed(2),
        target: '≤ 600 MiB, and ≤ 1.1 × that',
      },
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Whole days against read by read, in turns, after a round that warms both. */
function wholeDaysRow(name: string, emulated: Emulated, rounds: number): Row {
  const measured = Array.from({ length: rounds + 1 }, () => ({
    single: measureGeneration(8, emulated),
    whole: measureWholeDays(1, emulated),
  })).slice(1);
  const wholes = median(measured.map(({ whole }) => whole));
  return {
    what: `generation of whole days of ${name} against read by read, one core`,
    measured: `${thousands(wholes)} against ${thousands(median(measured.map(({ single }) => single)))} reads/s`,
    ratio: median(measured.map(({ whole, single }) => whole / single)).toFixed(2),
    target: '≥ 4',
  };
}

interface Made {
  perSecond: number;
  bytesPerRead: number;
  peakMiB: number;
}

async function makeSet(folder: string, meterCount: number, days: number): Promise<Made> {
  const file = join(folder, 'bench.yaml');
  await writeFile(
    file,
    `scenario: Bench\ntenantId: BENCH\nmeterCount: ${meterCount}\nspan: { from: 2026-03-02, days: ${days} }\n`,
  );
  const out = join(folder, 'set');
  const startedAt = performance.now();
  const program = [join(ROOT, 'dist/commands/dataset.js'), file, '--out', out, '--threads', '2', '--json'];
  const running = run(process.execPath, program, { cwd: ROOT });
  let peakMiB = 0;
  const looks = setInterval(() => {
    peakMiB = Math.max(peakMiB, peakMemoryOf(running.child.pid as number));
  }, 100);
  const { stdout } = await running.finally(() => clearInterval(looks));
  const seconds = (performance.now() - startedAt) / 1_000;
  const { reads } = (JSON.parse(stdout) as { counts: { reads: number } }).counts;
  const sizes = (await readdir(join(out, 'reads'), { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile(),
  );
  let bytes = 0;
  for (const entry of sizes) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  return { perSecond: reads / seconds, bytesPerRead: bytes / reads, peakMiB };
}

/** Reads a second of DuckDB's own writer, over the rows of the set in a table in memory. */
async function duckWrites(folder: string): Promise<number> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect();
  try {
    await connection.run(
      `CREATE TABLE reads AS SELECT * EXCLUDE (day) FROM read_parquet('${folder}/set/reads/**/*.parquet', hive_partitioning = true)
       WHERE day IN (SELECT DISTINCT day FROM read_parquet('${folder}/set/reads/**/*.parquet', hive_partitioning = true) ORDER BY day LIMIT ${DUCK_DAYS})`,
    );
    const [count] = (await connection.runAndReadAll('SELECT count(*)::double FROM reads')).getRows();
    const startedAt = performance.now();
    await connection.run(`COPY reads TO '${folder}/duck.parquet' (FORMAT parquet, COMPRESSION zstd)`);
    return Number(count?.[0]) / ((performance.now() - startedAt) / 1_000);
  } finally {
    connection.disconnectSync();
  }
}
