import type { EChartsOption } from 'echarts';
import type { CustomerClass } from '../../../src/emulator/customers/customers.js';
import { dayShape } from '../../../src/emulator/customers/dayShapes.js';
import type { DayType } from '../../../src/emulator/customers/localTime.js';
import { rounded, svg } from '../chart.js';
import { type DayOfYear, SUMMER_DAYS, shapes, WINTER_DAYS } from '../dayShape.js';
import type { Sample } from '../sample.js';
import { mean } from '../statistics.js';

const METERS = 6_000;
const WIDTH = 960;
const HEIGHT = 520;

const SEASONS: { title: string; days: readonly DayOfYear[]; months: readonly number[]; dayType: DayType }[] =
  [
    { title: 'winter weekday', days: WINTER_DAYS.slice(0, 2), months: [11, 0, 1], dayType: 'weekday' },
    { title: 'summer weekday', days: SUMMER_DAYS.slice(0, 2), months: [5, 6, 7], dayType: 'weekday' },
    {
      title: 'winter Sunday',
      days: [
        [0, 18],
        [1, 8],
      ],
      months: [11, 0, 1],
      dayType: 'sunday',
    },
  ];
const ROWS: { itsClass: CustomerClass; name: string }[] = [
  { itsClass: 'residential', name: 'homes' },
  { itsClass: 'commercial', name: 'commercial' },
];

/** Homes and trade through the day, as measured and as BDEW publishes them. */
export function dayShapes(sample: Sample): string {
  const panels = SEASONS.flatMap((season) => {
    const measured = shapes(sample, METERS, season.days);
    return ROWS.map(({ itsClass, name }) => ({
      title: `${name}, ${season.title}`,
      measured: measured[itsClass],
      published: published(itsClass, season.months, season.dayType),
    }));
  });
  const place = (index: number) => ({ left: 50 + Math.floor(index / 2) * 310, top: 60 + (index % 2) * 230 });
  const option: EChartsOption = {
    legend: { top: 4, data: ['measured', 'BDEW 2025 (H25, G25)'], itemGap: 30 },
    title: panels.map(({ title }, index) => ({
      text: title,
      textStyle: { fontSize: 13 },
      left: place(index).left + 10,
      top: place(index).top - 26,
    })),
    grid: panels.map((_, index) => ({ ...place(index), width: 260, height: 165 })),
    xAxis: panels.map((_, index) => ({
      gridIndex: index,
      type: 'value' as const,
      min: 0,
      max: 24,
      interval: 6,
    })),
    yAxis: panels.map((_, index) => ({
      gridIndex: index,
      type: 'value' as const,
      min: 0,
      max: 2,
      interval: 0.5,
    })),
    series: panels.flatMap(({ measured, published }, index) => [
      curve('measured', measured, index, 'solid'),
      curve('BDEW 2025 (H25, G25)', published, index, 'dashed'),
    ]),
  };
  return svg(option, WIDTH, HEIGHT);
}

function curve(name: string, values: ArrayLike<number>, index: number, type: 'solid' | 'dashed') {
  return {
    name,
    type: 'line' as const,
    xAxisIndex: index,
    yAxisIndex: index,
    showSymbol: false,
    lineStyle: { width: 1.8, type },
    data: Array.from(values, (value, quarter) => [quarter / 4, rounded(value)]),
  };
}

/** Relative to the day's mean, as the measured shapes are. */
function published(itsClass: CustomerClass, months: readonly number[], dayType: DayType): number[] {
  const days = months.map((month) => dayShape(itsClass, month, dayType));
  const together = (days[0] ?? []).map((_, quarter) => mean(days.map((day) => day[quarter] as number)));
  const level = mean(together);
  return together.map((value) => value / level);
}
