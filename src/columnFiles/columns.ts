/**
 * Room: columnFiles. Promises: typed columns become a file, whole or not at all, and the same columns the same bytes, wherever and
 * whenever they are written.
 */

/** A column of a table; each has as many entries as the table has rows. */
export type Column = { name: string; isNull?: Uint8Array } & (
  | { kind: 'text'; dictionary: readonly string[]; values: Int32Array }
  /** Whole numbers that stand for decimals: 12345 with a scale of 4 is 1.2345. */
  | { kind: 'decimal'; precision: number; scale: number; values: Int32Array }
  /** Microseconds since 1970, UTC. */
  | { kind: 'instant'; values: BigInt64Array }
  | { kind: 'integer'; values: Int32Array }
  | { kind: 'boolean'; values: Uint8Array }
);

/** A table; columns in the order in which they stand in a file. */
export interface Table {
  rows: number;
  columns: readonly Column[];
}

/** Texts as a column: each different one once, in the order in which they first come. */
export function textColumn(name: string, texts: readonly (string | null)[]): Column {
  const places = new Map<string, number>();
  const values = new Int32Array(texts.length);
  const isNull = new Uint8Array(texts.length);
  texts.forEach((text, row) => {
    if (text === null) {
      isNull[row] = 1;
      return;
    }
    let place = places.get(text);
    if (place === undefined) {
      place = places.size;
      places.set(text, place);
    }
    values[row] = place;
  });
  const column = { name, kind: 'text' as const, dictionary: [...places.keys()], values };
  return isNull.includes(1) ? { ...column, isNull } : column;
}

/** Instants, null where there is none. */
export function instantColumn(name: string, instants: readonly (Date | null)[]): Column {
  const values = BigInt64Array.from(instants, (instant) => BigInt(instant?.getTime() ?? 0) * 1000n);
  const isNull = Uint8Array.from(instants, (instant) => (instant === null ? 1 : 0));
  return { name, kind: 'instant', values, ...(isNull.includes(1) && { isNull }) };
}

/**
 * Numbers as decimals of a scale, null where there is none.
 *
 * @throws RangeError of one that does not fit the precision.
 */
export function decimalColumn(
  name: string,
  precision: number,
  scale: number,
  numbers: readonly (number | null)[],
): Column {
  const most = 10 ** precision;
  const values = Int32Array.from(numbers, (number) => {
    const whole = Math.round((number ?? 0) * 10 ** scale);
    if (Math.abs(whole) >= most) throw new RangeError(`${name} has ${number}, more than ${precision} digits`);
    return whole;
  });
  const isNull = Uint8Array.from(numbers, (number) => (number === null ? 1 : 0));
  return { name, kind: 'decimal', precision, scale, values, ...(isNull.includes(1) && { isNull }) };
}
