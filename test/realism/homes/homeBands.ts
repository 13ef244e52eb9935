import type { HomeStatistics } from './homeStatistics.js';

/**
 * Bands over homes at 30 minutes for the 5th percentile, the median and the 95th: what London's homes show, widened to
 * what homes of two other British towns and of two other continents had. Docs: realism.md.
 */
type Band = readonly [least: number, most: number];

export const HOME_BANDS: readonly {
  what: string;
  of: keyof HomeStatistics & string;
  p5: Band;
  median: Band;
  p95: Band;
}[] = [
  { what: 'variation of reads', of: 'variation', p5: [0.5, 0.8], median: [0.9, 1.3], p95: [1.5, 2.4] },
  { what: 'step over mean', of: 'step', p5: [0.2, 0.36], median: [0.38, 0.6], p95: [0.65, 1.15] },
  { what: 'autocorrelation, 30 min', of: 'lagOne', p5: [0.2, 0.45], median: [0.4, 0.68], p95: [0.67, 0.85] },
  { what: 'autocorrelation, 1 day', of: 'lagDay', p5: [0.04, 0.2], median: [0.15, 0.38], p95: [0.42, 0.7] },
  {
    what: 'autocorrelation, 1 week',
    of: 'lagWeek',
    p5: [0.04, 0.15],
    median: [0.16, 0.38],
    p95: [0.38, 0.65],
  },
  {
    what: 'variation of days in 28 days',
    of: 'dayVariation28',
    p5: [0.09, 0.19],
    median: [0.18, 0.3],
    p95: [0.36, 0.52],
  },
  { what: 'weekend against weekday', of: 'weekend', p5: [0.82, 0.94], median: [1, 1.1], p95: [1.18, 1.4] },
  { what: 'p10 over mean', of: 'p10', p5: [0, 0.12], median: [0.12, 0.32], p95: [0.35, 0.6] },
  { what: 'median over mean', of: 'p50', p5: [0.1, 0.45], median: [0.38, 0.7], p95: [0.64, 0.92] },
  { what: 'p99 over mean', of: 'p99', p5: [2.7, 4], median: [4.5, 6.5], p95: [8, 14.5] },
  {
    what: 'load factor of the year',
    of: 'loadFactor',
    p5: [0.03, 0.055],
    median: [0.055, 0.105],
    p95: [0.11, 0.19],
  },
  { what: 'share of zero reads', of: 'zeros', p5: [0, 0], median: [0, 0], p95: [0.01, 0.3] },
  { what: 'longest run of low days', of: 'lowRun', p5: [0, 0], median: [0, 4], p95: [10, 120] },
];

/** Figures over all homes together. */
export const OVER_HOMES = {
  profileP5: [0, 0.45],
  profileMedian: [0.6, 0.85],
  profileP95: [0.85, 0.96],
  variationSpread: [0.3, 2],
  stepSpread: [0.12, 1],
  lagOneSpread: [0.11, 0.5],
  awayRuns: [0.15, 0.5],
  pairsP5: [-1, -0.05],
  tenTogether: [0.3, 0.38],
  hundredTogether: [0.2, 0.24],
  step: [0.2, 0.32],
  saturday: [1.01, 1.14],
  sunday: [1.05, 1.17],
  tradeProfileP5: [-1, 0.3],
  holidayShape: [0.85, 1],
  holidayLevel: [0.85, 1.3],
  london: [0, 0.8],
  others: [0, 0.85],
} as const satisfies Record<string, Band>;
