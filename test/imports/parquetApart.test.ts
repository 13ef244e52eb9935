import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PARQUET_READER, ParquetProcess, readParquetApart } from '../../src/imports/parquetApart.js';
import { type FileRead, UnreadableFileError } from '../../src/intervalFiles/intervalFiles.js';
import { randomOf } from '../intervalFiles/mutations.js';
import { parquetOf, series } from '../intervalFiles/outgoing.js';
import { wholeOf } from '../intervalFiles/totals.js';
import { waitFor } from '../support/waitFor.js';

/** `FUZZ_RUNS=10000` is the long form: some of those files would keep a reader busy for ever. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 140);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gridlens-parquet-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function kept(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const DAY = [
  series('2026-03-01T00:00:00Z', '2026-03-01T12:00:00Z', { meterId: 'A', receivedKwh: '0.5' }),
  series('2026-03-01T00:00:00Z', '2026-03-01T12:00:00Z', { meterId: 'B' }),
];

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** A reader that answers nothing, as one that is busy for ever. */
const SILENT = 'process.on("message", () => setInterval(() => undefined, 1_000));';
const BROKEN_OFF = 'process.on("message", () => process.exit(7));';

describe('Parquet that is read by a process of its own', () => {
  it('has the same reads, group by group, and leaves no process behind', async () => {
    const reads = series('2026-01-01T00:00:00Z', '2026-08-01T00:00:00Z', { meterId: 'A' });
    const path = await kept('whole.parquet', parquetOf([[reads], [reads]]));
    const reader = new ParquetProcess();
    const groups: number[] = [];
    for await (const batch of reader.read(path)) groups.push(batch.reads.length);
    expect([groups.length, groups.reduce((sum, count) => sum + count, 0)]).toEqual([3, 2 * reads.length]);
    expect((await wholeOf(reader.read(path, 'feeder_id'))).reads[0]?.feederId).toBe('FEEDER_1');
    reader.end();
    await waitFor('the reader to be gone', async () => !isThere(reader.pid as number));
  });

  it('ends with whoever asks no further', async () => {
    const reads = series('2026-01-01T00:00:00Z', '2026-08-01T00:00:00Z', { meterId: 'A' });
    const path = await kept('two.parquet', parquetOf([[reads], [reads]]));
    for await (const { reads: some } of readParquetApart(path)) {
      expect(some).toHaveLength(20_000);
      break;
    }
  });

  it('is refused with the same sentence as without it', async () => {
    const reading = wholeOf(readParquetApart(await kept('beginning.parquet', 'PAR1')));
    await expect(reading).rejects.toThrow(UnreadableFileError);
    await expect(reading).rejects.toThrow('it has only a beginning');
  });

  it.each([
    ['answers nothing', SILENT, 300, 'nothing more came of it for 0.3 s'],
    ['breaks off', BROKEN_OFF, 60_000, 'the reader broke off'],
  ])(
    'is refused, and the process ended, where its reader %s',
    async (_, program, answersWithinMs, sentence) => {
      const path = await kept('reader.mjs', program);
      const reader = new ParquetProcess({ program: path, answersWithinMs });
      const reading = wholeOf(reader.read('any.parquet'));
      await expect(reading).rejects.toThrow(UnreadableFileError);
      await expect(reading).rejects.toThrow(sentence);
      await waitFor('the reader to be gone', async () => !isThere(reader.pid as number));
      await expect(wholeOf(reader.read('any.parquet'))).rejects.toThrow(UnreadableFileError);
    },
  );

  it('fails, and blames no file, where its reader cannot be started', async () => {
    const path = join(folder, 'away.parquet');
    await expect(wholeOf(readParquetApart(path))).rejects.not.toThrow(UnreadableFileError);
  });

  it(`has the right sums or is refused, of ${RUNS} files that were changed by chance`, {
    timeout: 60_000 + RUNS * 200,
  }, async () => {
    const file = parquetOf([DAY]);
    let reader = new ParquetProcess({ ...PARQUET_READER, answersWithinMs: 5_000 });
    const readBack = async (content: Buffer) => wholeOf(reader.read(await kept('changed.parquet', content)));
    const whole = sumOf((await readBack(file)).reads);
    const random = randomOf('parquet');
    let refused = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const changed = Buffer.from(file);
      const changes = 1 + Math.floor(random() * 4);
      for (let change = 0; change < changes; change += 1)
        changed[Math.floor(random() * changed.length)] = Math.floor(random() * 256);
      const cut = random() < 0.2 ? changed.subarray(0, Math.floor(random() * changed.length)) : changed;
      try {
        const { reads, refusals } = await readBack(cut);
        // Rows that are refused are told; what is read beside them has its place in the sums of the file.
        if (refusals.length === 0) expect(sumOf(reads), `run ${run}`).toBe(whole);
      } catch (error) {
        if (!(error instanceof UnreadableFileError)) throw new Error(`run ${run}`, { cause: error });
        refused += 1;
        if (reader.hasEnded) {
          reader = new ParquetProcess({ ...PARQUET_READER, answersWithinMs: 5_000 });
        }
      }
    }
    reader.end();
    expect(refused).toBeGreaterThan(0);
  });
});

function sumOf(reads: readonly FileRead[]): string {
  const micros = reads.map(
    ({ channel, kwh }) => (channel === 'kwh' ? 1 : 1_000) * Math.round(Number(kwh) * 1e6),
  );
  return String(micros.reduce((sum, one) => sum + one, 0));
}
