import { EXPECTED } from './expectedTables.js';
import type { PlaceScene } from './placeScene.js';

/** Temperatures between which neither heating nor cooling is asked for, °C: those of the tables. */
const COLD = 14;
const HOT = 20;

/**
 * What the mean home of a place is expected to draw, for the state of feeders: never a sum over meters. Relative to the mean over the
 * year; by the hour, going over from one to the next.
 */
export function expectedHomeLevel(slot: number, scene: PlaceScene): number {
  const index = slot - scene.firstSlot;
  const { hours, cold, hot } = EXPECTED[scene.model][scene.place];
  const ofKind = hours[Math.min(2, scene.kind[index] as number)] as readonly number[];
  const sinceMiddle = ((scene.clock[index] as number) + 0.5) / 4 + 23.5;
  const before = Math.floor(sinceMiddle);
  const [here, next] = [ofKind[before % 24] as number, ofKind[(before + 1) % 24] as number];
  const air = scene.air[index] as number;
  const byHour = here + (next - here) * (sinceMiddle - before);
  return Math.max(0.1, byHour + cold * Math.max(0, COLD - air) + hot * Math.max(0, air - HOT));
}
