import { rounded, svg } from '../chart.js';
import { homeSeries } from '../oneHome.js';
import { daySlot, type Sample, SLOTS_PER_DAY } from '../sample.js';

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** One home's quarter hours in a week of July, and below it the mean of a hundred homes. */
export function homeWeek(sample: Sample): string {
  const homes = homeSeries(sample, 100, daySlot(2026, 6, 13), DAYS.length * SLOTS_PER_DAY);
  const one = homes[1] as Float64Array;
  const together = one.map(
    (_, slot) => homes.reduce((sum, home) => sum + (home[slot] as number), 0) / homes.length,
  );
  const titles = ['one home, kW, 13–19 July', 'mean of a hundred homes, kW'];
  const axis = (index: number) => ({
    gridIndex: index,
    type: 'value' as const,
    min: 0,
    max: 7,
    interval: 1,
    axisLabel: { formatter: (day: number) => DAYS[day] ?? '', align: 'left' as const },
  });
  return svg(
    {
      title: titles.map((text, index) => ({
        text,
        textStyle: { fontSize: 13 },
        left: 50,
        top: 8 + index * 230,
      })),
      grid: titles.map((_, index) => ({ left: 50, width: 880, top: 38 + index * 230, height: 160 })),
      xAxis: [axis(0), axis(1)],
      yAxis: [
        { gridIndex: 0, type: 'value' },
        { gridIndex: 1, type: 'value' },
      ],
      series: [one, together].map((kwh, index) => ({
        type: 'line' as const,
        step: 'end' as const,
        xAxisIndex: index,
        yAxisIndex: index,
        showSymbol: false,
        lineStyle: { width: 1.2 },
        data: Array.from(kwh, (value, slot) => [rounded(slot / SLOTS_PER_DAY), rounded(value * 4)]),
      })),
    },
    960,
    460,
  );
}
