import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readCsv } from '../../src/intervalFiles/csv/csv.js';
import { type CsvMapping, csvMapping } from '../../src/intervalFiles/csv/mapping.js';
import { type ProposedMapping, proposeMapping } from '../../src/intervalFiles/csv/propose.js';
import { UnreadableFileError } from '../../src/intervalFiles/intervalFiles.js';
import { inPieces, sumOf, wholeOf } from './totals.js';

const textOf = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../data/interval-files/${name}`, import.meta.url)), 'utf8');
const propose = (text: string, given?: Partial<CsvMapping>): ProposedMapping =>
  proposeMapping(
    text
      .replace(/^\uFEFF/, '')
      .split(/\r?\n/)
      .map((line, index) => ({ text: line, number: index + 1 })),
    given,
  );
const asked = ({ open }: ProposedMapping): string[] => open.map(({ field }) => field).toSorted();

describe('a mapping proposed from the file', () => {
  it.each([
    ['long-interval-end-us.csv', ['zone'], { zone: 'America/New_York' }, '56.428'],
    [
      'wide-96-columns-local.csv',
      ['unit', 'zone'],
      { zone: 'America/New_York', unit: 'kWh', repeatedHour: 'sum' },
      '156.132',
    ],
    [
      'wide-100-columns-repeated-names.csv',
      ['unit', 'zone'],
      { zone: 'America/New_York', unit: 'kWh' },
      '39.928',
    ],
  ] as const)(
    'asks of %s only what it does not say, and then reads all of it',
    async (name, open, given, total) => {
      const text = textOf(name);
      expect(asked(propose(text))).toEqual(open);
      const complete = propose(text, given);
      expect(asked(complete)).toEqual([]);
      const mapping = csvMapping.parse(complete.mapping);
      const { reads, refusals } = await wholeOf(readCsv(inPieces(text, 999), mapping));
      expect(refusals).toEqual([]);
      expect(sumOf(reads)).toBe(total);
    },
  );

  it('says what each field rests on', () => {
    const { restsOn, mapping } = propose(textOf('long-interval-end-us.csv'));
    const fields = new Set(restsOn.map(({ field }) => field));
    for (const field of Object.keys(mapping)) {
      if (!['estimatedTexts', 'measuredTexts'].includes(field)) expect(fields).toContain(field);
    }
  });

  const long = (dates: string[], header = 'Meter,Start,Usage (kWh)'): string =>
    [header, ...dates.map((date) => `A,${date},1.25`), ''].join('\n');

  it.each([
    [
      'asks whether month or day comes first while no day is above 12',
      ['01/02/2026 00:00', '01/02/2026 00:15'],
      ['dateOrder', 'zone'],
    ],
    ['sees month first by a day above 12', ['01/31/2026 00:00', '01/31/2026 00:15'], ['zone']],
    ['sees that stamps have their offsets', ['2026-01-31T00:00:00-05:00', '2026-01-31T00:15:00-05:00'], []],
  ])('%s', (_what, dates, open) => {
    expect(asked(propose(long(dates)))).toEqual(open);
  });

  it.each([
    [
      'which end a time is for',
      long(['2026-01-31 00:00', '2026-01-31 00:15'], 'Meter,Time,Usage (kWh)'),
      'stamp',
    ],
    ['in which unit', long(['2026-01-31 00:00', '2026-01-31 00:15'], 'Meter,Start,Usage'), 'values'],
    [
      'in which direction an import goes',
      long(['2026-01-31 00:00', '2026-01-31 00:15'], 'Meter,Start,Import kWh'),
      'values',
    ],
    [
      'whether 1.234 is a thousand',
      long(['2026-01-31 00:00', '2026-01-31 00:15']).replaceAll('1.25', '1.234'),
      'decimalMark',
    ],
    ['which column is the meter', long(['2026-01-31 00:00'], 'Account,Start,kWh used'), 'meterColumn'],
    ['how long an interval is', long(['2026-01-31 00:00']), 'minutes'],
  ])('asks %s', (_what, text, field) => {
    expect(asked(propose(text))).toContain(field);
  });

  it('tells the two conventions of the end apart by the times that come twice, once the zone is known', () => {
    const times = ['01:00', '01:15', '01:30', '01:45'];
    const dates = ['00:45', ...times, ...times, '02:00'].map((time) => `2026-11-01 ${time}`);
    const { mapping } = propose(long(dates, 'Meter,End,Usage kWh'), { zone: 'America/New_York' });
    expect([mapping.stamp, mapping.repeatedHour]).toEqual(['endByClock', 'inOrder']);
  });

  it('passes over the lines of a portal before the header', () => {
    const text = `Name,Ada\nAddress,"1 Main St, Town"\n\n${long(['2026-01-31 00:00', '2026-01-31 00:15'])}`;
    const { mapping } = propose(text);
    expect(mapping.meterColumn).toBe('Meter');
  });

  it.each(['', 'a,b\n', '1,2,3\n4,5,6\n', 'no table\nat all\n'])(
    'refuses %j, which has no header with rows below it',
    (text) => {
      expect(() => propose(text)).toThrow(UnreadableFileError);
    },
  );
});
