/** Series over time: columns aligned with `times`, null where nothing was read. */

type Column = readonly (number | null)[];

/** The fewest intervals that a chart shows: a day with an hour of data would be a blank with a speck at its end. */
const FEWEST_SHOWN = 12;

/** From which index on something was read, but so that enough is left to look at. */
export function firstShown(columns: readonly Column[], length: number): number {
  const starts = columns.map((column) => column.findIndex((value) => value !== null)).filter((at) => at >= 0);
  if (starts.length === 0) return Math.max(0, length - FEWEST_SHOWN);
  return Math.max(0, Math.min(Math.min(...starts) - 1, length - FEWEST_SHOWN));
}

/** Feeders in the order of their numbers: `FEEDER_2` before `FEEDER_10`. */
export function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

/** The last value that was read; null where none was. */
export function lastRead(column: Column): number | null {
  return column.findLast((value) => value !== null) ?? null;
}

/** Where a time falls among interval starts: the index of the last one that is not after it, -1 before all. */
export function indexAt(times: readonly number[], at: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * The lines worth a colour: the worst by their worst value, at most `most` of them; the others are drawn as a grey band.
 *
 * @param worse whether the first value is worse than the second.
 */
export function worstOf<T>(
  items: readonly T[],
  column: (item: T) => Column,
  worse: (a: number, b: number) => boolean,
  most: number,
): T[] {
  const worst = (item: T): number | null =>
    column(item).reduce<number | null>(
      (found, value) => (value !== null && (found === null || worse(value, found)) ? value : found),
      null,
    );
  return items
    .map((item) => ({ item, value: worst(item) }))
    .filter((entry): entry is { item: T; value: number } => entry.value !== null)
    .sort((a, b) => (a.value === b.value ? 0 : worse(a.value, b.value) ? -1 : 1))
    .slice(0, most)
    .map(({ item }) => item);
}
