import { createHash } from 'node:crypto';
import type { ExportFormat } from '../../src/contracts/exportRequest.js';
import { type CsvMapping, csvMapping } from '../../src/intervalFiles/csv/mapping.js';
import { proposeMapping } from '../../src/intervalFiles/csv/propose.js';
import { detectFormat } from '../../src/intervalFiles/detectFormat.js';
import type { FileRead } from '../../src/intervalFiles/intervalFiles.js';
import { linesOf } from '../../src/intervalFiles/lines.js';
import type { FileCounts, OutgoingRead, Piece } from '../../src/intervalFiles/outgoing.js';
import { parquetWriter } from '../../src/intervalFiles/parquet/writeParquet.js';
import { type FileMeaning, readIntervalFile } from '../../src/intervalFiles/readFile.js';
import { LocalZone } from '../../src/intervalFiles/time/localZone.js';
import { fileWriter } from '../../src/intervalFiles/writeFile.js';
import { inPieces, type WholeFile, wholeOf } from './totals.js';

export const US = 1_000;
export const MINUTE_US = 60_000 * US;

/** A read with nothing special about it. */
export function outgoing(of: Partial<OutgoingRead> & { at?: string } = {}): OutgoingRead {
  const { at = '2026-03-01T00:00:00Z', ...more } = of;
  const startUs = Date.parse(at) * US;
  return {
    meterId: 'M-1',
    feederId: 'FEEDER_1',
    startUs,
    minutes: 15,
    kwh: '0.125',
    receivedKwh: null,
    deliveredKwh: null,
    voltage: null,
    flags: [],
    quality: { kind: 'raw' },
    writtenUs: startUs,
    revisedUs: startUs,
    ...more,
  };
}

/** Reads without gaps over `[from, to)`, each with an energy of its own. */
export function series(
  from: string,
  to: string,
  { minutes = 15, ...more }: Partial<OutgoingRead> = {},
): OutgoingRead[] {
  const count = (Date.parse(to) - Date.parse(from)) / 60_000 / minutes;
  return Array.from({ length: count }, (_, place) =>
    outgoing({
      startUs: Date.parse(from) * US + place * minutes * MINUTE_US,
      minutes,
      kwh: `${(place % 7) + 1}.${String(1_000 + place)}`,
      ...more,
    }),
  );
}

const MS_PER_DAY = 86_400_000;

export interface Written {
  text: string;
  counts: FileCounts;
}

/** @param days the first local day, and how many. */
export function written(
  format: ExportFormat,
  meters: readonly OutgoingRead[][],
  { zone = 'UTC', day = '2026-03-01', days = 1 }: { zone?: string; day?: string; days?: number } = {},
): Written {
  const writer = fileWriter(format, {
    title: 'T',
    zone: new LocalZone(zone),
    days: Array.from({ length: days }, (_, place) => Date.parse(day) + place * MS_PER_DAY),
    now: Date.parse('2026-06-01T00:00:00Z'),
    uuidOf: (text) => {
      const hash = createHash('sha256').update(text).digest('hex');
      return `${hash.slice(0, 8)}-${hash.slice(0, 4)}-8${hash.slice(0, 3)}-8${hash.slice(0, 3)}-${hash.slice(8, 20)}`;
    },
  });
  const pieces = [writer.begin(), writer.take(meters), writer.end()];
  return { text: pieces.join(''), counts: writer.tally.counts() };
}

/** An export as Parquet, of pages of meters. */
export function parquetOf(pages: readonly OutgoingRead[][][]): Buffer {
  const writer = parquetWriter();
  const pieces: Piece[] = [writer.begin(), ...pages.map((page) => writer.take(page)), writer.end()];
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece as Uint8Array)));
}

/** What our own readers make of a file, as `npm run inspect` reads it: nothing is said beside the text. */
export async function readBack(text: string): Promise<WholeFile> {
  return wholeOf(readIntervalFile(() => inPieces(text, 1_009), await meaningOf(text)));
}

async function meaningOf(text: string): Promise<FileMeaning> {
  const detected = detectFormat(text.slice(0, 64_000));
  if (!('format' in detected)) throw new Error(detected.refusal);
  if (detected.format === 'espi' || detected.format === 'nem12') return { format: detected.format };
  const lines = [];
  for await (const some of linesOf(inPieces(text, 5_000))) lines.push(...some);
  const { mapping, open } = proposeMapping(lines);
  if (open.length > 0) throw new Error(JSON.stringify(open));
  return { format: 'csv', mapping: csvMapping.parse(mapping) as CsvMapping };
}

/** A read as a file of energies says it, comparable. */
export const plain = ({ meterId, channel, startMs, minutes, kwh, quality }: FileRead) =>
  `${meterId} ${channel} ${new Date(startMs).toISOString()} ${minutes} ${kwh} ${quality.kind} ${quality.method ?? ''}`.trim();

/** What should come back of reads. */
export function expected(reads: readonly OutgoingRead[], quality?: string): string[] {
  return reads
    .flatMap((read) =>
      (['kwh', 'receivedKwh'] as const).flatMap((channel) =>
        read[channel] === null
          ? []
          : [
              `${read.meterId} ${channel} ${new Date(read.startUs / US).toISOString()} ${read.minutes} ${Number(read[channel])} ${quality ?? `${read.quality.kind} ${read.quality.method ?? ''}`}`.trim(),
            ],
      ),
    )
    .toSorted();
}

/** Energy by the hour of UTC, in ten-thousandths of a kWh. */
export function byHour(reads: readonly { startMs: number; kwh: string }[]): Record<string, number> {
  const hours: Record<string, number> = {};
  for (const { startMs, kwh } of reads) {
    const hour = new Date(startMs).toISOString().slice(0, 13);
    hours[hour] = (hours[hour] ?? 0) + Math.round(Number(kwh) * 10_000);
  }
  return hours;
}
