import { drawAt } from '../../../src/emulator/chance/random.js';
import { rounded, svg } from '../chart.js';
import type { HomeSeries } from '../homes/homeStatistics.js';

/** Days shown: a week from the second Monday of March. */
const WEEK = 7;
const FROM_DAY = 70;
const EACH = 10;

/** Ten real homes' weeks and ten emulated ones, mixed; the key says which are real. */
export function realAndEmulated(
  real: readonly HomeSeries[],
  emulated: readonly HomeSeries[],
): { picture: string; key: string } {
  const weeks = [
    ...whole(real).map((kwh) => ({ kwh, isReal: true })),
    ...whole(emulated).map((kwh) => ({ kwh, isReal: false })),
  ]
    .map((week, index) => ({ ...week, place: drawAt(17, 1, index) }))
    .toSorted((one, other) => one.place - other.place);
  const grids = weeks.map((_, index) => ({
    left: 30 + (index % 4) * 240,
    top: 30 + Math.floor(index / 4) * 110,
    width: 210,
    height: 75,
  }));
  const picture = svg(
    {
      title: weeks.map((_, index) => ({
        text: `${index + 1}`,
        textStyle: { fontSize: 11 },
        left: (grids[index] as { left: number }).left,
        top: (grids[index] as { top: number }).top - 20,
      })),
      grid: grids,
      xAxis: weeks.map((_, gridIndex) => ({
        gridIndex,
        type: 'value',
        min: 0,
        max: WEEK,
        interval: 1,
        axisLabel: { show: false },
      })),
      yAxis: weeks.map((_, gridIndex) => ({
        gridIndex,
        type: 'value',
        axisLabel: { show: false },
        splitLine: { show: false },
      })),
      series: weeks.map(({ kwh }, index) => ({
        type: 'line' as const,
        step: 'end' as const,
        xAxisIndex: index,
        yAxisIndex: index,
        showSymbol: false,
        lineStyle: { width: 0.8, color: '#1f5fa8' },
        data: Array.from(kwh, (value, slot) => [rounded(slot / 48), rounded(value)]),
      })),
    },
    980,
    590,
  );
  const key = weeks.flatMap(({ isReal }, index) => (isReal ? [index + 1] : [])).join(', ');
  return { picture, key };
}

/** The week of homes that have all of it, each relative to the mean of its week. */
function whole(homes: readonly HomeSeries[]): Float64Array[] {
  return homes
    .map(({ kwh, perDay }) => kwh.slice(FROM_DAY * perDay, (FROM_DAY + WEEK) * perDay))
    .filter((kwh) => kwh.every((value) => !Number.isNaN(value)) && kwh.some((value) => value > 0))
    .slice(3, 3 + EACH)
    .map((kwh) => {
      const level = kwh.reduce((sum, value) => sum + value, 0) / kwh.length;
      return kwh.map((value) => value / level);
    });
}
