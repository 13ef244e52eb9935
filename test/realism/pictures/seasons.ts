import { rounded, svg } from '../chart.js';
import { type FleetYear, seasonLevel } from '../fleetYear.js';

const MONTHS = ['J', 'F', 'M', 'A', 'M', 'J', 'J', 'A', 'S', 'O', 'N', 'D'];

/** Homes and trade through the year under both climates. */
export function seasons(us: FleetYear, germany: FleetYear): string {
  const curve = (name: string, weeks: readonly number[][], type: 'solid' | 'dashed', color: string) => ({
    name,
    type: 'line' as const,
    color,
    lineStyle: { type },
    data: MONTHS.map((_, month) => rounded(seasonLevel(weeks, [month]))),
  });
  return svg(
    {
      title: {
        text: 'energy of a month against the year’s mean',
        textStyle: { fontSize: 13 },
        left: 50,
        top: 8,
      },
      legend: { top: 32, itemGap: 30 },
      grid: { left: 50, right: 20, top: 70, bottom: 40 },
      xAxis: { type: 'category', data: MONTHS },
      yAxis: { type: 'value', min: 0.6, max: 1.4, interval: 0.2 },
      series: [
        curve('homes, us', us.energy.residential, 'solid', '#1f5fa8'),
        curve('commercial, us', us.energy.commercial, 'dashed', '#1f5fa8'),
        curve('homes, germany', germany.energy.residential, 'solid', '#d9822b'),
        curve('commercial, germany', germany.energy.commercial, 'dashed', '#d9822b'),
      ],
    },
    720,
    340,
  );
}
