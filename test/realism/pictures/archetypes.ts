import { createRandomness, STREAM } from '../../../src/emulator/chance/random.js';
import { createHome } from '../../../src/emulator/homes/home.js';
import { homeKwh } from '../../../src/emulator/homes/homeLoad.js';
import { HOUSEHOLDS } from '../../../src/emulator/homes/households.js';
import { sceneOfPlace } from '../../../src/emulator/homes/placeScene.js';
import { rounded, svg } from '../chart.js';

const HOMES = 2_000;
const DAYS = 5;

/** The mean working day in March of each kind of household in a British street, relative to its own mean. */
export function archetypes(): string {
  const random = createRandomness('archetypes', 'pictures');
  const first = Date.UTC(2026, 2, 9) / 900_000;
  const scene = sceneOfPlace(2, 'uk', 'Europe/London', first, DAYS * 96, random.key(STREAM.weather, 0));
  const sums = HOUSEHOLDS.map(() => new Float64Array(96));
  for (let meter = 1; meter <= HOMES; meter += 1) {
    const home = createHome(random.key(STREAM.meter, meter), 2, 'uk');
    const sum = sums[home.kind] as Float64Array;
    for (let slot = 0; slot < DAYS * 96; slot += 1)
      sum[slot % 96] = (sum[slot % 96] as number) + homeKwh(home, first + slot, scene);
  }
  return svg(
    {
      legend: { top: 8 },
      grid: { left: 50, right: 20, top: 80, bottom: 45 },
      xAxis: {
        type: 'value',
        ...{ min: 0, max: 24, interval: 3, name: 'hour by the clock', nameLocation: 'middle', nameGap: 28 },
      },
      yAxis: { type: 'value', name: 'load over its mean' },
      series: HOUSEHOLDS.filter((kind) => kind !== 'vacant').map((name) => {
        const sum = sums[HOUSEHOLDS.indexOf(name)] as Float64Array;
        const level = sum.reduce((total, value) => total + value, 0) / 96;
        return {
          name,
          type: 'line' as const,
          showSymbol: false,
          lineStyle: { width: 1.3 },
          data: Array.from(sum, (value, quarter) => [quarter / 4, rounded(value / level)]),
        };
      }),
      color: ['#1f5fa8', '#d9822b', '#3d9970', '#8e44ad', '#c0392b', '#7f8c8d', '#16a085', '#f1c40f'],
    },
    780,
    380,
  );
}
