import type { DecodedArray, Encoding, Statistics } from 'hyparquet';
import type { Column } from './columns.js';

/** A column's values in one group of rows, as a page takes them. */
export interface Chunk {
  encoding: Encoding;
  /** Values, or places in the dictionary; null where there is none. */
  values: DecodedArray;
  dictionary?: DecodedArray;
  /** 1 for each value that is there and 0 for each null; empty of a column that has none. */
  levels: number[];
  nulls: number;
  /** Left out where all are null. */
  bounds: Pick<Statistics, 'min_value' | 'max_value'>;
}

/** Rows `[from, to)` of a column. */
export function chunkOf(column: Column, from: number, to: number): Chunk {
  const isNull = column.isNull?.subarray(from, to);
  const levels = isNull ? Array.from(isNull, (one) => 1 - one) : [];
  const nulls = isNull ? isNull.reduce((sum, one) => sum + one, 0) : 0;
  const common = { levels, nulls };
  const present = <Values extends DecodedArray>(values: Values): DecodedArray =>
    nulls === 0 ? values : Array.from(values, (value, row) => (levels[row] === 1 ? value : null));
  switch (column.kind) {
    case 'text': {
      const { dictionary, places } = usedTexts(column.dictionary, column.values.subarray(from, to), isNull);
      return {
        ...common,
        encoding: 'RLE_DICTIONARY',
        values: present(places),
        dictionary,
        bounds: boundsOf(dictionary),
      };
    }
    case 'instant': {
      const values = column.values.subarray(from, to);
      const found = isNull ? undefined : distinctInstants(values);
      if (found === undefined) {
        const there = present(values);
        return { ...common, encoding: 'PLAIN', values: there, bounds: instantBounds(there) };
      }
      const { dictionary, places } = found;
      return {
        ...common,
        encoding: 'RLE_DICTIONARY',
        values: places,
        dictionary,
        bounds: instantBounds(dictionary),
      };
    }
    case 'boolean': {
      const values = Array.from(column.values.subarray(from, to), (one) => one === 1);
      const there = isNull ? values.filter((_, row) => levels[row] === 1) : values;
      const bounds =
        there.length === 0
          ? {}
          : { min_value: there.every((one) => one), max_value: there.some((one) => one) };
      return { ...common, encoding: 'PLAIN', values: present(values), bounds };
    }
    default: {
      const values = column.values.subarray(from, to);
      return {
        ...common,
        encoding: 'DELTA_BINARY_PACKED',
        values: present(values),
        bounds: numberBounds(values, isNull, column.kind === 'decimal'),
      };
    }
  }
}

/** The texts that come in a group, in the order in which they first come, and each row's place among them. */
function usedTexts(
  texts: readonly string[],
  values: Int32Array,
  isNull: Uint8Array | undefined,
): { dictionary: Uint8Array[]; places: Int32Array } {
  const placeOf = new Int32Array(texts.length).fill(-1);
  const places = new Int32Array(values.length);
  const dictionary: Uint8Array[] = [];
  const encoder = new TextEncoder();
  for (let row = 0; row < values.length; row += 1) {
    if (isNull?.[row] === 1) continue;
    const value = values[row] as number;
    let place = placeOf[value] as number;
    if (place < 0) {
      place = dictionary.length;
      placeOf[value] = place;
      dictionary.push(encoder.encode(texts[value] as string));
    }
    places[row] = place;
  }
  return { dictionary, places };
}

/** By their bytes, as the format has it. */
function boundsOf(texts: readonly Uint8Array[]): Chunk['bounds'] {
  let [min_value] = texts;
  let max_value = min_value;
  for (const text of texts) {
    if (Buffer.compare(text, min_value as Uint8Array) < 0) min_value = text;
    if (Buffer.compare(text, max_value as Uint8Array) > 0) max_value = text;
  }
  return min_value && max_value ? { min_value, max_value } : {};
}

/** More different instants than this are written one by one. */
const MOST_DISTINCT = 4_096;

/**
 * The different instants of a group and each row's place among them; undefined where there are many. Read as two words each: a
 * bigint a row would cost more than all the rest of it.
 */
function distinctInstants(
  values: BigInt64Array,
): { dictionary: BigInt64Array; places: Int32Array } | undefined {
  const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const places = new Int32Array(values.length);
  const placeOf = new Map<number, number>();
  const [lows, highs]: [number[], number[]] = [[], []];
  let place = -1;
  for (let row = 0; row < values.length; row += 1) {
    const low = words[2 * row] as number;
    const high = words[2 * row + 1] as number;
    // Rows go by time: nearly always it is the one after the last row's, or the first.
    place = place + 1 < lows.length ? place + 1 : 0;
    if (lows[place] !== low || highs[place] !== high) {
      if (high >= 1 << 21 || high < -(1 << 21)) return undefined;
      const instant = high * 2 ** 32 + (low >>> 0);
      const known = placeOf.get(instant);
      place = known ?? lows.length;
      if (known === undefined) {
        if (lows.length === MOST_DISTINCT) return undefined;
        placeOf.set(instant, place);
        lows.push(low);
        highs.push(high);
      }
    }
    places[row] = place;
  }
  const dictionary = BigInt64Array.from(placeOf.keys(), (instant) => BigInt(instant));
  return { dictionary, places };
}

function instantBounds(instants: DecodedArray): Chunk['bounds'] {
  let min_value: bigint | undefined;
  let max_value: bigint | undefined;
  for (const instant of instants as Iterable<bigint | null>) {
    if (instant === null) continue;
    if (min_value === undefined || instant < min_value) min_value = instant;
    if (max_value === undefined || instant > max_value) max_value = instant;
  }
  return min_value === undefined || max_value === undefined ? {} : { min_value, max_value };
}

/** @param isDecimal whether they stand for decimals, which are whole to the format as bigints alone. */
function numberBounds(
  values: Int32Array,
  isNull: Uint8Array | undefined,
  isDecimal: boolean,
): Chunk['bounds'] {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < values.length; row += 1) {
    if (isNull?.[row] === 1) continue;
    const value = values[row] as number;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (min > max) return {};
  return isDecimal ? { min_value: BigInt(min), max_value: BigInt(max) } : { min_value: min, max_value: max };
}
