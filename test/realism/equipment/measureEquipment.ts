import type { PlaceModel } from '../../../src/contracts/emulation.js';
import type { Place } from '../../../src/contracts/places.js';
import type { Figure } from '../bands.js';
import { carFigures } from './cars.js';
import { flowsOf } from './flows.js';
import { heatPumpFigures, weatherKeyOf } from './heatPumps.js';
import { sunFigures } from './sun.js';

const YEAR = { year: 2026, days: 365 } as const;
/** Cars for a coincidence of a thousand, with trade besides, and the weeks in which it is looked for. */
const MANY = { meters: 1_300, days: 28 } as const;

/** Sun, cars and heat pumps of homes of one place and seed, each found from reads with it and without it. */
export function measureEquipment(
  model: PlaceModel,
  place: Place,
  seed: string,
  meters: number,
  isBrief = false,
): Figure[] {
  const scene = { model, place, seed, meters, ...YEAR };
  const cars = carFigures(flowsOf(scene, { ev: 1 }));
  const many = isBrief ? [] : carFigures(flowsOf({ ...scene, ...MANY }, { ev: 1 }));
  return [
    ...sunFigures(flowsOf(scene, { pv: 1 })),
    ...cars.filter(({ what }) => !many.length || !what.includes('coincidence')),
    ...many.filter(({ what }) => what.includes('coincidence')),
    ...heatPumpFigures(flowsOf(scene, { heatPump: 1 }), weatherKeyOf(seed)),
  ];
}
