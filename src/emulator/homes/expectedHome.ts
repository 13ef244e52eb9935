import { dayShape } from '../customers/dayShapes.js';
import type { PlaceScene } from './placeScene.js';

/** What the mean home of a place is expected to draw, for the state of feeders: never a sum over meters. */
export function expectedHomeLevel(slot: number, scene: PlaceScene): number {
  const index = slot - scene.firstSlot;
  const kind = scene.kind[index] as number;
  return dayShape('residential', 3, kind === 0 ? 'weekday' : kind === 1 ? 'saturday' : 'sunday')[
    scene.clock[index] as number
  ] as number;
}
