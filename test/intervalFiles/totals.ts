import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FileBatch, FileRead, Refusal } from '../../src/intervalFiles/intervalFiles.js';

const FOLDER = fileURLToPath(new URL('../data/interval-files/', import.meta.url));

export const sample = (name: string): AsyncIterable<string> =>
  createReadStream(`${FOLDER}${name}`, { encoding: 'utf8', highWaterMark: 1_000 });

/** A text in pieces of so many characters. */
export async function* inPieces(text: string, size = 7): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

export interface WholeFile {
  reads: FileRead[];
  refusals: Refusal[];
  left: Record<string, number>;
}

export async function wholeOf(batches: AsyncIterable<FileBatch>): Promise<WholeFile> {
  const whole: WholeFile = { reads: [], refusals: [], left: {} };
  for await (const { reads, refusals, left } of batches) {
    whole.reads.push(...reads);
    whole.refusals.push(...refusals);
    for (const [what, count] of left) whole.left[what] = (whole.left[what] ?? 0) + count;
  }
  return whole;
}

/** Sum of decimals in milliwatt-hours, which no sample is finer than, as kWh with three digits. */
export function sumOf(reads: readonly FileRead[]): string {
  const microKwh = reads.reduce((sum, { kwh }) => {
    const [whole = '0', fraction = ''] = kwh.split('.');
    return sum + BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  }, 0n);
  if (microKwh % 1_000n !== 0n) throw new Error(`${microKwh} is no whole number of Wh`);
  return `${microKwh / 1_000_000n}.${String((microKwh / 1_000n) % 1_000n).padStart(3, '0')}`;
}

/** Reads by what `of` says of each. */
export function grouped<T extends string>(
  reads: readonly FileRead[],
  of: (read: FileRead) => T,
): Map<T, FileRead[]> {
  const groups = new Map<T, FileRead[]>();
  for (const read of reads) groups.set(of(read), [...(groups.get(of(read)) ?? []), read]);
  return groups;
}

/** Sums by day, each read on the day of its start. */
export function byDay(
  reads: readonly FileRead[],
  dayOf: (startMs: number) => string,
): Record<string, string> {
  const days = grouped(reads, ({ startMs }) => dayOf(startMs));
  return Object.fromEntries([...days].map(([day, ofDay]) => [day, sumOf(ofDay)]));
}
