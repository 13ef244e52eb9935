import { rounded, svg } from '../chart.js';
import { coincidenceOf, flowsOf } from '../equipment/flows.js';

const COUNTS = [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1_000];
/** Of Norwegian cars that charge at home. */
const MEASURED = [
  [5, 0.73],
  [10, 0.53],
  [20, 0.36],
];

/** The highest quarter hour of so many cars together over the sum of their own highest, of eight weeks. */
export function carsTogether(): string {
  const { into } = flowsOf(
    { model: 3, place: 'uk', seed: '1', year: 2026, meters: 1_300, days: 56 },
    { ev: 1 },
  );
  const emulated = COUNTS.map((count) => [count, rounded(coincidenceOf(into, count))]);
  return svg(
    {
      legend: { top: 8 },
      grid: { left: 60, right: 30, top: 60, bottom: 45 },
      xAxis: { type: 'log', min: 1, max: 1_000, name: 'cars', nameLocation: 'middle', nameGap: 28 },
      yAxis: {
        type: 'value',
        ...{ min: 0, max: 1, name: 'highest together over the sum of the highest' },
        nameTextStyle: { align: 'left' },
      },
      series: [
        { name: 'emulated', type: 'line', showSymbol: false, lineStyle: { width: 1.6 }, data: emulated },
        { name: 'Norway, measured', type: 'scatter', symbolSize: 8, data: MEASURED },
      ],
    },
    780,
    340,
  );
}
