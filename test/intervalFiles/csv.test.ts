import { describe, expect, it } from 'vitest';
import { readCsv } from '../../src/intervalFiles/csv/csv.js';
import type { CsvMapping } from '../../src/intervalFiles/csv/mapping.js';
import { UnreadableFileError } from '../../src/intervalFiles/intervalFiles.js';
import { byDay, inPieces, sample, sumOf, type WholeFile, wholeOf } from './totals.js';

const ZONE = 'America/New_York';
const newYork = new Intl.DateTimeFormat('en-CA', { timeZone: ZONE });
const localDay = (startMs: number): string => newYork.format(startMs);
const read = (text: string, mapping: CsvMapping): Promise<WholeFile> =>
  wholeOf(readCsv(inPieces(text, 50), mapping));

const LONG: CsvMapping = {
  layout: 'long',
  delimiter: ',',
  decimalMark: '.',
  meterColumn: 'Meter',
  dateColumn: 'Date',
  timeColumn: 'End Time',
  dateOrder: 'mdy',
  zone: ZONE,
  stamp: 'end',
  repeatedHour: 'inOrder',
  minutes: 15,
  values: [
    { column: 'Delivered kWh', channel: 'kwh', unit: 'kWh' },
    { column: 'Received kWh', channel: 'receivedKwh', unit: 'kWh' },
  ],
  estimatedColumn: 'Estimated',
  estimatedTexts: ['Y'],
  measuredTexts: ['N'],
};
const WIDE: CsvMapping = {
  layout: 'wide',
  delimiter: ',',
  decimalMark: '.',
  meterColumn: 'meter_id',
  dateColumn: 'date',
  dateOrder: 'ymd',
  zone: ZONE,
  stamp: 'end',
  repeatedHour: 'sum',
  minutes: 15,
  channel: 'kwh',
  unit: 'kWh',
};

describe('CSV samples', () => {
  it('reads a row a read: stamps at the end, the repeated hour twice in order, 24:00', async () => {
    const { reads, refusals } = await wholeOf(readCsv(sample('long-interval-end-us.csv'), LONG));
    expect(refusals).toEqual([]);
    const taken = reads.filter(({ channel }) => channel === 'kwh');
    const fedIn = reads.filter(({ channel }) => channel === 'receivedKwh');
    expect([taken.length, fedIn.length]).toEqual([196, 196]);
    expect(byDay(taken, localDay)).toEqual({ '2026-10-31': '20.338', '2026-11-01': '19.590' });
    expect(byDay(fedIn, localDay)).toEqual({ '2026-10-31': '8.170', '2026-11-01': '8.330' });
    expect(taken.filter(({ quality }) => quality.kind === 'estimated')).toHaveLength(4);
    const starts = taken.map(({ startMs }) => startMs).toSorted((a, b) => a - b);
    expect(new Set(starts).size).toBe(196);
    expect([starts[0], starts.at(-1)].map((ms) => new Date(ms as number).toISOString())).toEqual([
      '2026-10-31T04:00:00.000Z',
      '2026-11-02T04:45:00.000Z',
    ]);
  });

  it('reads a row a day: 92 cells in spring, and 96 whose repeated hour holds both passes in autumn', async () => {
    const { reads, refusals } = await wholeOf(readCsv(sample('wide-96-columns-local.csv'), WIDE));
    expect(refusals).toEqual([]);
    const of = (id: string) => reads.filter(({ meterId }) => meterId === id);
    expect([of('MTR-00007').length, of('0000012345').length]).toEqual([384, 384]);
    expect(byDay(of('MTR-00007'), localDay)).toEqual({
      '2026-03-07': '19.290',
      '2026-03-08': '18.306',
      '2026-10-31': '20.338',
      '2026-11-01': '19.590',
    });
    expect(byDay(of('0000012345'), localDay)).toEqual({
      '2026-03-07': '19.126',
      '2026-03-08': '18.028',
      '2026-10-31': '20.174',
      '2026-11-01': '21.280',
    });
    expect(of('MTR-00007').filter(({ quality }) => quality.method === 'halfOfRepeatedHour')).toHaveLength(8);
  });

  it('reads 100 columns, of which four have the names of others', async () => {
    const mapping = { ...WIDE, repeatedHour: 'inOrder' } as const;
    const { reads, refusals } = await wholeOf(
      readCsv(sample('wide-100-columns-repeated-names.csv'), mapping),
    );
    expect(refusals).toEqual([]);
    expect(reads).toHaveLength(196);
    expect(byDay(reads, localDay)).toEqual({ '2026-10-31': '20.338', '2026-11-01': '19.590' });
  });
});

const row = (date: string, time: string, kwh: string, flag = 'N'): string =>
  `M1,${date},${time},${kwh},0,${flag}`;
const long = (...rows: string[]): string =>
  ['Meter,Date,End Time,Delivered kWh,Received kWh,Estimated', ...rows, ''].join('\n');

describe('CSV with bad rows', () => {
  it.each([
    ['no number', row('10/31/2026', '00:15', 'abc')],
    ['a negative number', row('10/31/2026', '00:15', '-1')],
    ['an exponent', row('10/31/2026', '00:15', '1e3')],
    ['a day that no month has', row('10/32/2026', '00:15', '1')],
    ['a time that no day has', row('10/31/2026', '24:15', '1')],
    ['a time off the grid', row('10/31/2026', '00:10', '1')],
    ['a flag that is not known', row('10/31/2026', '00:15', '1', 'X')],
    ['a field too few', 'M1,10/31/2026,00:15,1,0'],
    ['a quote that does not end', `"M1,10/31/2026,00:15,1,0,N`],
    ['no meter', row('10/31/2026', '00:15', '1').replace('M1', 'NULL')],
  ])('refuses a row with %s, with its line, and reads the others', async (_what, bad) => {
    const { reads, refusals } = await read(long(bad, row('10/31/2026', '00:30', '1.5')), LONG);
    expect(sumOf(reads)).toBe('1.500');
    expect(new Set(refusals.map(({ line }) => line))).toEqual(new Set([2]));
  });

  it('passes over lines above the header, and refuses those that are divided as rows are', async () => {
    const text = long(row('10/31/2026', '00:15', '1.5'));
    const above = ['Name,Ada', row('10/31/2026', '00:30', '2')].join('\n');
    const { reads, refusals } = await read(`${above}\n${text}`, LONG);
    expect(sumOf(reads)).toBe('1.500');
    expect(refusals.map(({ line }) => line)).toEqual([2]);
  });

  it('refuses a line above the header whose quotes do not match, since it may be a row', async () => {
    const above = `M1,10/31/2026,00:30,"2,0,N`;
    const { refusals } = await read(`${above}\n${long(row('10/31/2026', '00:15', '1.5'))}`, LONG);
    expect(refusals.map(({ line }) => line)).toEqual([1]);
  });

  it('reads quoted fields as it reads others, a delimiter in them included', async () => {
    const quoted = `"M1","10/31/2026","00:15","1.5","0","N"`;
    const mixed = `"M1",10/31/2026,"00:30",2,0,N`;
    const { reads, refusals } = await read(long(quoted, mixed), LONG);
    expect(refusals).toEqual([]);
    expect(sumOf(reads)).toBe('3.500');
  });

  it('reads a decimal comma, and refuses a point beside it', async () => {
    const text = 'Zähler;Zeit;kWh\nA;01.11.2026 12:00;1,25\nA;01.11.2026 12:15;1.250,5\n';
    const { reads, refusals } = await read(text, {
      ...{ layout: 'long', delimiter: ';', decimalMark: ',', meterColumn: 'Zähler', timestampColumn: 'Zeit' },
      ...{ dateOrder: 'dmy', zone: 'Europe/Berlin', stamp: 'start', repeatedHour: 'refuse', minutes: 15 },
      values: [{ column: 'kWh', channel: 'kwh', unit: 'kWh' }],
    });
    expect(reads.map(({ kwh, startMs }) => [kwh, new Date(startMs).toISOString()])).toEqual([
      ['1.25', '2026-11-01T11:00:00.000Z'],
    ]);
    expect(refusals).toHaveLength(1);
  });

  it('refuses a last row that is cut off within its last number', async () => {
    const mapping: CsvMapping = {
      ...{ layout: 'long', delimiter: ',', decimalMark: '.', meterColumn: 'm', timestampColumn: 't' },
      ...{ dateOrder: 'ymd', zone: 'stamps', stamp: 'start', repeatedHour: 'refuse', minutes: 15 },
      values: [{ column: 'kWh', channel: 'kwh', unit: 'kWh' }],
    };
    const text = 'm,t,kWh\nA,2026-11-01T05:00:00Z,1.250\nA,2026-11-01T00:15:00-05:00,1.257';
    expect((await read(text, mapping)).reads).toHaveLength(2);
    const { reads, refusals } = await read(text.slice(0, -1), mapping);
    expect([reads.length, refusals.length]).toEqual([1, 1]);
  });
});

describe('CSV whose clock is not as the mapping says', () => {
  const twice = ['01:15', '01:30', '01:45', '02:00', '01:15', '01:30', '01:45', '02:00'];
  const byClock = ['01:00', '01:15', '01:30', '01:45', '01:00', '01:15', '01:30', '01:45', '02:00'];
  const rows = (times: readonly string[]): string =>
    long(...times.map((time) => row('11/01/2026', time, '1')));

  it('keeps the two passes of an hour apart, for stamps of either convention', async () => {
    const { reads } = await read(rows(twice), { ...LONG, values: LONG.values?.slice(0, 1) });
    expect(reads.map(({ startMs }) => new Date(startMs).toISOString().slice(11, 16)).toSorted()).toEqual([
      ...['05:00', '05:15', '05:30', '05:45', '06:00', '06:15', '06:30', '06:45'],
    ]);
    const mapping = { ...LONG, stamp: 'endByClock', values: LONG.values?.slice(0, 1) } as const;
    const { reads: others } = await read(rows(byClock), mapping);
    expect(others.map(({ startMs }) => new Date(startMs).toISOString().slice(11, 16)).toSorted()).toEqual([
      ...['04:45', '05:00', '05:15', '05:30', '05:45', '06:00', '06:15', '06:30', '06:45'],
    ]);
  });

  it.each([
    ['ends by the clock, read as starts plus the length', byClock, 'end'],
    ['starts plus the length, read as ends by the clock', twice, 'endByClock'],
  ] as const)('refuses the whole file for %s', async (_what, times, stamp) => {
    await expect(read(rows(times), { ...LONG, stamp })).rejects.toBeInstanceOf(UnreadableFileError);
  });

  it('refuses the whole file where times come twice that are said to hold the sum of both passes', async () => {
    await expect(read(rows(twice), { ...LONG, repeatedHour: 'sum' })).rejects.toBeInstanceOf(
      UnreadableFileError,
    );
  });

  it('asks how the repeated hour is told where the mapping does not say it', async () => {
    const { reads, refusals } = await read(rows(['01:00', '01:15', '02:15']), {
      ...LONG,
      repeatedHour: 'refuse',
    });
    expect(reads).toHaveLength(4);
    expect(refusals.map(({ reason }) => reason)).toEqual(Array(2).fill(expect.stringContaining('inOrder')));
  });

  it('refuses one of two passes, since it may be either, and a time that the clocks skip', async () => {
    const { reads, refusals } = await read(
      long(row('11/01/2026', '01:15', '1'), row('03/08/2026', '02:30', '1'), row('03/08/2026', '03:15', '1')),
      { ...LONG, values: LONG.values?.slice(0, 1) },
    );
    expect(reads.map(({ startMs }) => new Date(startMs).toISOString())).toEqual(['2026-03-08T07:00:00.000Z']);
    expect(refusals.map(({ line }) => line).toSorted()).toEqual([2, 3]);
  });

  it('refuses a value in the second of two columns on a day without a repeated hour', async () => {
    const header = ['meter_id,date', ...Array.from({ length: 24 }, (_, hour) => `${hour}:00`)].join(',');
    const names = header.replace('1:00', '1:00,1:00').replace('meter_id,date,0:00', 'meter_id,date,0:00');
    const text = `${names}\nA,2026-10-31${',1'.repeat(25)}\n`;
    const mapping = { ...WIDE, stamp: 'start', minutes: 60, repeatedHour: 'inOrder' } as const;
    const { reads, refusals } = await read(text, mapping);
    expect([reads.length, refusals.length]).toEqual([24, 1]);
  });

  it.each([
    ['lacks a column of the mapping', (text: string) => text.replace('Meter', 'Device')],
    ['has a column twice', (text: string) => text.replace('Received kWh', 'Delivered kWh')],
  ])('refuses a file that %s as a whole', async (_what, change) => {
    const mapping = { ...LONG, values: LONG.values?.slice(0, 1) };
    await expect(read(change(long(row('10/31/2026', '00:15', '1'))), mapping)).rejects.toBeInstanceOf(
      UnreadableFileError,
    );
  });
});
