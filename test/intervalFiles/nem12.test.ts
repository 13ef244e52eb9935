import { describe, expect, it } from 'vitest';
import { UnreadableFileError } from '../../src/intervalFiles/intervalFiles.js';
import { readNem12 } from '../../src/intervalFiles/nem12/nem12.js';
import { byDay, grouped, inPieces, sample, sumOf, type WholeFile, wholeOf } from './totals.js';

const nemDay = (startMs: number): string => new Date(startMs + 10 * 3_600_000).toISOString().slice(0, 10);
const read = (text: string): Promise<WholeFile> => wholeOf(readNem12(inPieces(text)));

const DAY = Array.from({ length: 48 }, () => '0.5').join(',');
const file = (...records: string[]): string =>
  ['100,NEM12,202604080600,MDP,RET', ...records, '900', ''].join('\r\n');
const register = (suffix: string, unit = 'kWh'): string =>
  `200,NMI0000001,E1B1,1,${suffix},N1,M1,${unit},30,`;

describe('NEM12', () => {
  it('reads quarter hours of three days with their qualities, the day that the clocks go back among them', async () => {
    const { reads, refusals, left } = await wholeOf(readNem12(sample('nem12-15min.csv')));
    expect(refusals).toEqual([]);
    expect(left).toEqual({ 'kVArh (K1)': 288 });
    const taken = reads.filter(({ channel }) => channel === 'kwh');
    const fedIn = reads.filter(({ channel }) => channel === 'receivedKwh');
    expect([taken.length, sumOf(taken)]).toEqual([288, '60.216']);
    expect(byDay(taken, nemDay)).toEqual({
      '2026-04-04': '19.540',
      '2026-04-05': '20.652',
      '2026-04-06': '20.024',
    });
    expect([fedIn.length, sumOf(fedIn)]).toEqual([288, '24.562']);
    expect(new Date(taken[0]?.startMs ?? 0).toISOString()).toBe('2026-04-03T14:00:00.000Z');
    expect(new Date(taken.at(-1)?.startMs ?? 0).toISOString()).toBe('2026-04-06T13:45:00.000Z');
    const methods = grouped(reads, ({ quality }) => quality.method ?? quality.kind);
    expect(Object.fromEntries([...methods].map(([name, of]) => [name, of.length]))).toEqual({
      validated: 280 + 96,
      S14: 8 + 96,
      F14: 96,
    });
  });

  it('reads five minutes, 288 on the day that the clocks go forward', async () => {
    const { reads } = await wholeOf(readNem12(sample('nem12-5min.csv')));
    expect(sumOf(reads.filter(({ channel }) => channel === 'kwh'))).toBe('19.548');
    expect(sumOf(reads.filter(({ channel }) => channel === 'receivedKwh'))).toBe('7.914');
    expect(new Set(reads.map(({ minutes }) => minutes))).toEqual(new Set([5]));
    expect(reads).toHaveLength(576);
  });

  it('keeps energy exact in any unit of energy, and leaves what is none with its count', async () => {
    const { reads, left } = await read(
      file(
        ...[register('E1', 'WH'), `300,20260131,${DAY.replaceAll('0.5', '125.25')},A,,,,`],
        ...[register('E2', 'mwh'), `300,20260131,${DAY.replaceAll('0.5', '0.0001')},A,,,,`],
        ...[register('Q1', 'kVArh'), `300,20260131,${DAY},A,,,,`],
      ),
    );
    expect(reads.filter(({ meterId }) => meterId === 'NMI0000001').map(({ kwh }) => kwh)[0]).toBe('0.12525');
    expect(reads.filter(({ meterId }) => meterId === 'NMI0000001-2').map(({ kwh }) => kwh)[0]).toBe('0.1');
    expect(left).toEqual({ 'kVArh (Q1)': 48 });
  });

  it('gives no read for a value that is missing (N), negative, empty or no number, and says which', async () => {
    const values = DAY.split(',');
    values[3] = '-0.1';
    values[4] = '';
    values[5] = '1e-3';
    const { reads, refusals } = await read(
      file(register('E1'), `300,20260131,${values.join(',')},A,,,,`, `300,20260201,${DAY},N,,,,`),
    );
    expect(reads).toHaveLength(45);
    expect(refusals.map(({ line, reason }) => [line, reason.slice(0, 17)])).toEqual([
      [3, 'value 4 is -0.1: '],
      [3, 'value 5 is empty:'],
      [3, 'value 6 is 1e-3: '],
    ]);
  });

  it.each([
    ['day without its quality in whole', `300,20260131,${DAY},V,,,,`, '400,1,40,A,,'],
    ['events with a gap', `300,20260131,${DAY},V,,,,`, '400,1,20,A,,', '400,22,48,A,,'],
    ['day with a value too few', `300,20260131,${DAY.slice(4)},A,,,,`.replace(/,+$/, '')],
    ['day that no month has', `300,20260230,${DAY},A,,,,`],
    ['quality that there is not', `300,20260131,${DAY},S,,,,`],
  ])('refuses a %s, and reads the others', async (_what, ...records) => {
    const { reads, refusals } = await read(file(register('E1'), ...records, `300,20260202,${DAY},A,,,,`));
    expect(reads).toHaveLength(48);
    expect(refusals.length).toBeGreaterThan(0);
    expect([3, 5]).toContain(refusals[0]?.line);
  });

  it.each([
    ['is cut off', file(register('E1'), `300,20260131,${DAY},A,,,,`).replace('900\r\n', '')],
    ['begins with something else', `200,NMI\n${file()}`],
    ['is NEM13', file().replace('NEM12', 'NEM13')],
    ['goes on after its end', `${file()}100,NEM12,x,y,z`],
    ['has a day of nobody', file(`300,20260131,${DAY},A,,,,`)],
    ['has a record that there is not', file('299,x')],
  ])('refuses a file that %s as a whole', async (_what, text) => {
    await expect(read(text)).rejects.toBeInstanceOf(UnreadableFileError);
  });
});
