import { describe, expect, it } from 'vitest';
import { readCmep } from '../../src/intervalFiles/cmep/cmep.js';
import { UnreadableFileError } from '../../src/intervalFiles/intervalFiles.js';
import { inPieces, sumOf, type WholeFile, wholeOf } from './totals.js';

const read = (text: string, zone = 'America/Los_Angeles'): Promise<WholeFile> =>
  wholeOf(readCmep(inPieces(text, 40), zone));

/** Triples of stamp, code and value behind the fourteen fields. */
const record = (units: string, length: string, values: string[], commodity = 'E'): string =>
  [
    'MEPMD01',
    '20080501',
    'UTIL',
    '',
    'VEND',
    '',
    '202611021515',
    'M0007',
    'OK',
    commodity,
    units,
    '1',
    length,
  ]
    .concat(String(values.length / 3), values)
    .join(',');

describe('CMEP', () => {
  it('takes stamps for the ends of intervals on the clock of the zone, and fills in those left out', async () => {
    const text = `${record('KWH', '00000100', ['202607010800', '', '19.5', '', 'E', '20', '', 'R0', '.5'])}\r\n`;
    const { reads, refusals } = await read(text);
    expect(refusals).toEqual([]);
    expect(
      reads.map(({ startMs, kwh, quality }) => [new Date(startMs).toISOString(), kwh, quality.kind]),
    ).toEqual([
      ['2026-07-01T14:00:00.000Z', '19.5', 'validated'],
      ['2026-07-01T15:00:00.000Z', '20', 'estimated'],
      ['2026-07-01T16:00:00.000Z', '0.5', 'raw'],
    ]);
  });

  it('follows the repeated hour by the value before it', async () => {
    const stamps = ['202611010100', '202611010100', '202611010200'];
    const text = `${record('KWH', '00000100', ['202611010000', '', '1', ...stamps.flatMap((at) => [at, '', '1'])])}\n`;
    const { reads, refusals } = await read(text);
    expect(refusals).toEqual([]);
    expect(reads.map(({ startMs }) => new Date(startMs).toISOString().slice(11, 13))).toEqual([
      '06',
      '07',
      '08',
      '09',
    ]);
  });

  it('refuses a time that the clocks show twice where nothing before it tells which', async () => {
    const { reads, refusals } = await read(`${record('KWH', '00000015', ['202611010130', '', '1'])}\n`);
    expect([reads.length, refusals.length]).toEqual([0, 1]);
  });

  it('leaves registers, reactive energy and gas with their counts', async () => {
    const others = [
      record('KWHREG', '00000015', ['202607010800', '', '1']),
      record('KVARH', '00000015', ['202607010800', '', '1']),
    ];
    const gas = record('KWH', '00000015', ['202607010800', '', '1'], 'G');
    const { reads, left } = await read(`${[...others, gas].join('\n')}\n`);
    expect(reads).toEqual([]);
    expect(left).toEqual({ 'KWHREG (commodity E)': 1, 'KVARH (commodity E)': 1, 'KWH (commodity G)': 1 });
  });

  it.each([
    [
      'a count that is not that of its values',
      record('KWH', '00000015', ['202607010800', '', '1']).replace(',1,20', ',2,20'),
    ],
    [
      'a constant to multiply by',
      record('KWH', '00000015', ['202607010800', '', '1']).replace('KWH,1', 'KWH,40'),
    ],
    ['a length that it does not know', record('KWH', '15', ['202607010800', '', '1'])],
    ['a negative value', record('KWH', '00000015', ['202607010800', '', '-1'])],
    ['a time that goes back', record('KWH', '00000015', ['202607010800', 'N', '', '202607010700', '', '1'])],
  ])('refuses a record with %s, and reads the others', async (_what, bad) => {
    const { reads, refusals } = await read(
      `${bad}\n${record('KWH', '00000015', ['202607010800', '', '2'])}\n`,
    );
    expect(sumOf(reads)).toBe('2.000');
    expect(refusals.map(({ line }) => line)).toEqual([1]);
  });

  it('refuses a last record that may be cut off, and a file of something else', async () => {
    const whole = record('KWH', '00000015', ['202607010800', '', '25']);
    expect((await read(whole)).refusals).toHaveLength(1);
    await expect(read('meter,kwh\n1,2\n')).rejects.toBeInstanceOf(UnreadableFileError);
  });
});
