import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { type FileBytes, type FileRead, UnreadableFileError } from '../../src/intervalFiles/intervalFiles.js';
import { readParquet } from '../../src/intervalFiles/parquet/readParquet.js';
import { outgoing, parquetOf, series, US } from './outgoing.js';
import { type WholeFile, wholeOf } from './totals.js';

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
    const { reads: found, refusals } = await readBack(parquetOf([[reads]]));
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
    const file = parquetOf([meters]);
    const most = { bytes: 0 };
    const groups: number[] = [];
    for await (const { reads } of readParquet(bytesOf(file, most))) groups.push(reads.length);
    expect(groups.reduce((sum, count) => sum + count, 0)).toBe(meters.flat().length);
    expect(Math.max(...groups)).toBe(20_000);
    // The library looks for the end in a part of this size.
    expect(most.bytes).toBeLessThanOrEqual(Math.max(2 ** 19, file.length / groups.length));
  });

  it('has the feeders where they are wanted, and no other column of them', async () => {
    const file = parquetOf([[[outgoing({ feederId: 'F 7' })]]]);
    expect((await readBack(file)).reads.map(({ feederId }) => feederId)).toEqual([undefined]);
    expect((await readBack(file, 'feeder_id')).reads.map(({ feederId }) => feederId)).toEqual(['F 7']);
    await expect(readBack(file, 'quality')).rejects.toThrow('no column quality of feeders');
  });

  it('has no reads where it was written without any', async () => {
    expect((await readBack(parquetOf([]))).reads).toEqual([]);
  });

  it('refuses rows that our import cannot take, one by one', async () => {
    const startUs = Date.parse('2026-03-01T00:00:00Z') * US;
    const { reads, refusals } = await readBack(
      parquetOf([[[outgoing({ startUs: startUs + 1 }), outgoing({ kwh: '-1' }), outgoing({ minutes: 15 })]]]),
    );
    expect([reads.length, refusals.map(({ line }) => line)]).toEqual([1, [1, 2]]);
  });

  it.each<[string, () => Buffer, string]>([
    ['nothing but a beginning', () => Buffer.from('PAR1'), 'it has only a beginning'],
    [
      'a file that was cut off',
      () => parquetOf([[series('2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z')]]).subarray(0, 900),
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
    const file = parquetOf([[series('2026-03-01T00:00:00Z', '2026-03-03T00:00:00Z')]]);
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
});
