/** Positions `[from, to)` of a fleet's roster. */
export interface Range {
  from: number;
  to: number;
}

/** The parts of `[0, length)` that none of the ranges covers, in order; neighbouring parts are joined. */
export function uncovered(length: number, ranges: readonly Range[]): Range[] {
  const gaps: Range[] = [];
  let reached = 0;
  for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
    if (from > reached) gaps.push({ from: reached, to: from });
    reached = Math.max(reached, to);
  }
  if (reached < length) gaps.push({ from: reached, to: length });
  return gaps;
}
