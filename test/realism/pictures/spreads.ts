import { rounded, svg } from '../chart.js';
import type { HomeStatistics } from '../homes/homeStatistics.js';

const PAIRS = [
  ['variation', 'step'],
  ['lagOne', 'lagDay'],
  ['p10', 'p50'],
  ['dayVariation28', 'weekend'],
] as const;

/** What they are called on an axis; all are ratios or correlations. */
const NAMES: Readonly<Record<(typeof PAIRS)[number][number], string>> = {
  variation: 'standard deviation of reads over mean',
  step: 'mean step over mean',
  lagOne: 'correlation with the read 30 min before',
  lagDay: 'correlation with the day before',
  p10: 'p10 of reads over mean',
  p50: 'median of reads over mean',
  dayVariation28: 'variation of days within 28 days',
  weekend: 'weekend over weekday, daily kWh',
};

/** Homes as dots, real and emulated, by pairs of what differs between them. */
export function spreads(real: readonly HomeStatistics[], emulated: readonly HomeStatistics[]): string {
  const grids = PAIRS.map((_, index) => ({
    left: 55 + (index % 2) * 380,
    top: 70 + Math.floor(index / 2) * 260,
    width: 310,
    height: 190,
  }));
  return svg(
    {
      legend: { top: 4, data: ['London', 'emulated'] },
      grid: grids,
      xAxis: PAIRS.map(([x], gridIndex) => ({
        gridIndex,
        type: 'value',
        name: NAMES[x],
        nameLocation: 'middle',
        nameGap: 22,
        scale: true,
      })),
      yAxis: PAIRS.map(([, y], gridIndex) => ({
        gridIndex,
        type: 'value',
        name: NAMES[y],
        nameTextStyle: { align: 'left' },
        scale: true,
      })),
      series: PAIRS.flatMap(([x, y], index) =>
        (
          [
            ['London', real],
            ['emulated', emulated],
          ] as const
        ).map(([name, homes]) => ({
          name,
          type: 'scatter' as const,
          xAxisIndex: index,
          yAxisIndex: index,
          symbolSize: 5,
          data: homes.map((home) => [rounded(home[x]), rounded(home[y])]),
        })),
      ),
    },
    780,
    580,
  );
}
