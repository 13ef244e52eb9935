import { createRandomness, STREAM } from '../../../src/emulator/chance/random.js';
import { sceneOfPlace } from '../../../src/emulator/homes/placeScene.js';
import { createTrade } from '../../../src/emulator/trade/trade.js';
import { TRADE_KINDS } from '../../../src/emulator/trade/tradeKinds.js';
import { tradeKwh } from '../../../src/emulator/trade/tradeLoad.js';
import { rounded, svg } from '../chart.js';

const METERS = 1_500;
const DAYS = 5;

/** The mean working day in March of each kind of trade in Britain, relative to its own mean. */
export function tradeKinds(): string {
  const random = createRandomness('archetypes', 'pictures');
  const first = Date.UTC(2026, 2, 9) / 900_000;
  const scene = sceneOfPlace(2, 'uk', 'Europe/London', first, DAYS * 96, random.key(STREAM.weather, 0));
  const kinds = [...TRADE_KINDS, 'plant'] as const;
  const sums = new Map(kinds.map((kind) => [kind, new Float64Array(96)]));
  for (let meter = 1; meter <= METERS; meter += 1) {
    const key = random.key(STREAM.meter, meter);
    const trade = createTrade(key, meter % 10 === 0 ? 'industrial' : 'commercial', 'uk');
    const sum = sums.get(trade.kind) as Float64Array;
    for (let slot = 0; slot < DAYS * 96; slot += 1)
      sum[slot % 96] = (sum[slot % 96] as number) + tradeKwh(trade, first + slot, scene) / trade.meanKwh;
  }
  const grids = kinds.map((_, index) => ({
    left: 50 + (index % 4) * 240,
    top: 40 + Math.floor(index / 4) * 150,
    width: 200,
    height: 90,
  }));
  return svg(
    {
      title: kinds.map((kind, index) => ({
        text: kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
        textStyle: { fontSize: 12, fontWeight: 'normal' },
        left: (grids[index] as { left: number }).left,
        top: (grids[index] as { top: number }).top - 26,
      })),
      grid: grids,
      xAxis: kinds.map((_, gridIndex) => ({
        ...{ gridIndex, type: 'value' as const, min: 0, max: 24, interval: 6 },
        ...(gridIndex >= kinds.length - 4 && { name: 'hour', nameLocation: 'middle' as const, nameGap: 24 }),
      })),
      yAxis: kinds.map((_, gridIndex) => ({
        ...{ gridIndex, type: 'value' as const, min: 0, splitNumber: 2 },
        ...(gridIndex % 4 === 0 && {
          name: 'load over mean',
          nameLocation: 'middle' as const,
          nameGap: 30,
        }),
      })),
      series: kinds.map((kind, index) => {
        const sum = sums.get(kind) as Float64Array;
        const level = sum.reduce((total, value) => total + value, 0) / 96;
        return {
          type: 'line' as const,
          xAxisIndex: index,
          yAxisIndex: index,
          showSymbol: false,
          lineStyle: { width: 1.3, color: '#1f5fa8' },
          data: Array.from(sum, (value, quarter) => [quarter / 4, rounded(value / level)]),
        };
      }),
    },
    980,
    510,
  );
}
