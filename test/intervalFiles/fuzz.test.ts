import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { CsvMapping } from '../../src/intervalFiles/csv/mapping.js';
import { shifted } from '../../src/intervalFiles/decimal.js';
import { type FileRead, UnreadableFileError } from '../../src/intervalFiles/intervalFiles.js';
import { type FileMeaning, readIntervalFile } from '../../src/intervalFiles/readFile.js';
import { mutated, randomOf } from './mutations.js';
import { inPieces, type WholeFile, wholeOf } from './totals.js';

/** `FUZZ_RUNS=10000 npx vitest run --config config/vitest.config.ts test/intervalFiles/fuzz.test.ts` is the long form. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 140);

const CSV = {
  delimiter: ',',
  decimalMark: '.',
  zone: 'America/New_York',
  stamp: 'end',
  minutes: 15,
} as const;
const LONG: CsvMapping = {
  ...CSV,
  ...{ layout: 'long', meterColumn: 'Meter', dateColumn: 'Date', timeColumn: 'End Time', dateOrder: 'mdy' },
  repeatedHour: 'inOrder',
  values: [
    { column: 'Delivered kWh', channel: 'kwh', unit: 'kWh' },
    { column: 'Received kWh', channel: 'receivedKwh', unit: 'kWh' },
  ],
  ...{ estimatedColumn: 'Estimated', estimatedTexts: ['Y'], measuredTexts: ['N'] },
};
const WIDE: CsvMapping = {
  ...CSV,
  ...{
    layout: 'wide',
    meterColumn: 'meter_id',
    dateColumn: 'date',
    dateOrder: 'ymd',
    channel: 'kwh',
    unit: 'kWh',
  },
  repeatedHour: 'inOrder',
};
const SAMPLES: [string, FileMeaning, number][] = [
  ['nem12-15min.csv', { format: 'nem12' }, 0],
  ['nem12-5min.csv', { format: 'nem12' }, 0],
  ['greenbutton-15min-forward-reverse.xml', { format: 'espi' }, -3],
  ['greenbutton-hourly-two-usage-points.xml', { format: 'espi' }, -3],
  ['long-interval-end-us.csv', { format: 'csv', mapping: LONG }, 0],
  ['wide-96-columns-local.csv', { format: 'csv', mapping: { ...WIDE, repeatedHour: 'refuse' } }, 0],
  ['wide-100-columns-repeated-names.csv', { format: 'csv', mapping: WIDE }, 0],
];

async function readOrRefused(text: string, meaning: FileMeaning): Promise<WholeFile | undefined> {
  try {
    return await wholeOf(readIntervalFile(() => inPieces(text, 4_096), meaning));
  } catch (error) {
    if (error instanceof UnreadableFileError) return undefined;
    throw error;
  }
}

/** Numbers that stand on the lines of a text, as kWh by a power of ten. */
function numbersOf(text: string, power: number): (line: number) => Set<string | undefined> {
  const lines = text.split('\n');
  const known = new Map<number, Set<string | undefined>>();
  return (line) => {
    const found =
      known.get(line) ??
      new Set(
        (lines[line - 1] ?? '')
          .match(/\d*\.?\d+|\d+\.?/g)
          ?.flatMap((number) => [shifted(number, power), shifted(number, power - 3)]),
      );
    known.set(line, found);
    return found;
  };
}

/** The data lines of a CSV file that came to nothing. */
function unaccounted(text: string, { reads, refusals }: WholeFile): number[] {
  const accounted = new Set([...reads, ...refusals].map(({ line }) => line));
  const lines = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''));
  const isHeader = (line: string): boolean => /^\uFEFF?(Account|meter_id),/.test(line);
  const header = lines.findIndex(isHeader);
  const width = lines[header]?.split(',').length;
  // Above the header there may be other lines, unless they are divided as rows are.
  const isData = (line: string, index: number): boolean =>
    index > header ? line !== '' && !isHeader(line) : line.split(',').length === width && !isHeader(line);
  return lines.flatMap((line, index) =>
    isData(line, index) && !accounted.has(index + 1) ? [index + 1] : [],
  );
}

describe('damaged files', () => {
  it.each(SAMPLES)(
    'reads of %s, however it is damaged, only what stands there, and says what it leaves out',
    { timeout: 20_000 + RUNS * 100 },
    async (name, meaning, power) => {
      const text = readFileSync(
        fileURLToPath(new URL(`../data/interval-files/${name}`, import.meta.url)),
        'utf8',
      );
      for (let run = 0; run < RUNS / SAMPLES.length; run += 1) {
        const damaged = mutated(text, randomOf(`${name} ${run}`));
        const whole = await readOrRefused(damaged, meaning);
        if (whole === undefined) continue;
        const numbers = numbersOf(damaged, power);
        const invented = whole.reads.filter(
          ({ line, kwh }: FileRead) => meaning.format !== 'espi' && !numbers(line).has(kwh),
        );
        expect(invented, `${name} ${run}`).toEqual([]);
        if (meaning.format === 'csv') expect(unaccounted(damaged, whole), `${name} ${run}`).toEqual([]);
        for (const { kwh, startMs, minutes, meterId } of whole.reads) {
          if (!/^\d+(\.\d+)?$/.test(kwh) || !Number.isSafeInteger(startMs) || minutes < 1 || meterId === '')
            expect.fail(`${name} ${run}: ${kwh} of ${meterId} at ${startMs}`);
        }
      }
    },
  );
});
