import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median } from '../support/quantiles.js';
import type { ParseCost, ParseWay } from './parseOnce.js';
import { type Row, thousands } from './report.js';

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL('parseOnce.ts', import.meta.url));
const QUARTER_MS = 900_000;
/** 1 June 2026 in New York: no clock changes for as long as the files go. */
const FROM_MS = Date.UTC(2026, 5, 1, 4);
const QUARTERS_PER_METER = 96 * 30;

/**
 * What the readers of interval files cost beside the usual way of reading a whole document, on the same files: CSV of
 * `reads` reads, Green Button XML of an eighth as many, of which fast-xml-parser would else need gigabytes.
 */
export async function parsingRows(reads: number, rounds: number): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-parsing-'));
  try {
    const csv = join(folder, 'long.csv');
    const xml = join(folder, 'greenbutton.xml');
    await writePieces(csv, csvPieces(reads / 2));
    await writePieces(xml, xmlPieces(reads / 16));
    return [
      ...(await compared('csv', 'csv-parse', csv, rounds)),
      ...(await compared('espi', 'fast-xml-parser', xml, rounds)),
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function compared(ours: ParseWay, usual: ParseWay, file: string, rounds: number): Promise<Row[]> {
  const costs: Record<string, ParseCost[]> = { [ours]: [], [usual]: [] };
  for (let round = 0; round < rounds; round += 1)
    for (const way of round % 2 === 0 ? [ours, usual] : [usual, ours])
      costs[way]?.push(await costOf(way, file));
  const [own, other] = [costs[ours] ?? [], costs[usual] ?? []];
  const sums = [...own, ...other].map(({ reads, checkWh }) => `${reads} ${Math.round(checkWh)}`);
  if (new Set(sums).size !== 1)
    throw new Error(`${ours} and ${usual} read different sums: ${sums.join('; ')}`);
  const rate = (of: ParseCost[]): number => median(of.map(({ reads, ms }) => (reads / ms) * 1_000));
  const memory = (of: ParseCost[]): number => median(of.map(({ bytes }) => bytes));
  return [
    {
      what: `reading ${ours}, ${thousands(own[0]?.reads ?? 0)} reads, against ${usual}`,
      measured: `${thousands(rate(own))} against ${thousands(rate(other))} reads/s`,
      ratio: (rate(own) / rate(other)).toFixed(2),
      target: '≥ 5',
    },
    {
      what: `memory of reading ${ours} against ${usual}`,
      measured: `${thousands(memory(own) / 2 ** 20)} against ${thousands(memory(other) / 2 ** 20)} MiB`,
      ratio: (memory(own) / memory(other)).toFixed(2),
      target: '≤ 0.33',
    },
  ];
}

async function costOf(way: ParseWay, file: string): Promise<ParseCost> {
  const { stdout } = await run(process.execPath, [
    '--import',
    'tsx',
    '--max-old-space-size=8192',
    PROGRAM,
    way,
    file,
  ]);
  return JSON.parse(stdout) as ParseCost;
}

async function writePieces(file: string, pieces: Iterable<string>): Promise<void> {
  const handle = await open(file, 'w');
  for (const piece of pieces) await handle.write(piece);
  await handle.close();
}

const whOf = (n: number): number => 50 + ((n * 7_919) % 1_900);

function* csvPieces(rows: number): Generator<string> {
  yield 'Account,Meter,Date,Start Time,Delivered kWh,Received kWh,Estimated\n';
  for (let from = 0; from < rows; from += 1_000) {
    let piece = '';
    for (let n = from; n < Math.min(from + 1_000, rows); n += 1) {
      const local = new Date(FROM_MS + (n % QUARTERS_PER_METER) * QUARTER_MS - 4 * 3_600_000).toISOString();
      const meter = `MTR-${String(Math.floor(n / QUARTERS_PER_METER)).padStart(5, '0')}`;
      const date = `${local.slice(5, 7)}/${local.slice(8, 10)}/${local.slice(0, 4)}`;
      piece += `0004711,${meter},${date},${local.slice(11, 16)},${(whOf(n) / 1_000).toFixed(3)},0.00${n % 10},N\n`;
    }
    yield piece;
  }
}

const RESOURCE = '/espi/1_1/resource/UsagePoint';
const entry = (links: string, content: string): string =>
  `<entry><id>urn:x</id>${links}<content>${content}</content></entry>\n`;
const link = (rel: string, href: string): string => `<link rel="${rel}" href="${href}"/>`;

/** As many points as there are meters, each with a block for each day; `readings` for either direction. */
function* xmlPieces(readings: number): Generator<string> {
  yield '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi">\n';
  for (const flow of [1, 19])
    yield entry(
      link('self', `/espi/1_1/resource/ReadingType/${flow}`),
      `<e:ReadingType><e:flowDirection>${flow}</e:flowDirection><e:powerOfTenMultiplier>0</e:powerOfTenMultiplier><e:uom>72</e:uom></e:ReadingType>`,
    );
  for (let first = 0; first < readings; first += QUARTERS_PER_METER) {
    const point = `${RESOURCE}/${first / QUARTERS_PER_METER}`;
    yield entry(
      link('self', point) + link('related', `${point}/MeterReading`),
      '<e:UsagePoint><e:ServiceCategory><e:kind>0</e:kind></e:ServiceCategory></e:UsagePoint>',
    );
    for (const flow of [1, 19])
      yield* xmlOfMeter(point, flow, first, Math.min(QUARTERS_PER_METER, readings - first));
  }
  yield '</feed>\n';
}

function* xmlOfMeter(point: string, flow: number, first: number, count: number): Generator<string> {
  const reading = `${point}/MeterReading/${flow}`;
  const blocks = `${reading}/IntervalBlock`;
  yield entry(
    link('self', reading) +
      link('up', `${point}/MeterReading`) +
      link('related', blocks) +
      link('related', `/espi/1_1/resource/ReadingType/${flow}`),
    '<e:MeterReading/>',
  );
  for (let at = 0; at < count; at += 96) {
    let readings = '';
    for (let n = at; n < Math.min(at + 96, count); n += 1)
      readings += `<e:IntervalReading><e:timePeriod><e:duration>900</e:duration><e:start>${(FROM_MS + n * QUARTER_MS) / 1_000}</e:start></e:timePeriod><e:value>${whOf(first + n)}</e:value></e:IntervalReading>\n`;
    yield entry(
      link('self', `${blocks}/${at}`) + link('up', blocks),
      `<e:IntervalBlock>${readings}</e:IntervalBlock>`,
    );
  }
}
