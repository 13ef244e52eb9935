import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { type FileBytes, type FileRead, UnreadableFileError } from '../../src/intervalFiles/intervalFiles.js';
import type { OutgoingRead, Piece } from '../../src/intervalFiles/outgoing.js';
import { readParquet } from '../../src/intervalFiles/parquet/readParquet.js';
import { parquetWriter } from '../../src/intervalFiles/parquet/writeParquet.js';
import { randomOf } from './mutations.js';
import { outgoing, series, US } from './outgoing.js';
import { type WholeFile, wholeOf } from './totals.js';

/** `FUZZ_RUNS=10000` is the long form. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 140);

function written(pages: readonly OutgoingRead[][][]): Buffer {
  const writer = parquetWriter();
  const pieces: Piece[] = [writer.begin(), ...pages.map((page) => writer.take(page)), writer.end()];
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece as Uint8Array)));
}

/** @param most the largest part that was asked for. */
function bytesOf(file: Buffer, most = { bytes: 0 }): FileBytes {
  return {
    byteLength: file.length,
    async slice(from, to = file.length) {
      most.bytes = Math.max(most.bytes, to - from);
      return new Uint8Array(file.subarray(from, to)).buffer;
    },
  };
}

const readBack = (file: Buffer, feederColumn?: string): Promise<WholeFile> =>
  wholeOf(readParquet(bytesOf(file), feederColumn));

describe('our own Parquet, read back', () => {
  it('has the same reads, of every quality, length and number of digits', async () => {
    const reads = [
      outgoing({ kwh: '0.1', receivedKwh: '123456789.000000000000000001' }),
      outgoing({ at: '2026-03-01T00:15:00Z', kwh: '0', quality: { kind: 'estimated', method: 'like-day' } }),
      outgoing({ at: '2026-03-01T00:30:00Z', kwh: null, receivedKwh: '7', minutes: 5 }),
      outgoing({ at: '1999-12-31T23:00:00.250Z', kwh: '12345678901234567890.5', minutes: 60 }),
    ];
    const { reads: found, refusals } = await readBack(written([[reads]]));
    expect(refusals).toEqual([]);
    const told = ({ startMs, channel, kwh, minutes, quality, line }: FileRead) =>
      [new Date(startMs).toISOString(), channel, kwh, minutes, quality, line] as const;
    expect(found.map(told)).toEqual([
      ['2026-03-01T00:00:00.000Z', 'kwh', '0.1', 15, { kind: 'raw' }, 1],
      ['2026-03-01T00:00:00.000Z', 'receivedKwh', '123456789.000000000000000001', 15, { kind: 'raw' }, 1],
      ['2026-03-01T00:15:00.000Z', 'kwh', '0', 15, { kind: 'estimated', method: 'like-day' }, 2],
      ['2026-03-01T00:30:00.000Z', 'receivedKwh', '7', 5, { kind: 'raw' }, 3],
      ['1999-12-31T23:00:00.250Z', 'kwh', '12345678901234567890.5', 60, { kind: 'raw' }, 4],
    ]);
  });

  it('comes group by group, in parts no larger than a column of a group', async () => {
    const meters = Array.from({ length: 12 }, (_, index) =>
      series('2026-03-01T00:00:00Z', '2026-05-01T00:00:00Z', { meterId: `M-${index}` }),
    );
    const file = written([meters]);
    const most = { bytes: 0 };
    const groups: number[] = [];
    for await (const { reads } of readParquet(bytesOf(file, most))) groups.push(reads.length);
    expect(groups.reduce((sum, count) => sum + count, 0)).toBe(meters.flat().length);
    expect(Math.max(...groups)).toBe(20_000);
    // The library looks for the end in a part of this size.
    expect(most.bytes).toBeLessThanOrEqual(Math.max(2 ** 19, file.length / groups.length));
  });

  it('has the feeders where they are wanted, and no other column of them', async () => {
    const file = written([[[outgoing({ feederId: 'F 7' })]]]);
    expect((await readBack(file)).reads.map(({ feederId }) => feederId)).toEqual([undefined]);
    expect((await readBack(file, 'feeder_id')).reads.map(({ feederId }) => feederId)).toEqual(['F 7']);
    await expect(readBack(file, 'quality')).rejects.toThrow('no column quality of feeders');
  });

  it('has no reads where it was written without any', async () => {
    expect((await readBack(written([]))).reads).toEqual([]);
  });

  it('refuses rows that our import cannot take, one by one', async () => {
    const startUs = Date.parse('2026-03-01T00:00:00Z') * US;
    const { reads, refusals } = await readBack(
      written([[[outgoing({ startUs: startUs + 1 }), outgoing({ kwh: '-1' }), outgoing({ minutes: 15 })]]]),
    );
    expect([reads.length, refusals.map(({ line }) => line)]).toEqual([1, [1, 2]]);
  });

  it.each<[string, () => Buffer, string]>([
    ['nothing but a beginning', () => Buffer.from('PAR1'), 'it has only a beginning'],
    [
      'a file that was cut off',
      () => written([[series('2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z')]]).subarray(0, 900),
      'its last bytes are not those of Parquet',
    ],
    [
      'anybody else’s',
      () => Buffer.from(parquetWriteBuffer({ columnData: [{ name: 'meter', data: ['A'], type: 'STRING' }] })),
      'its columns are not those of an export of GridLens',
    ],
    [
      'an end that announces gigabytes',
      () => Buffer.concat([Buffer.from('PAR1'), Buffer.from([0, 0, 0, 255]), Buffer.from('PAR1')]),
      'announces more than any of ours has',
    ],
  ])('refuses %s', async (_, make, sentence) => {
    const reading = readBack(make());
    await expect(reading).rejects.toThrow(UnreadableFileError);
    await expect(reading).rejects.toThrow(sentence);
  });

  it('refuses a page that announces more values than its group has rows, before it makes room for them', async () => {
    const file = written([[series('2026-03-01T00:00:00Z', '2026-03-03T00:00:00Z')]]);
    // The number of values in a page's header, 192 as a zigzag varint, becomes one of 2^27.
    const at = file.indexOf(Buffer.from([0x15, 0x80, 0x03]));
    expect(at).toBeGreaterThan(0);
    const lying = Buffer.concat([
      file.subarray(0, at),
      Buffer.from([0x15, 0xff, 0xff, 0xff, 0x7f]),
      file.subarray(at + 3),
    ]);
    await expect(readBack(lying)).rejects.toThrow(UnreadableFileError);
  });

  it(`has the right sums or is refused, of ${RUNS} files that were changed by chance`, async () => {
    const file = written([
      [
        series('2026-03-01T00:00:00Z', '2026-03-01T12:00:00Z', { meterId: 'A', receivedKwh: '0.5' }),
        series('2026-03-01T00:00:00Z', '2026-03-01T12:00:00Z', { meterId: 'B' }),
      ],
    ]);
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
      }
    }
    expect(refused).toBeGreaterThan(0);
  });
});

function sumOf(reads: readonly FileRead[]): string {
  const micros = reads.map(
    ({ channel, kwh }) => (channel === 'kwh' ? 1 : 1_000) * Math.round(Number(kwh) * 1e6),
  );
  return String(micros.reduce((sum, one) => sum + one, 0));
}
