import { PALETTE, rounded, svg } from '../chart.js';
import type { FeederInstant, FleetYear } from '../fleetYear.js';
import { mean } from '../statistics.js';

/** Every sixth instant of four feeders: enough dots to see the curve. */
const EVERY = 6;
const SHOWN = [0, 1, 2, 3];

/** Technical loss of feeders against their load. */
export function feederLoss({ instants }: FleetYear): string {
  return svg(
    {
      title: {
        text: 'technical loss, % of delivered energy, against load (mean of the year = 1)',
        textStyle: { fontSize: 13 },
        left: 50,
        top: 8,
      },
      legend: { top: 32 },
      grid: { left: 50, right: 60, top: 70, bottom: 40 },
      xAxis: { type: 'value', min: 0.2, name: 'load' },
      yAxis: { type: 'value', min: 0, name: '%' },
      series: SHOWN.map((feeder, index) => ({
        name: `FEEDER_${feeder + 1}`,
        type: 'scatter' as const,
        symbolSize: 3,
        itemStyle: { opacity: 0.6, color: PALETTE[index] as string },
        data: dots(instants[feeder] as FeederInstant[]),
      })),
    },
    720,
    400,
  );
}

function dots(instants: readonly FeederInstant[]): number[][] {
  const average = mean(instants.map((instant) => instant.delivered));
  return instants
    .filter((_, index) => index % EVERY === 0)
    .map(({ delivered, registered }) => [
      rounded(delivered / average),
      rounded((100 * (delivered - registered)) / delivered),
    ]);
}
