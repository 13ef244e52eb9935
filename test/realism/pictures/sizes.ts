import { rounded, svg } from '../chart.js';
import { dailyKwh, type FleetYear } from '../fleetYear.js';
import { deviation, mean } from '../statistics.js';

/** Bins of kWh a day. */
const BIN = 2.5;
const BINS = 48;

/** Homes by what they use a day, and the lognormal of the same spread. */
export function sizes(year: FleetYear): string {
  const homes = dailyKwh(year, 'residential');
  const counts = Array.from({ length: BINS }, () => 0);
  for (const kwh of homes) {
    const bin = Math.min(BINS - 1, Math.floor(kwh / BIN));
    counts[bin] = (counts[bin] as number) + 1;
  }
  const logs = homes.map(Math.log);
  const [centre, sdlog] = [mean(logs), deviation(logs)];
  const lognormal = (kwh: number) =>
    (homes.length * BIN * Math.exp(-(((Math.log(kwh) - centre) / sdlog) ** 2) / 2)) /
    (kwh * sdlog * Math.sqrt(2 * Math.PI));
  const middles = counts.map((_, bin) => (bin + 0.5) * BIN);
  return svg(
    {
      title: {
        text: `${homes.length} homes: mean ${mean(homes).toFixed(1)} kWh a day, sdlog ${sdlog.toFixed(2)}`,
        textStyle: { fontSize: 13 },
        left: 50,
        top: 8,
      },
      legend: { top: 32, data: ['homes', 'lognormal'] },
      grid: { left: 50, right: 80, top: 70, bottom: 40 },
      xAxis: [
        { type: 'category', data: middles.map(String), show: false },
        { type: 'value', min: 0, max: BIN * BINS, position: 'bottom', name: 'kWh/day' },
      ],
      yAxis: { type: 'value' },
      series: [
        { name: 'homes', type: 'bar', barCategoryGap: '10%', data: counts },
        {
          name: 'lognormal',
          type: 'line',
          xAxisIndex: 1,
          showSymbol: false,
          data: middles.map((kwh) => [kwh, rounded(lognormal(kwh))]),
        },
      ],
    },
    720,
    340,
  );
}
