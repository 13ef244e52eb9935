import { createReadStream, readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { XMLParser } from 'fast-xml-parser';
import type { CsvMapping } from '../../src/intervalFiles/csv/mapping.js';
import type { FileText } from '../../src/intervalFiles/intervalFiles.js';
import { type FileMeaning, readIntervalFile } from '../../src/intervalFiles/readFile.js';
import { peakMemoryOf } from '../support/memoryOf.js';

/**
 * One way to parse one file, in a process of its own: what it took, and the memory on top of what the process had before.
 * `parsing.ts` starts it with the way and the file.
 */

export type ParseWay = 'espi' | 'fast-xml-parser' | 'csv' | 'csv-parse';

/** What a way took: `checkWh` is the sum of all values, by which the ways are held to one result. */
export interface ParseCost {
  reads: number;
  ms: number;
  bytes: number;
  checkWh: number;
}

export const BENCH_MAPPING: CsvMapping = {
  ...{ layout: 'long', delimiter: ',', decimalMark: '.', meterColumn: 'Meter', dateColumn: 'Date' },
  ...{
    timeColumn: 'Start Time',
    dateOrder: 'mdy',
    zone: 'America/New_York',
    stamp: 'start',
    repeatedHour: 'inOrder',
  },
  minutes: 15,
  values: [
    { column: 'Delivered kWh', channel: 'kwh', unit: 'kWh' },
    { column: 'Received kWh', channel: 'receivedKwh', unit: 'kWh' },
  ],
  ...{ estimatedColumn: 'Estimated', estimatedTexts: ['Y'], measuredTexts: ['N'] },
};

type Parsed = Pick<ParseCost, 'reads' | 'checkWh'>;

async function ours(file: string, meaning: FileMeaning): Promise<Parsed> {
  const open = (): FileText => createReadStream(file, { encoding: 'utf8' });
  let reads = 0;
  let checkWh = 0;
  for await (const batch of readIntervalFile(open, meaning)) {
    reads += batch.reads.length;
    for (const { kwh } of batch.reads) checkWh += Number(kwh) * 1_000;
  }
  return { reads, checkWh };
}

function csvParse(file: string): Parsed {
  const rows = parse(readFileSync(file), { columns: true, bom: true }) as Record<string, string>[];
  let checkWh = 0;
  for (const row of rows) checkWh += (Number(row['Delivered kWh']) + Number(row['Received kWh'])) * 1_000;
  return { reads: 2 * rows.length, checkWh };
}

interface Feed {
  feed: { entry: { content: { IntervalBlock?: { IntervalReading: { value: string }[] } } }[] };
}

function fastXmlParser(file: string): Parsed {
  const parser = new XMLParser({
    ...{ ignoreAttributes: false, removeNSPrefix: true, parseTagValue: false },
    isArray: (name) => name === 'entry' || name === 'IntervalReading',
  });
  const { feed } = parser.parse(readFileSync(file, 'utf8')) as Feed;
  let reads = 0;
  let checkWh = 0;
  for (const { content } of feed.entry)
    for (const { value } of content.IntervalBlock?.IntervalReading ?? []) {
      reads += 1;
      checkWh += Number(value);
    }
  return { reads, checkWh };
}

const WAYS: Record<ParseWay, (file: string) => Parsed | Promise<Parsed>> = {
  espi: (file) => ours(file, { format: 'espi' }),
  csv: (file) => ours(file, { format: 'csv', mapping: BENCH_MAPPING }),
  'csv-parse': csvParse,
  'fast-xml-parser': fastXmlParser,
};

const [, , way, file] = process.argv;
if (way !== undefined && file !== undefined && way in WAYS) {
  const before = process.memoryUsage.rss();
  const started = performance.now();
  const parsed = await WAYS[way as ParseWay](file);
  const ms = performance.now() - started;
  const bytes = peakMemoryOf('self') * 1_024 * 1_024 - before;
  process.stdout.write(JSON.stringify({ ...parsed, ms, bytes } satisfies ParseCost));
}
