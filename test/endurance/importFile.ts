import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type pg from 'pg';
import { MAX_READS_PER_SECOND } from '../../src/contracts/limits.js';
import { benchPostgres } from '../bench/benchPostgres.js';
import { thousands } from '../bench/report.js';
import { programArguments } from '../support/compiledSources.js';
import { noteForGuardian } from '../support/guardian.js';
import { peakMemoryOf } from '../support/memoryOf.js';
import { openPool } from '../support/openPool.js';
import { type ProductProcess, startWorkerProcess } from '../support/processes.js';
import { startOwnRedis } from '../support/redisServer.js';
import { waitFor } from '../support/waitFor.js';

export const ABOUT =
  'a large CSV file at the read limit, with kill -9 of the importer and of the worker on the way';
export const OPTIONS = '[--reads 10000000] [--meters 2500] [--redis]';

const TENANT = 'LARGE_IMPORT';
const QUARTER_HOUR_MS = 900_000;
/** How much of the limit the import has to reach while its worker runs, and how large a process may become. */
const TARGET = { share: 0.95, mebibytes: 250 };
/** How long a worker that was killed stays away. */
const AWAY_MS = 5_000;

/** What the file's columns mean, with nothing left open. */
const MAPPING = `layout: long
delimiter: ","
decimalMark: "."
meterColumn: meter
timestampColumn: start
dateOrder: ymd
zone: UTC
stamp: start
repeatedHour: refuse
minutes: 15
values:
  - { column: kwh, channel: kwh, unit: kWh }
`;

/** Energy of read `index`, in tenths of a Wh: an own figure for each, so that a lost or doubled read shows in the sum. */
const tenthsOfWh = (index: number): number => 100 + ((index * 7_919) % 9_973);

/** The file, quarter hour after quarter hour; resolves to the sum of its energy, tenths of a Wh. */
async function writeReads(path: string, reads: number, meters: number): Promise<number> {
  const last = Math.floor(Date.now() / QUARTER_HOUR_MS) * QUARTER_HOUR_MS;
  const first = last - Math.ceil(reads / meters) * QUARTER_HOUR_MS;
  let sum = 0;
  function* lines(): Generator<string> {
    yield 'meter,start,kwh\n';
    for (let from = 0; from < reads; from += meters) {
      const at = new Date(first + (from / meters) * QUARTER_HOUR_MS).toISOString();
      let text = '';
      for (let index = from; index < Math.min(reads, from + meters); index += 1) {
        const tenths = tenthsOfWh(index);
        sum += tenths;
        text += `L${index - from},${at},${(tenths / 10_000).toFixed(4)}\n`;
      }
      yield text;
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(path));
  return sum;
}

/** The most memory that processes had, MiB, by what they are; looked up every half second. */
function watchMemory() {
  const most = new Map<string, number>();
  const watched = new Map<number, string>();
  const timer = setInterval(() => {
    for (const [pid, what] of watched) most.set(what, Math.max(most.get(what) ?? 0, peakMemoryOf(pid)));
  }, 500);
  return {
    add: ({ pid }: ChildProcess, what: string) => watched.set(pid as number, what),
    most: () => [...most],
    stop: () => clearInterval(timer),
  };
}

interface ImportRow {
  state: string;
  reads: number;
  written: number;
}

/** The newest import, and how many of its reads have arrived, by the ledger. */
async function importOf(pool: pg.Pool): Promise<ImportRow | undefined> {
  const { rows } = await pool.query<ImportRow>(
    `SELECT import.state, import.reads::float AS reads,
       (SELECT coalesce(sum(inserted), 0)::float FROM ami_publish_batches WHERE tenant_id = $1) AS written
     FROM ami_imports AS import WHERE import.tenant_id = $1 ORDER BY import.import_id DESC LIMIT 1`,
    [TENANT],
  );
  return rows[0];
}

/** Of the table and of the daily rollups: reads, and their energy in tenths of a Wh. */
async function countedReads(pool: pg.Pool) {
  const { rows } = await pool.query<Record<'reads' | 'sum' | 'dayReads' | 'daySum', number>>(
    `SELECT count(*)::float AS reads, (sum(kwh) * 10000)::float AS sum,
       (SELECT sum(reads)::float FROM ami_feeder_days WHERE tenant_id = $1) AS "dayReads",
       (SELECT (sum(kwh) * 10000)::float FROM ami_feeder_days WHERE tenant_id = $1) AS "daySum"
     FROM meter_reads_electric WHERE tenant_id = $1`,
    [TENANT],
  );
  return rows[0] as (typeof rows)[number];
}

/** The command as users run it, without waiting for the workers; killed with the run if that is ended. */
function startImporter(path: string, mapping: string, databaseUrl: string): ChildProcess {
  const args = [path, '--tenant', TENANT, '--mapping', mapping, '--register', '--feeder', 'FEEDER_1'];
  const child = spawn(process.execPath, [...programArguments('commands/import'), ...args, '--no-wait'], {
    env: { PATH: process.env.PATH ?? '', DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  noteForGuardian(child);
  return child;
}

/** A worker that is killed and started again, and how long it has been up. */
async function startWorker(env: Record<string, string>, watch: (child: ChildProcess) => void) {
  let worker: ProductProcess = await startWorkerProcess(env);
  watch(worker.child);
  let since = performance.now();
  let upMs = 0;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    upMs += performance.now() - since;
    await worker.kill(signal);
  };
  return {
    async killAndRestart(): Promise<void> {
      await end('SIGKILL');
      await sleep(AWAY_MS);
      worker = await startWorkerProcess(env);
      watch(worker.child);
      since = performance.now();
    },
    upSeconds: () => (upMs + performance.now() - since) / 1000,
    stop: () => end('SIGTERM'),
  };
}

export async function run(args: string[], print: (line: string) => void): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: {
      reads: { type: 'string', default: '10000000' },
      meters: { type: 'string', default: '2500' },
      redis: { type: 'boolean', default: false },
    },
  });
  const wanted = Number(values.reads);
  const redis = values.redis ? await startOwnRedis() : undefined;
  if (values.redis && !redis) throw new Error('there is no redis-server or valkey-server on the PATH');
  const postgres = await benchPostgres();
  const pool = openPool({ connectionString: postgres.url, max: 2 });
  const folder = await mkdtemp(join(tmpdir(), 'gridlens-large-import-'));
  const memory = watchMemory();
  const env = { DATABASE_URL: postgres.url, ...(redis ? { REDIS_URL: redis.url } : {}) };
  try {
    const path = join(folder, 'reads.csv');
    const mapping = join(folder, 'mapping.yaml');
    await writeFile(mapping, MAPPING);
    const sum = await writeReads(path, wanted, Number(values.meters));
    print(
      `${thousands(wanted)} reads of ${values.meters} meters, ${Math.round((await stat(path)).size / 2 ** 20)} MiB of CSV, queue in ${redis ? 'Redis' : 'Postgres'}; ${Math.round(wanted / MAX_READS_PER_SECOND)} s at the limit`,
    );
    const worker = await startWorker(env, (child) => memory.add(child, 'worker'));

    const killed = startImporter(path, mapping, postgres.url);
    memory.add(killed, 'importer');
    await waitFor('the file to be read', async () => (await importOf(pool))?.state === 'reading');
    await sleep(Math.min(20_000, wanted / 500));
    killed.kill('SIGKILL');
    await once(killed, 'close');
    print(`importer killed with SIGKILL while it read: import ${(await importOf(pool))?.state}`);
    const from = performance.now();
    const importer = startImporter(path, mapping, postgres.url);
    memory.add(importer, 'importer');
    await once(importer, 'close');
    print(`the file was read anew in ${((performance.now() - from) / 1000).toFixed(0)} s`);

    const upBefore = worker.upSeconds();
    const before = (await importOf(pool))?.written ?? 0;
    const reaches = (share: number) =>
      waitFor(
        `${share * 100} % of the import`,
        async () => {
          await sleep(500);
          return ((await importOf(pool))?.written ?? 0) >= wanted * share;
        },
        (wanted / MAX_READS_PER_SECOND) * 2_000 + 120_000,
      );
    for (const share of [1 / 3, 2 / 3]) {
      await reaches(share);
      await worker.killAndRestart();
      print(`worker killed with SIGKILL and started again at ${Math.round(share * 100)} %`);
    }
    await reaches(1);
    const upSeconds = worker.upSeconds() - upBefore;
    const ended = await waitFor('the end of the import', async () => {
      const found = await importOf(pool);
      return found?.state !== 'writing' && found;
    });
    await worker.stop();

    const counted = await countedReads(pool);
    const isWhole =
      counted.reads === wanted &&
      counted.dayReads === wanted &&
      Math.round(counted.sum) === sum &&
      Math.round(counted.daySum) === sum;
    const share = (wanted - before) / upSeconds / MAX_READS_PER_SECOND;
    print(
      `state ${ended.state}: ${thousands(counted.reads)} reads, ${thousands(counted.dayReads)} in the daily rollups, energy ${isWhole ? 'as in the file' : `${counted.sum} and ${counted.daySum} instead of ${sum}`}`,
    );
    print(
      `${Math.round((wanted - before) / upSeconds)} reads/s over the ${upSeconds.toFixed(0)} s that a worker was up: ${share.toFixed(3)} of the limit (to be at least ${TARGET.share})`,
    );
    const most = memory.most();
    for (const [what, mebibytes] of most)
      print(`most memory of the ${what}: ${mebibytes.toFixed(0)} MiB (to be at most ${TARGET.mebibytes})`);
    const isSmall = most.every(([, mebibytes]) => mebibytes <= TARGET.mebibytes);
    return ended.state === 'done' && isWhole && share >= TARGET.share && isSmall;
  } finally {
    memory.stop();
    await pool.end();
    await postgres.stop();
    await redis?.stop();
    await rm(folder, { recursive: true });
  }
}
