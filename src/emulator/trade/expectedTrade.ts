import type { Place } from '../../contracts/places.js';
import { drawAt } from '../chance/random.js';
import { meanQuarterKwh } from '../customers/load.js';
import type { PlaceScene } from '../homes/placeScene.js';
import { createTrade, type Trade } from './trade.js';
import { expectedTradeKwh } from './tradeLoad.js';

/**
 * What trade as a whole is expected to draw, for the state of feeders: the mean of a panel of businesses that stand for
 * their class in every place, each of the same size. Never a sum over a feeder's meters.
 */
const PANEL = { commercial: 80, industrial: 30 } as const;
const panels = new Map<string, Trade[]>();

/** Mean energy of a quarter hour, kWh. */
export function expectedTradeLevel(
  itsClass: 'commercial' | 'industrial',
  slot: number,
  scene: PlaceScene,
): number {
  const panel = panelOf(itsClass, scene.place);
  const sum = panel.reduce((total, trade) => total + expectedTradeKwh(trade, slot, scene) / trade.meanKwh, 0);
  return (sum / panel.length) * meanQuarterKwh(itsClass);
}

function panelOf(itsClass: 'commercial' | 'industrial', place: Place): Trade[] {
  const name = `${itsClass} ${place}`;
  let panel = panels.get(name);
  if (panel === undefined) {
    panel = Array.from({ length: PANEL[itsClass] }, (_, member) =>
      createTrade(drawAt(0x7ade, 0, member) | 0, itsClass, place),
    );
    panels.set(name, panel);
  }
  return panel;
}
