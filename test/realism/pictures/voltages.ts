import { svg } from '../chart.js';
import type { FleetYear } from '../fleetYear.js';

/** Quarter volts from 109.5 V to 128.5 V. */
const FIRST = 109.5;
const BIN = 0.25;
const BINS = 76;

/** Reads by service voltage; the count on a logarithmic axis, or the anomalies could not be seen. */
export function voltages({ voltage }: FleetYear): string {
  const counts = Array.from({ length: BINS }, () => 0);
  voltage.histogram.forEach((reads, tenth) => {
    const bin = Math.floor((105 + tenth / 10 + 1e-6 - FIRST) / BIN);
    if (reads > 0 && bin >= 0 && bin < BINS) counts[bin] = (counts[bin] as number) + reads;
  });
  const ranges = [
    { name: '118', at: 118 },
    { name: '124', at: 124 },
    { name: 'range A', at: 114 },
    { name: 'range A', at: 126 },
  ];
  return svg(
    {
      title: {
        text: `service voltage of ${voltage.reads.toLocaleString('en-US')} reads, V (logarithmic count)`,
        textStyle: { fontSize: 13 },
        left: 60,
        top: 8,
      },
      grid: { left: 90, right: 30, top: 60, bottom: 40 },
      xAxis: { type: 'value', min: 109, max: 129, interval: 2 },
      yAxis: { type: 'log', min: 1 },
      series: [
        {
          type: 'line',
          step: 'middle',
          showSymbol: false,
          areaStyle: { opacity: 0.35, origin: 'start' },
          data: counts.map((count, bin) => [FIRST + (bin + 0.5) * BIN, Math.max(1, count)]),
          markLine: {
            symbol: 'none',
            lineStyle: { type: 'dashed', color: '#888' },
            data: ranges.map(({ name, at }) => ({ name, xAxis: at, label: { formatter: name } })),
          },
        },
      ],
    },
    720,
    340,
  );
}
