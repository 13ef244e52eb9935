import { rounded, svg } from '../chart.js';
import { flowsOf, sumOf } from '../equipment/flows.js';

const SHARES = [0, 0.2, 0.4, 0.6];
/** Three weeks from the tenth of April. */
const SPRING = {
  model: 3,
  place: 'us-south',
  seed: '1',
  year: 2026,
  meters: 600,
  fromDay: 99,
  days: 21,
} as const;

/** The mean spring day of some five hundred homes, net of what their roofs make, by the share of homes with a roof. */
export function duckCurve(): string {
  const days = SHARES.map((pv) => {
    const { consumed, into, clock } = flowsOf(SPRING, { pv });
    const [load, net] = [sumOf(consumed), sumOf([...consumed, ...into])];
    const level = load.reduce((sum, kwh) => sum + kwh, 0) / SPRING.days;
    const hours = new Float64Array(96);
    net.forEach((kwh, slot) => {
      const quarter = clock[slot] as number;
      hours[quarter] = (hours[quarter] as number) + (kwh * 96) / level / SPRING.days;
    });
    return { name: `${pv * 100} % with a roof`, hours };
  });
  return svg(
    {
      legend: { top: 8 },
      grid: { left: 60, right: 30, top: 60, bottom: 45 },
      xAxis: {
        type: 'value',
        ...{ min: 0, max: 24, interval: 3, name: 'hour by the clock', nameLocation: 'middle', nameGap: 28 },
      },
      yAxis: {
        type: 'value',
        name: 'net load over the mean load without roofs',
        nameTextStyle: { align: 'left' },
      },
      series: days.map(({ name, hours }) => ({
        name,
        type: 'line' as const,
        showSymbol: false,
        lineStyle: { width: 1.6 },
        data: Array.from(hours, (load, quarter) => [quarter / 4, rounded(load)]),
      })),
    },
    780,
    380,
  );
}
