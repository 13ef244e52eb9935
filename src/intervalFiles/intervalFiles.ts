/**
 * Room: intervalFiles. Promises: what a file of interval data says, read by read, with its energy exact and its instants
 * in UTC; what cannot be read is told with its line. It knows no database: who is written where is the importer's.
 */

import type { ReadQuality } from './quality.js';

/**
 * Where a value goes: `kwh` is what the customer took from the grid, `receivedKwh` what the customer fed into it. Both count
 * up from 0.
 */
export type EnergyChannel = 'kwh' | 'receivedKwh';

/** One value of one meter for one interval. */
export interface FileRead {
  /** As the file names the meter, or the point that it measures. */
  meterId: string;
  channel: EnergyChannel;
  /** Start of the interval, ms since 1970 UTC. */
  startMs: number;
  minutes: number;
  /** kWh as a plain decimal without an exponent, `-0.125`: no digit of the file is lost. */
  kwh: string;
  quality: ReadQuality;
  /** Of the file, from 1. */
  line: number;
  /** The feeder that the file puts the meter on; undefined where it does not say. */
  feederId?: string | undefined;
}

/** Something of the file that became no read. */
export interface Refusal {
  line: number;
  meterId?: string;
  /** Rows of the meter that this stands for, the first of them being `line`; 1 where it is not said. */
  rows?: number;
  /** One sentence: what is wrong, and what would be right. */
  reason: string;
}

/** What one piece of a file says, in the order of the file. */
export interface FileBatch {
  reads: FileRead[];
  refusals: Refusal[];
  /** Values that are no electric energy, such as reactive energy or gas, by what they are: counted and left. */
  left: Map<string, number>;
}

/** The file as a whole is not what it should be: what was read of it must not be taken for all that it says. */
export class UnreadableFileError extends Error {
  override name = 'UnreadableFileError';

  constructor(
    /** Where the reader stopped; undefined where no one line is at fault. */
    readonly line: number | undefined,
    reason: string,
  ) {
    super(line === undefined ? reason : `line ${line}: ${reason}`);
  }
}

/** A file whose parts are read in any order. */
export interface FileBytes {
  byteLength: number;
  /** @param to exclusive; the end of the file where it is left out. */
  slice(from: number, to?: number): Promise<ArrayBuffer>;
}

/** Pieces of a file's text, in order, however they are cut. */
export type FileText = AsyncIterable<string>;

export const emptyBatch = (): FileBatch => ({ reads: [], refusals: [], left: new Map() });

/** Counts `values` more that are left, in a batch. */
export function leave(batch: FileBatch, what: string, values: number): void {
  batch.left.set(what, (batch.left.get(what) ?? 0) + values);
}
